"""What one would write by hand: the same work as `tenantry compile`, as a Python script.

    pipeline.py PROJECT OUT [--workers N]

It reads the same project and writes the same kinds of files: a manifest, signed targets, snapshot and timestamp for
each tenant, overlays, and one bundle for each shipped version. It parses with libyaml, signs with OpenSSL, hashes
with OpenSSL and works on all cores. It decides line-ups by the same rule, but it does less: no schema check, no
places in messages, no reasons, no windows of dependencies, no index to compile from next time.

Needs PyYAML (with libyaml), cryptography and Jinja2. Prints seconds and counts as JSON.
"""

import argparse
import base64
import fnmatch
import functools
import hashlib
import json
import multiprocessing
import os
import re
import secrets
import sys
import time
import zipfile
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import jinja2
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CLASSES = ["public", "internal", "confidential", "restricted"]
SPEC_VERSION = "1.0.34"
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def load_yaml(path):
    with open(path, "rb") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=timezone.utc)


def spelled(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def days(text):
    match = re.fullmatch(r"P(\d+)D", text)
    if match is None:
        sys.exit(f"only whole days are understood, not {text}")
    return timedelta(days=int(match[1]))


# Versions and ranges.


@functools.lru_cache(maxsize=None)
def version(text):
    release, _, pre = text.partition("-")
    return tuple(int(part) for part in release.split(".")), pre


@functools.lru_cache(maxsize=None)
def meets(range_text, version_text):
    """A release meets a range; a pre-release meets it when its release does."""
    if range_text is None:
        return True
    found, _ = version(version_text)
    for part in range_text.split(","):
        operator, numbers = re.fullmatch(r"\s*(\^|~|>=|<=|>|<|=|)\s*([\d.]+)\s*", part).groups()
        wanted = [int(number) for number in numbers.split(".")]
        full = tuple(wanted + [0] * (3 - len(wanted)))
        if operator in ("^", ""):
            fixed = next((at for at, number in enumerate(full) if number), len(wanted) - 1) + 1
            good = full <= found and found[:fixed] == full[:fixed]
        elif operator == "~":
            fixed = min(len(wanted), 2)
            good = full <= found and found[:fixed] == full[:fixed]
        else:
            good = {
                ">=": found >= full,
                "<=": found <= full,
                ">": found > full,
                "<": found < full,
                "=": found[: len(wanted)] == tuple(wanted),
            }[operator]
        if not good:
            return False
    return True


# The catalogue.


class Catalog:
    def __init__(self, root):
        self.project = load_yaml(root / "tenantry.yaml")["spec"]
        self.plans = self.by_name(root / "catalog/plans")
        self.add_ons = self.by_name(root / "catalog/add-ons")
        self.profiles = self.by_name(root / "catalog/compliance")
        self.shells = self.by_name(root / "catalog/shells")
        self.programs = {}
        for path in sorted((root / "catalog/programs").glob("*/*/program.yaml")):
            spec = load_yaml(path)["spec"]
            release = {**spec, "code": spec["version"]["code"], "release": spec["version"]["name"], "folder": path.parent}
            release["since"] = instant(spec["review"]["since"]) if "since" in spec["review"] else None
            release["templates"] = [
                (template["path"], (path.parent / template["src"]).read_text()) for template in spec.get("templates", [])
            ]
            self.programs.setdefault(spec["app_id"], []).append(release)
        for releases in self.programs.values():
            releases.sort(key=lambda release: -release["code"])
        self.order = self.dependants_first()
        self.bundles = {}

    @staticmethod
    def by_name(folder):
        documents = (load_yaml(path) for path in sorted(folder.glob("*.yaml")))
        return {document["metadata"]["name"]: document["spec"] for document in documents}

    def dependants_first(self):
        order, seen = [], set()

        def visit(app_id):
            if app_id in seen:
                return
            seen.add(app_id)
            for release in self.programs[app_id]:
                for dependency in release.get("dependencies", []):
                    visit(dependency["app_id"])
            order.append(app_id)

        for app_id in sorted(self.programs):
            visit(app_id)
        return order[::-1]

    def plan_chain(self, name):
        chain = []
        while name is not None:
            chain.insert(0, self.plans[name])
            name = self.plans[name].get("extends")
        return chain

    @functools.lru_cache(maxsize=None)
    def rules(self, name):
        """A profile and all that it imports."""
        found = [self.profiles[name]]
        for other in self.profiles[name].get("imports", []):
            found += self.rules(other)
        return found

    @functools.lru_cache(maxsize=None)
    def complies(self, profile, app_id, code, pinned):
        release = next(release for release in self.programs[app_id] if release["code"] == code)
        return all(self.passes(rules, release, pinned) for rules in self.rules(profile))

    def passes(self, rules, release, pinned):
        names = {
            "mini_programs": [release["app_id"]],
            "permissions": [permission["name"] for permission in release.get("req_permissions", [])],
            "egress": release.get("egress", []),
        }
        for rule, texts in names.items():
            lists = rules.get(rule, {})
            for text in texts:
                if any(fnmatch.fnmatchcase(text, pattern) for pattern in lists.get("deny", [])):
                    return False
                if "allow" in lists and not any(fnmatch.fnmatchcase(text, pattern) for pattern in lists["allow"]):
                    return False
        data, bound = release.get("data", {}), rules.get("data", {})
        if "max_classification" in bound:
            if CLASSES.index(data.get("classification", "public")) > CLASSES.index(bound["max_classification"]):
                return False
        if "regions" in bound and not set(data.get("regions", [])) & set(bound["regions"]):
            return False
        review, since = rules.get("review", {}), release["since"]
        if review.get("min_status") == "online" and release["review"]["status"] != "online":
            return False
        if "min_soak" in review and (since is None or since + days(review["min_soak"]) > NOW):
            return False
        update = rules.get("update", {})
        if update.get("pin_required") and not pinned:
            return False
        for window in update.get("freeze_windows", []):
            begin, end = instant(window["from"]), instant(window["until"])
            if begin <= NOW < end and since is not None and begin <= since:
                return False
        return True


# One tenant.


class LineUp:
    """Which version of which program a tenant has at each level of its shells."""

    def __init__(self, catalog, spec):
        self.catalog, self.spec = catalog, spec
        self.pins = {pin["app_id"]: pin["code"] for pin in spec.get("pins", [])}
        self.channel = spec.get("channel") or catalog.project.get("defaults", {}).get("channel", "stable")
        self.region = spec.get("data_region")
        license = spec.get("license", {})
        self.valid_from = instant(license["valid_from"]) if "valid_from" in license else None
        self.valid_until = instant(license["valid_until"]) if "valid_until" in license else None
        self.strategy = license.get("expiration_strategy", "restrict")
        self.license_end = self.valid_until and self.valid_until + days(license.get("grace", "P0D"))
        self.grants, self.strength, self.preload, self.until, self.blocked = {}, {}, {}, {}, {}
        self.want()
        shells = spec.get("shells") or list(catalog.shells)
        self.levels = sorted({code for shell in shells for code in catalog.shells[shell]["platform_codes"]})
        self.cache = {}
        ended = self.strategy == "revoke" and self.license_end and self.license_end <= NOW
        served = spec.get("status", "active") == "active" and not ended
        self.chosen = {level: self.at(level) for level in self.levels} if served else {}

    def want(self):
        sources = [(1, plan) for plan in self.catalog.plan_chain(self.spec["plan"])]
        sources += [(2, self.catalog.add_ons[name]) for name in self.spec.get("add_ons", [])]
        for strength, source in sources:
            for grant in source.get("mini_programs", []):
                self.grant(grant["app_id"], grant.get("range"), strength, not grant.get("optional", False), None)
        for override in self.spec.get("overrides", []):
            expires = instant(override["expires"])
            if expires <= NOW:
                continue
            if "grant" in override:
                self.grant(override["grant"], override.get("range"), 3, True, expires)
            else:
                self.blocked[override["revoke"]] = expires

    def grant(self, app_id, range_text, strength, preload, until):
        self.grants.setdefault(app_id, []).append(range_text)
        self.strength[app_id] = max(strength, self.strength.get(app_id, 0))
        self.preload[app_id] = preload or self.preload.get(app_id, False)
        if until is None or self.until.get(app_id, NOW) is None:
            self.until[app_id] = None
        else:
            self.until[app_id] = max(until, self.until.get(app_id, until))

    def candidates(self, app_id):
        if app_id not in self.cache:
            self.cache[app_id] = [it for it in self.catalog.programs[app_id] if self.is_candidate(app_id, it)]
        return self.cache[app_id]

    def is_candidate(self, app_id, release):
        if release["review"]["status"] not in ("approved", "online"):
            return False
        profile = self.spec.get("compliance_profile")
        if profile and not self.catalog.complies(profile, app_id, release["code"], app_id in self.pins):
            return False
        regions = release.get("data", {}).get("regions", [])
        if self.region and regions and self.region not in regions:
            return False
        if self.strategy == "restrict" and self.license_end and self.license_end <= NOW:
            if release["since"] is not None and release["since"] >= self.valid_until:
                return False
        ranges = self.grants.get(app_id)
        if ranges is not None and not any(meets(range_text, release["release"]) for range_text in ranges):
            return False
        if self.pins.get(app_id, release["code"]) != release["code"]:
            return False
        _, pre = version(release["release"])
        return not pre or pre.split(".")[0] == self.channel

    def at(self, level):
        fallen = set()
        while True:
            chosen, weakest = self.choose(level, fallen)
            if weakest is None:
                return chosen
            fallen.add(weakest)

    def choose(self, level, fallen):
        """The line-up at a level, or the program that has to fall first."""
        viable = {}

        def is_viable(app_id, release):
            key = app_id, release["code"]
            if key not in viable:
                bounds = release["platform_version"]
                viable[key] = (
                    app_id not in fallen
                    and bounds["min_code"] <= level <= bounds.get("max_code", level)
                    and all(
                        any(
                            meets(need.get("range"), other["release"]) and is_viable(need["app_id"], other)
                            for other in self.candidates(need["app_id"])
                        )
                        for need in release.get("dependencies", [])
                    )
                )
            return viable[key]

        chosen, demands = {}, {}
        for app_id in self.catalog.order:
            if app_id not in self.grants and app_id not in demands:
                continue
            possible = [release for release in self.candidates(app_id) if is_viable(app_id, release)]
            if not possible:
                continue
            needed = demands.get(app_id, [])
            fitting = [it for it in possible if all(meets(need, it["release"]) for need, _ in needed)]
            if not fitting:
                return None, self.weakest([dependant for _, dependant in needed])
            chosen[app_id] = fitting[0]
            for need in fitting[0].get("dependencies", []):
                demands.setdefault(need["app_id"], []).append((need.get("range"), app_id))
        clashes = [
            tuple(sorted((app_id, other)))
            for app_id, release in chosen.items()
            for other in release.get("conflicts", [])
            if other in chosen
        ]
        if clashes:
            return None, self.weakest(list(min(clashes)))
        return chosen, None

    def weakest(self, app_ids):
        lowest = min(self.strength.get(app_id, 0) for app_id in app_ids)
        return max(app_id for app_id in app_ids if self.strength.get(app_id, 0) == lowest)

    def programs(self):
        """For each program its releases with the range of levels that run them, newest first."""
        programs = {}
        for level, chosen in self.chosen.items():
            for app_id, release in chosen.items():
                ranges = programs.setdefault(app_id, {})
                low, _ = ranges.get(release["code"], (level, level))
                ranges[release["code"]] = low, level
        return programs


def merge(base, over):
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def generosity(value):
    if value == "unlimited":
        return 3, 0
    if isinstance(value, bool):
        return (1, 0) if value else (0, 0)
    return 2, value


class Compiler:
    def __init__(self, root, out):
        self.root, self.out, self.catalog = root, out, Catalog(root)
        self.secret = secrets.token_bytes(32)
        self.entitlement, self.freshness = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.key_ids = {key: self.key_id(key) for key in (self.entitlement, self.freshness)}
        self.jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
        # Jinja2's own filter escapes for HTML, which is not wanted inside JSON files.
        self.jinja.filters["tojson"] = lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False)

    @staticmethod
    def key_id(key):
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        public = {"keytype": "ed25519", "keyval": {"public": raw.hex()}, "scheme": "ed25519"}
        return hashlib.sha256(canonical(public)).hexdigest()

    @functools.lru_cache(maxsize=None)
    def template(self, text):
        return self.jinja.from_string(text)

    def bundle(self, item):
        app_id, code, folder = item
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        return app_id, code, self.pack(files)

    def pack(self, files):
        """Writes an archive and gives what a manifest says of it."""
        tree = hashlib.blake2b(digest_size=32)
        for path, content in sorted(files.items()):
            tree.update(f"{len(path)}:{path}{len(content)}:".encode())
            tree.update(content)
        memory = BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path, content in sorted(files.items()):
                info = zipfile.ZipInfo(path)
                info.external_attr = 0o644 << 16
                archive.writestr(info, content, zipfile.ZIP_DEFLATED, 6)
        content, target = memory.getvalue(), tree.hexdigest()
        sha256 = hashlib.sha256(content).hexdigest()
        (self.out / "o" / f"{sha256}.{target}").write_bytes(content)
        return {"blake2": target, "length": len(content), "sha256": sha256, "target": target}

    def write_signed(self, path, role, key):
        signed = canonical(role)
        signature = {"keyid": self.key_ids[key], "sig": key.sign(signed).hex()}
        content = b'{"signatures":' + canonical([signature]) + b',"signed":' + signed + b"}"
        path.write_bytes(content)
        return {"hashes": {"sha256": hashlib.sha256(content).hexdigest()}, "length": len(content), "version": 1}

    def tenant(self, path):
        document = load_yaml(path)
        spec = document["spec"]
        tenant_id = spec["tenant_id"]
        digest = hashlib.blake2b(tenant_id.encode(), key=self.secret, digest_size=20).digest()
        addr = base64.b32encode(digest).decode().lower()
        line_up = LineUp(self.catalog, spec)
        sources = self.catalog.plan_chain(spec["plan"]) + [self.catalog.add_ons[name] for name in spec.get("add_ons", [])]
        rights, limits = {}, {}
        for source in sources:
            for key, value in source.get("entitlements", {}).items():
                rights[key] = max(rights.get(key, value), value, key=generosity)
            for key, value in source.get("limits", {}).items():
                limits[key] = max(limits.get(key, value), value)
        if "seats" in spec.get("license", {}):
            rights["seats"] = spec["license"]["seats"]
        files, programs = {}, []
        for app_id, ranges in sorted(line_up.programs().items()):
            program = self.program(document, line_up, sources, rights, app_id, ranges, files)
            if program is not None:
                programs.append(program)
        manifest = canonical(self.manifest(spec, addr, line_up, rights, limits, programs))
        self.write(spec, addr, manifest, files)
        return len(programs)

    def program(self, document, line_up, sources, rights, app_id, ranges, files):
        starts = [moment for moment in (line_up.valid_from, line_up.blocked.get(app_id)) if moment]
        until = line_up.until.get(app_id)
        if line_up.strategy == "revoke" and line_up.license_end:
            until = min(until or line_up.license_end, line_up.license_end)
        if starts and until and until <= max(starts):
            return None
        releases, newest = [], None
        for release in self.catalog.programs[app_id]:
            if release["code"] not in ranges:
                continue
            ext, overlay = self.settings(document, sources, rights, release)
            low, high = ranges[release["code"]]
            bounds = release["platform_version"]
            item = {
                "bundle": self.catalog.bundles[app_id, release["code"]],
                "platform_version": {"min_code": low, "max_code": high, "target_code": bounds["target_code"]},
                "version": release["version"],
            }
            files[item["bundle"]["target"]] = item["bundle"]
            if overlay:
                item["overlay"] = self.pack(overlay)
                files[item["overlay"]["target"]] = item["overlay"]
            newest = newest or (release, ext)
            releases.append(item)
        release, ext = newest
        program = {
            "app_id": app_id,
            "description": release.get("description"),
            "egress": release.get("egress", []),
            "ext": ext,
            "icons": release.get("icons", []),
            "name": release["name"],
            "pages": release["pages"],
            "preload": line_up.preload.get(app_id, True),
            "releases": releases,
            "req_permissions": release.get("req_permissions", []),
            "short_name": release.get("short_name"),
            "update_policy": release.get("update_policy", {"mode": "background"}),
            "version": release["version"],
            "window": release.get("window", {}),
        }
        if starts:
            program["valid_from"] = spelled(max(starts))
        if until:
            program["valid_until"] = spelled(until)
        return program

    def settings(self, document, sources, rights, release):
        metadata, spec = document["metadata"], document["spec"]
        context = {
            "tenant": {
                "tenant_id": spec["tenant_id"],
                "name": metadata["name"],
                "title": metadata.get("title"),
                "labels": metadata.get("labels", {}),
                "branding": spec.get("branding", {}),
            },
            "program": {"app_id": release["app_id"], "name": release["name"], "version": release["version"]},
            "entitlements": rights,
        }
        ext = self.rendered(release.get("ext", {}), context)
        for source in [*sources, spec]:
            ext = merge(ext, source.get("ext", {}).get(release["app_id"], {}))
        overlay = {
            path: self.template(text).render({**context, "ext": ext}).encode() for path, text in release["templates"]
        }
        return ext, overlay

    def rendered(self, value, context):
        if isinstance(value, str):
            return self.template(value).render(context) if "{{" in value or "{%" in value else value
        if isinstance(value, dict):
            return {key: self.rendered(item, context) for key, item in value.items()}
        if isinstance(value, list):
            return [self.rendered(item, context) for item in value]
        return value

    def manifest(self, spec, addr, line_up, rights, limits, programs):
        grace = self.catalog.project.get("defaults", {}).get("offline_grace", "P14D")
        if "compliance_profile" in spec:
            for rules in self.catalog.rules(spec["compliance_profile"]):
                grace = min(grace, rules.get("manifest", {}).get("offline_grace", grace), key=days)
        return {
            "addr": addr,
            "branding": spec.get("branding", {}),
            "entitlements": rights,
            "environment": "development",
            "expires": spelled(NOW + self.lifetime(spec)),
            "issued": spelled(NOW),
            "limits": limits,
            "mini_programs": programs,
            "offline": {"expiration_strategy": line_up.strategy, "grace": grace},
            "publication": 1,
            "revoked": [],
            "spec_version": "1.0.0",
            "tenant_id": spec["tenant_id"],
        }

    def lifetime(self, spec):
        lifetime = timedelta(days=30)
        if "compliance_profile" in spec:
            for rules in self.catalog.rules(spec["compliance_profile"]):
                if "max_ttl" in rules.get("manifest", {}):
                    lifetime = min(lifetime, days(rules["manifest"]["max_ttl"]))
        return lifetime

    def write(self, spec, addr, manifest, files):
        sha256 = hashlib.sha256(manifest).hexdigest()
        (self.out / "o" / f"{sha256}.{addr}.manifest.json").write_bytes(manifest)
        folder = self.out / "t" / addr
        folder.mkdir()
        targets = {
            target: {"hashes": {"sha256": file["sha256"]}, "length": file["length"]} for target, file in files.items()
        }
        targets[f"{addr}.manifest.json"] = {"hashes": {"sha256": sha256}, "length": len(manifest)}
        expires = spelled(NOW + self.lifetime(spec))
        frame = {
            "spec_version": SPEC_VERSION,
            "version": 1,
            "x-tenantry": {"addr": addr, "environment": "development"},
        }
        role = {"_type": "targets", "expires": expires, "targets": targets, **frame}
        meta = self.write_signed(folder / "1.targets.json", role, self.entitlement)
        role = {"_type": "snapshot", "expires": expires, "meta": {"targets.json": meta}, **frame}
        meta = self.write_signed(folder / "1.snapshot.json", role, self.entitlement)
        expires = spelled(NOW + min(timedelta(days=7), self.lifetime(spec)))
        role = {"_type": "timestamp", "expires": expires, "meta": {"snapshot.json": meta}, **frame}
        self.write_signed(folder / "timestamp.json", role, self.freshness)


# Workers are forked with the compiler in memory, so that no catalogue is sent or parsed twice.
compiler = None


def compile_tenant(path):
    return compiler.tenant(path)


def pack_bundle(item):
    return compiler.bundle(item)


def main():
    global compiler
    arguments = argparse.ArgumentParser(description="Compiles a project, by hand.")
    arguments.add_argument("project", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = arguments.parse_args()

    start = time.perf_counter()
    for folder in ("t", "o"):
        (arguments.out / folder).mkdir(parents=True)
    compiler = Compiler(arguments.project, arguments.out)
    packages = [
        (app_id, release["code"], release["folder"] / release["package"]["path"])
        for app_id, releases in compiler.catalog.programs.items()
        for release in releases
        if release["review"]["status"] in ("approved", "online")
    ]
    context = multiprocessing.get_context("fork")
    with context.Pool(arguments.workers) as pool:
        for app_id, code, bundle in pool.imap_unordered(pack_bundle, packages, chunksize=8):
            compiler.catalog.bundles[app_id, code] = bundle
    paths = sorted(arguments.project.glob("tenants/*/*.yaml"))
    with context.Pool(arguments.workers) as pool:
        programs = sum(pool.imap_unordered(compile_tenant, paths, chunksize=64))
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": round(seconds, 4), "tenants": len(paths), "programs": programs, "bundles": len(packages)}))


if __name__ == "__main__":
    main()
