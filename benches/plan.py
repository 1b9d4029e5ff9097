"""How long `tenantry plan` takes, against `tenantry check` of the same project.

    plan.py [--tenants N] [--programs P] [--turns T] [--folder DIR]

Builds the release binary, generates a project, commits it, and measures in turns: `check`, then `plan` after no edit,
after an edit of one tenant, of a plan that two other plans extend, and of the plan that all others extend. Prints
the median of each in seconds, and how many times `check` it takes. The same arguments make the same project.
"""

import argparse
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
    parser.add_argument("--folder", type=Path, default=None, help="where the project is made; a temporary folder else")
    return parser.parse_args()


def build():
    command = ["cargo", "build", "--release", "--quiet", "--bin", "tenantry", "--example", "generate-project"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = ROOT / "target" / "release"
    return target / "tenantry", target / "examples" / "generate-project"


def git(folder, *words):
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def seconds(command, folder, codes=(0,)):
    began = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - began
    if ran.returncode not in codes:
        sys.exit(f"{command} ended with {ran.returncode}:\n{ran.stderr}")
    return took, ran.stdout


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
    tenantry, generate = build()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        shape = ["--tenants", str(args.tenants), "--programs", str(args.programs)]
        subprocess.run([generate, *shape, folder], check=True, capture_output=True)
        git(folder, "init")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "all")
        at = ["--at", "2026-11-23"]
        took = {"check": []}
        said = {}
        for _ in range(args.turns):
            took["check"].append(seconds([tenantry, "check", *at], folder)[0])
            for what, edit in edits(folder).items():
                if edit:
                    path, old, new = edit
                    text = path.read_text()
                    assert old in text, f"{old!r} is not in {path}"
                    path.write_text(text.replace(old, new, 1))
                spent, out = seconds([tenantry, "plan", "main", *at], folder, (0, 6))
                took.setdefault(what, []).append(spent)
                said[what] = next(line for line in out.splitlines() if line.startswith("Plan: "))
                if edit:
                    path.write_text(text)
    check = statistics.median(took["check"])
    print(f"{args.tenants:,} tenants, {args.programs} programs, median of {args.turns}")
    for what, all_turns in took.items():
        median = statistics.median(all_turns)
        spread = f"{min(all_turns):.2f}–{max(all_turns):.2f}"
        print(f"{what:32} {median:6.2f} s ({spread})  {median / check:5.2f} × check  {said.get(what, '')}")


main()
