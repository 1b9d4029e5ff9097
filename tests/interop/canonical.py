"""Whether files of metadata are canonical JSON, as securesystemslib writes it.

usage: canonical.py FILE...

Prints how many files it compared. The whole file is compared, so the signed part inside it is too;
and every key of a root must be named by the digest of its canonical form.
"""

import hashlib
import json
import sys
from pathlib import Path

from securesystemslib.formats import encode_canonical


def main(*paths: str) -> None:
    for path in paths:
        written = Path(path).read_bytes()
        parsed = json.loads(written)
        if encode_canonical(parsed).encode() != written:
            sys.exit(f"{path} is not canonical")
        for keyid, key in parsed["signed"].get("keys", {}).items():
            if hashlib.sha256(encode_canonical(key).encode()).hexdigest() != keyid:
                sys.exit(f"{path}: key {keyid} has another id")
    print(len(paths))


if __name__ == "__main__":
    main(*sys.argv[1:])
