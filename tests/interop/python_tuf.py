"""The stock python-tuf client over every tenant that it is given.

usage: python_tuf.py BASE_URL ROOT_FILE STATE_DIR ADDR...

Prints one line of JSON a tenant: {"addr": …, "targets": how many were verified, "bytes": of all of them}.
What is in STATE_DIR from an earlier run is used again, as a device would.
"""

import hashlib
import json
import sys
from pathlib import Path

from tuf.ngclient import Updater


def main(base_url: str, root_file: str, state_dir: str, *addrs: str) -> None:
    root = Path(root_file).read_bytes()
    for addr in addrs:
        print(json.dumps(follow(base_url, root, Path(state_dir) / addr, addr)), flush=True)


def follow(base_url: str, root: bytes, state: Path, addr: str) -> dict:
    metadata, targets = state / "metadata", state / "targets"
    metadata.mkdir(parents=True, exist_ok=True)
    targets.mkdir(exist_ok=True)
    updater = Updater(
        metadata_dir=str(metadata),
        metadata_base_url=f"{base_url}/t/{addr}/",
        target_dir=str(targets),
        target_base_url=f"{base_url}/o/",
        bootstrap=root,
    )
    updater.refresh()

    manifest = fetch(updater, f"{addr}.manifest.json")
    files = archives(json.loads(manifest))
    for name, file in files.items():
        data = fetch(updater, name)
        # The client has compared it with targets.json; the manifest must say the same.
        assert len(data) == file["length"], f"{name}: {len(data)} bytes, the manifest says {file['length']}"
        assert hashlib.sha256(data).hexdigest() == file["sha256"], f"{name}: not the manifest's digest"
    total = len(manifest) + sum(file["length"] for file in files.values())
    return {"addr": addr, "targets": 1 + len(files), "bytes": total}


def fetch(updater: Updater, name: str) -> bytes:
    info = updater.get_targetinfo(name)
    assert info is not None, f"{name} is not a target"
    return Path(updater.find_cached_target(info) or updater.download_target(info)).read_bytes()


def archives(manifest: dict) -> dict:
    """Every bundle and overlay that the manifest names, by its name among the targets."""
    releases = [release for program in manifest["mini_programs"] for release in program["releases"]]
    files = [release[kind] for release in releases for kind in ("bundle", "overlay") if kind in release]
    return {file["target"]: file for file in files}


if __name__ == "__main__":
    main(*sys.argv[1:])
