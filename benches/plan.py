"""How long `tenantry plan` takes, against `tenantry check` of the same project.

    plan.py [--tenants N] [--programs P] [--turns T] [--folder DIR] [--no-build]

Builds the release binary, generates a project, commits it, and measures in turns: `check`, then `plan` after no edit,
after an edit of one tenant, of a plan that two other plans extend, and of the plan that all others extend, and then
`simulate` over a year. Each is paired with a `check` right before it. Prints the median of each in seconds on the
clock and in seconds of processors, and how many times the `check` beside it that is: the median over all pairs. On a
machine that others use, too, the processors' seconds say more. The same arguments make the same project.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--no-build", action="store_true", help="take the release binaries that are there")
    parser.add_argument("--folder", type=Path, default=None, help="where the project is made; a temporary folder else")
    return parser.parse_args()


def build(skip):
    command = ["cargo", "build", "--release", "--quiet", "--bin", "tenantry", "--example", "generate-project"]
    if not skip:
        subprocess.run(command, cwd=ROOT, check=True)
    target = ROOT / "target" / "release"
    return target / "tenantry", target / "examples" / "generate-project"


def git(folder, *words):
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def seconds(command, folder, codes=(0,)):
    """What a command takes on the clock and of processors, and what it prints."""
    before, began = os.times(), time.perf_counter()
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took, after = time.perf_counter() - began, os.times()
    if ran.returncode not in codes:
        sys.exit(f"{command} ended with {ran.returncode}:\n{ran.stderr}")
    spent = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return (took, spent), ran.stdout


def edits(folder):
    """Names of edits, each with its file and what is put in place of what."""
    tenant = sorted((folder / "tenants").glob("*/*.yaml"))[0]
    grant = "  mini_programs:\n"
    more = grant + "    - app_id: com.example.identity-190\n"
    return {
        "plan, nothing changed": None,
        "plan, one tenant changed": (tenant, "color_scheme: auto", "color_scheme: dark"),
        "plan, plan `business` changed": (folder / "catalog/plans/business.yaml", grant, more),
        "plan, plan `starter` changed": (folder / "catalog/plans/starter.yaml", grant, more),
    }


def main():
    args = arguments()
    tenantry, generate = build(args.no_build)
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        shape = ["--tenants", str(args.tenants), "--programs", str(args.programs)]
        subprocess.run([generate, *shape, folder], check=True, capture_output=True)
        git(folder, "init")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "all")
        at = ["--at", "2026-11-23"]
        took = {"check": []}
        ratios = {}
        said = {}

        def pair(what, command, codes):
            """The command right behind a `check`, so that both meet the same machine."""
            check = seconds([tenantry, "check", *at], folder)[0]
            spent, out = seconds(command, folder, codes)
            took["check"].append(check)
            took.setdefault(what, []).append(spent)
            ratios.setdefault(what, []).append((spent[0] / check[0], spent[1] / check[1]))
            return out

        for _ in range(args.turns):
            for what, edit in edits(folder).items():
                if edit:
                    path, old, new = edit
                    text = path.read_text()
                    assert old in text, f"{old!r} is not in {path}"
                    path.write_text(text.replace(old, new, 1))
                out = pair(what, [tenantry, "plan", "main", *at], (0, 6))
                said[what] = next(line for line in out.splitlines() if line.startswith("Plan: "))
                if edit:
                    path.write_text(text)
            year = ["--from", "2026-11-23", "--to", "2027-11-23"]
            out = pair("simulate, a year", [tenantry, "simulate", *year], (0,))
            said["simulate, a year"] = out.splitlines()[-1]
    print(f"{args.tenants:,} tenants, {args.programs} programs, median of {args.turns}")
    for what, turns in took.items():
        clock, spent = ([turn[at] for turn in turns] for at in (0, 1))
        spread = f"{min(clock):.2f}–{max(clock):.2f}"
        times = [statistics.median(pair[at] for pair in ratios.get(what, [(1, 1)])) for at in (0, 1)]
        print(
            f"{what:32} {statistics.median(clock):6.2f} s ({spread})  processors {statistics.median(spent):6.2f} s  "
            f"{times[0]:5.2f} × check, processors {times[1]:5.2f} ×  {said.get(what, '')}"
        )


main()
