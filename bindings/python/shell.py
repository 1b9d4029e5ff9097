"""A shell, as small as it can be: starts what a tenant may run, and brings it up to date.

    shell.py FOLDER URL ADDR ROOT start|refresh [SECONDS]

`tests/bindings.rs` runs it, `Shell.kt` says the same in Kotlin, and the samples of README.md stand here.
"""

import pathlib
import sys

from tenantry_client import Activated, Client, ClientError, Config, Freshness, system_clock


def open_client(folder, url, addr, root):
    """Opens the folder; nothing is fetched."""
    trusted_root = pathlib.Path(root).read_bytes()
    config = Config(dir=folder, base_url=url, addr=addr, trusted_root=trusted_root, platform_code=12)
    return Client.open(config)


def start(client, now):
    """What may run, from the disk alone."""
    start = client.start(now)
    print("start", start.publication or "-", freshness(start))
    for program in start.runnable():
        page = find(program, program.pages[0])
        print("runs", program.app_id, program.version.name, page.stat().st_size)
    for program in start.programs:
        if not program.verdict.is_runs():
            print("stays", program.app_id)
    if start.set is not None:
        client.confirm_start()  # the shell is up with it


def find(program, path):
    """A file of a program: the tenant's own, where it has one."""
    folders = [program.overlay, program.folder] if program.overlay else [program.folder]
    return next(file for folder in folders if (file := pathlib.Path(folder, path)).exists())


def refresh(client, now):
    """What is new; the next start takes it."""
    update = client.refresh(now)
    print("refresh", update.publication)
    for program in update.gained:
        print("gained", program.app_id, program.version)
    for program in update.lost:
        print("lost", program.app_id, program.version)
    for program in update.changed:
        print("changed", program.app_id, program.old.name, program.new.name)
    if update.staged is not None:
        if isinstance(client.activate(), Activated.SWITCHED):
            print("activated")


def freshness(start):
    """One word for how fresh is what is known."""
    words = {
        Freshness.UNKNOWN: "unknown",
        Freshness.FRESH: "fresh",
        Freshness.GRACE: "grace",
        Freshness.OVER: "over",
    }
    return next(word for kind, word in words.items() if isinstance(start.freshness, kind))


def main(folder, url, addr, root, command, seconds=None):
    now = int(seconds) if seconds else system_clock()
    try:
        client = open_client(folder, url, addr, root)
        {"start": start, "refresh": refresh}[command](client, now)
    except ClientError.Failed as error:
        # The code is for programs, the rest for a log. What was installed is still there, and still starts.
        print("failed", error.code, error.retry.name.lower(), error.kept.publication or "-")
        print(error.what, error.help, sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
