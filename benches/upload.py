#!/usr/bin/env python3
"""Measures `tenantry publish` against tools that copy a folder into a bucket, in one run on one machine.

    benches/upload.py                           # about 10,000 objects; about a quarter of an hour
    benches/upload.py --objects 200 --runs 1 --binary target/debug/tenantry --no-docs

Generates a project, compiles it, and has every tool that is at hand (rclone, `aws s3 sync`, s3cmd) upload what was
compiled to one SeaweedFS on loopback, each to prefixes of its own, and then once more, when there is nothing to do.
Tools take turns, so that a slow minute of the machine hits all of them alike. What arrived is counted each time.
Writes a table into docs/performance.md. SeaweedFS comes from `.ci/parts`; rclone and s3cmd are Debian's; awscli is
installed into a virtual environment below target/ where there is none.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import venv
from collections import Counter
from pathlib import Path

from compare import ROOT, TARGET, machine, spelled

VENV = TARGET / "upload-venv"
BEGIN, END = "<!-- uploaded: begin -->", "<!-- uploaded: end -->"
# A tenant has a timestamp, a snapshot, targets and a manifest; bundles and overlays come on top.
OBJECTS_OF_A_TENANT = 4
AT_ONCE = 64
BUCKET = "bench"
KEY, SECRET = "BENCHKEY0123456789", "bench-secret-0123456789abcdef"
PATIENCE = 60


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--objects", type=int, default=10_000, help="about how many objects")
    arguments.add_argument("--runs", type=int, default=5, help="turns")
    arguments.add_argument("--programs", type=int, default=200)
    arguments.add_argument("--binary", type=Path, help="this `tenantry`, examples beside it; built when left out")
    arguments.add_argument("--temp", help="where everything is written; the system's folder by default")
    arguments.add_argument("--save", type=Path, default=TARGET / "upload.json", help="where single runs are written")
    arguments.add_argument("--no-docs", action="store_true", help="print the table and leave docs/ alone")
    arguments = arguments.parse_args()

    binary = (arguments.binary or built()).resolve()
    folder = tempfile.TemporaryDirectory(prefix="tenantry-upload-", dir=arguments.temp)
    with folder as temp, Server(Path(temp)) as server:
        facts = machine(Path(temp))
        project = Project(Path(temp) / "project", binary, server, arguments)
        tools = at_hand(project, server, Path(temp))
        results = {name: {"upload": [], "again": []} for name in tools}
        for turn in range(arguments.runs):
            # Nobody is always the first, nor always behind the same other one.
            names = list(tools)[turn % len(tools) :] + list(tools)[: turn % len(tools)]
            for name in names:
                results[name]["upload"].append(measured(server, tools[name], turn))
                project.has_arrived(server, name, turn)
                results[name]["again"].append(measured(server, tools[name], turn))
                print(f"turn {turn + 1} of {arguments.runs}: {name} done", file=sys.stderr)
            arguments.save.write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n")
        text = table(facts, results, project)
    print(text)
    if not arguments.no_docs:
        page = ROOT / "docs/performance.md"
        before, rest = page.read_text().split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}")


def built():
    subprocess.run(["cargo", "build", "--release", "--bins", "--examples"], cwd=ROOT, check=True)
    return TARGET / "release/tenantry"


class Server:
    """A SeaweedFS of its own, on free ports, in which everybody may do everything."""

    def __init__(self, temp):
        self.folder = temp / "server"
        self.port, self.metrics = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        program = TARGET / "parts/venv/bin/weed"
        if not program.exists():
            sys.exit("SeaweedFS is missing; `.ci/parts` installs it")
        (self.folder / "data").mkdir(parents=True)
        everything = ["Admin", "Read", "List", "Tagging", "Write"]
        known = {"name": "bench", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": everything}
        identities = {"identities": [known, {"name": "anonymous", "actions": everything}]}
        (self.folder / "s3.json").write_text(json.dumps(identities))
        command = [
            program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.config=s3.json",
            f"-master.port={free_port()}", f"-volume.port={free_port()}", f"-filer.port={free_port()}",
            f"-s3.port={self.port}", f"-metricsPort={self.metrics}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-dir=data", "-master.telemetry=false", "-volume.max=500", "-master.volumeSizeLimitMB=256",
        ]  # fmt: skip
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=self.log, stderr=self.log)
        began = time.monotonic()
        while not self.has_bucket():
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE:
                self.__exit__()
                sys.exit(f"SeaweedFS does not come up: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def has_bucket(self):
        try:
            request = urllib.request.Request(f"{self.endpoint}/{BUCKET}", method="PUT")
            return opened(request).status == 200
        except OSError:
            return False

    def requests(self):
        """How many it has answered so far, by their kind."""
        text = opened(f"http://127.0.0.1:{self.metrics}/metrics").read().decode()
        found = Counter()
        for line in text.splitlines():
            if line.startswith("SeaweedFS_s3_request_total{"):
                kind = re.search(r'type="([^"]*)"', line)
                found[kind.group(1) if kind else "other"] += int(float(line.rsplit(" ", 1)[1]))
        return found

    def keys(self, prefix):
        found, after = [], ""
        while True:
            query = urllib.parse.urlencode({"list-type": 2, "prefix": prefix, "start-after": after})
            page = re.findall(r"<Key>([^<]*)</Key>", opened(f"{self.endpoint}/{BUCKET}?{query}").read().decode())
            if not page:
                return [key.removeprefix(prefix) for key in found]
            found += page
            after = page[-1]


def opened(request):
    """Without the proxy that the surroundings may name."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30)


def free_port():
    """One whose companion, ten thousand higher, is free too: SeaweedFS takes both."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 10_000))
                return port
            except (OSError, OverflowError):
                continue


class Project:
    """A generated project, compiled, with a store for each turn."""

    def __init__(self, folder, binary, server, arguments):
        self.folder, self.binary = folder, binary
        self.tenants = max(arguments.objects // OBJECTS_OF_A_TENANT, 1)
        generator = binary.parent / "examples/generate-project"
        run([generator, "--tenants", str(self.tenants), "--programs", str(arguments.programs), folder])
        for path in folder.glob("tenants/**/*.yaml"):
            # One store takes all tenants.
            path.write_text(re.sub(r"^  data_region: .*\n", "", path.read_text(), flags=re.MULTILINE))
        stores = "".join(
            f"    - {{ name: turn-{turn}, s3: {{ bucket: {BUCKET}, prefix: {prefix('tenantry', turn)}, "
            f'endpoint: "{server.endpoint}" }} }}\n'
            for turn in range(arguments.runs)
        )
        page = folder / "tenantry.yaml"
        page.write_text(page.read_text().replace("\nspec:\n", f"\nspec:\n  stores:\n{stores}", 1))
        run([binary, "keys", "init", "--environment", "benchmark"], cwd=folder)
        run([binary, "compile"], cwd=folder)
        self.out = folder / "out"
        files = [path for path in self.out.rglob("*") if path.is_file()]
        shown = [path for path in files if path.relative_to(self.out).parts[0] != "state"]
        self.keys = sorted(str(path.relative_to(self.out)) for path in shown)
        self.bytes = sum(path.stat().st_size for path in shown)

    def has_arrived(self, server, name, turn):
        found = sorted(key for key in server.keys(prefix(name, turn)) if not key.startswith("state/"))
        if found != self.keys:
            sys.exit(f"{name} left {len(found)} of {len(self.keys)} objects")


def prefix(name, turn):
    return f"{name.split()[0]}-{turn}/"


def at_hand(project, server, temp):
    """Every tool that is here, each a function from a turn to a command with its folder and its variables."""
    makers = {"tenantry": tenantry, "rclone": rclone, "aws s3 sync": aws, "s3cmd sync": s3cmd}
    made = {name: maker(project, server, temp) for name, maker in makers.items()}
    for name in [name for name, tool in made.items() if tool is None]:
        print(f"{name} is not installed and is left out", file=sys.stderr)
    return {name: tool for name, tool in made.items() if tool is not None}


def surroundings(temp, **more):
    """Nothing of the caller's; above all no `AWS_CA_BUNDLE`, with which Debian's rclone does not start."""
    return {"PATH": os.environ["PATH"], "HOME": str(temp), **more}


def login(temp, **more):
    return surroundings(temp, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, **more)


def place(name, turn):
    return f"{BUCKET}/{prefix(name, turn)}"


# What stands below `state/` is tenantry's own record, so nobody else uploads it.


def tenantry(project, _, temp):
    variables = login(temp)
    return lambda turn: ([project.binary, "publish", "--store", f"turn-{turn}"], project.folder, variables)


def rclone(project, server, temp):
    program, config = shutil.which("rclone"), temp / "rclone.conf"
    if program is None:
        return None
    config.touch()
    flags = [
        "--s3-provider", "Other", "--s3-endpoint", server.endpoint, "--s3-access-key-id", KEY,
        "--s3-secret-access-key", SECRET, "--s3-region", "us-east-1", "--s3-force-path-style", "--s3-no-check-bucket",
        "--s3-no-head", "--transfers", str(AT_ONCE), "--checkers", str(AT_ONCE), "--exclude", "/state/**",
        # It would have to ask for its own modification times, one by one.
        "--checksum", "--config", config, "--quiet",
    ]  # fmt: skip
    variables = surroundings(temp)
    return lambda turn: ([program, "copy", project.out, f":s3:{place('rclone', turn)}", *flags], temp, variables)


def aws(project, server, temp):
    program, config = shutil.which("aws") or installed("awscli", "aws"), temp / "aws.conf"
    config.write_text(
        "[default]\nregion = us-east-1\nrequest_checksum_calculation = when_required\n"
        "response_checksum_validation = when_required\n"
        f"s3 =\n  max_concurrent_requests = {AT_ONCE}\n  addressing_style = path\n"
    )
    flags = ["--endpoint-url", server.endpoint, "--exclude", "state/*", "--only-show-errors"]
    variables = login(temp, AWS_CONFIG_FILE=str(config))
    return lambda turn: ([program, "s3", "sync", project.out, f"s3://{place('aws', turn)}", *flags], temp, variables)


def s3cmd(project, server, temp):
    program, config = shutil.which("s3cmd"), temp / "s3cmd.conf"
    if program is None:
        return None
    config.write_text(f"[default]\naccess_key = {KEY}\nsecret_key = {SECRET}\n")
    host = f"127.0.0.1:{server.port}"
    flags = ["--config", config, "--no-ssl", f"--host={host}", f"--host-bucket={host}", "--region=us-east-1"]
    flags += ["--exclude", "state/*", "--quiet"]
    variables = surroundings(temp)
    return lambda turn: ([program, *flags, "sync", f"{project.out}/", f"s3://{place('s3cmd', turn)}"], temp, variables)


def installed(package, program):
    if not (VENV / "bin" / program).exists():
        venv.create(VENV, with_pip=True)
        subprocess.run([VENV / "bin/pip", "install", "--quiet", package], check=True)
    return VENV / "bin" / program


def run(command, cwd=None, variables=None):
    ended = subprocess.run(command, cwd=cwd, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {ended.stderr.decode()[-2000:]}")


def measured(server, tool, turn):
    """What one run cost, and what it asked of the server."""
    command, folder, variables = tool(turn)
    os.sync()
    before = server.requests()
    used = os.times()
    start = time.perf_counter()
    run(command, folder, variables)
    seconds = time.perf_counter() - start
    now = os.times()
    processor = now.children_user + now.children_system - used.children_user - used.children_system
    return {"seconds": seconds, "processor": processor, "requests": dict(server.requests() - before)}


def median(found, kind, what="seconds"):
    return statistics.median(run[what] for run in found[kind])


def requests(found, kind):
    return statistics.median(sum(run["requests"].values()) for run in found[kind])


def table(facts, results, project):
    def cell(found, kind):
        seconds = [run["seconds"] for run in found[kind]]
        spread = f" ({spelled(min(seconds))}–{spelled(max(seconds))})" if len(seconds) > 1 else ""
        return spelled(statistics.median(seconds)) + spread

    first = results["tenantry"]
    lines = [
        f"{facts['cores']} cores ({facts['model']}), {facts['memory_gib']} GiB, {facts['filesystem']}, {facts['date']}. "
        f"{project.tenants:,} tenants: {len(project.keys):,} objects of {project.bytes / 1e6:.0f} MB, to a SeaweedFS on "
        f"the same machine. Seconds on the clock: the median of {len(first['upload'])} turns, and in brackets the lowest "
        "and the highest.",
        "",
        "| | upload | objects a second | times tenantry | processor seconds | requests | nothing to do | requests |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, found in results.items():
        title = "`tenantry publish`" if name == "tenantry" else f"`{name}`" if " " in name else name
        cells = [
            cell(found, "upload"),
            f"{len(project.keys) / median(found, 'upload'):,.0f}",
            f"{median(found, 'upload') / median(first, 'upload'):.2f}",
            spelled(median(found, "upload", "processor")),
            f"{requests(found, 'upload'):,.0f}",
            cell(found, "again"),
            f"{requests(found, 'again'):,.0f}",
        ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
