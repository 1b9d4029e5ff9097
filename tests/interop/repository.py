"""A repository made by python-tuf, with a key of every kind that TUF names, for a client that is not python-tuf.

usage: repository.py FOLDER

Writes FOLDER/metadata and FOLDER/targets. Root 1 leads to root 2. Targets delegate to `old-style`, by a hash prefix,
and then to `others`, which delegates to four roles that share out files by hash (TAP 15).
"""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

EXPIRES = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
COMPACT = JSONSerializer(compact=True)


def main(folder: str) -> None:
    metadata, targets_dir = Path(folder) / "metadata", Path(folder) / "targets"
    metadata.mkdir()
    targets_dir.mkdir()
    rsa = CryptoSigner.generate_rsa()
    ecdsa, other_ecdsa = CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa()
    ed25519, other_ed25519 = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    pkcs1 = CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha256")
    written: dict[str, Metadata] = {}

    def write(name: str, signed: object, *signers: CryptoSigner) -> MetaFile:
        md = Metadata(signed)
        for signer in signers:
            md.sign(signer, append=True)
        data = md.to_bytes(COMPACT)
        (metadata / name).write_bytes(data)
        written[name] = md
        return MetaFile.from_data(signed.version, data, ["sha256", "sha512"])

    def target(role: Targets, name: str) -> None:
        data = f"contents of {name}".encode()
        file = TargetFile.from_data(name, data, ["sha512"])
        role.targets[name] = file
        (targets_dir / f"{file.hashes['sha512']}.{name}").write_bytes(data)

    # Files are shared out by the hash of their name.
    bins = SuccinctRoles([], 1, 2, "bin")
    roles = {name: Targets(expires=EXPIRES) for name in bins.get_roles()}
    for name in ("bin-file-1", "bin-file-8"):
        target(roles[bins.get_role_for_target(name)], name)
    old_style = Targets(expires=EXPIRES)
    target(old_style, "old-style.txt")

    targets = Targets(expires=EXPIRES)
    target(targets, "top.txt")
    prefixes = DelegatedRole("old-style", [], 1, False, None, ["3"])
    rest = DelegatedRole("others", [], 2, True, ["*"])
    targets.delegations = Delegations({}, roles={"old-style": prefixes, "others": rest})
    targets.add_key(pkcs1.public_key, "old-style")
    targets.add_key(rsa.public_key, "others")
    targets.add_key(ed25519.public_key, "others")
    others = Targets(expires=EXPIRES)
    others.delegations = Delegations({}, succinct_roles=bins)
    others.add_key(other_ecdsa.public_key)

    snapshot = Snapshot(expires=EXPIRES)
    for name, role in roles.items():
        snapshot.meta[f"{name}.json"] = write(f"1.{name}.json", role, other_ecdsa)
    snapshot.meta["old-style.json"] = write("1.old-style.json", old_style, pkcs1)
    snapshot.meta["others.json"] = write("1.others.json", others, rsa, ed25519)
    snapshot.meta["targets.json"] = write("1.targets.json", targets, rsa)
    timestamp = Timestamp(expires=EXPIRES)
    timestamp.snapshot_meta = write("1.snapshot.json", snapshot, ecdsa)
    write("timestamp.json", timestamp, ed25519)

    root = Root(expires=EXPIRES)
    for role, signer in (("root", rsa), ("root", ecdsa), ("targets", rsa), ("snapshot", ecdsa), ("timestamp", ed25519)):
        root.add_key(signer.public_key, role)
    root.roles["root"].threshold = 2
    write("1.root.json", root, rsa, ecdsa)
    root.version = 2
    root.revoke_key(ecdsa.public_key.keyid, "root")
    root.add_key(other_ed25519.public_key, "root")
    write("2.root.json", root, rsa, ecdsa, other_ed25519)


if __name__ == "__main__":
    main(*sys.argv[1:])
