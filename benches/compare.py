#!/usr/bin/env python3
"""Measures `tenantry compile` against the floor and against a pipeline written by hand, in one run on one machine.

    benches/compare.py                          # 1,000, 10,000 and 100,000 tenants; about half an hour
    benches/compare.py --sizes 1000 --runs 3

Builds the release binary and the examples, generates projects, and writes a table into docs/performance.md and a plot
to docs/performance.svg. Needs cargo and Python; what else it needs it installs into a virtual environment below
target/. Runs of different kinds take turns, so that a slow minute of the machine hits all of them alike.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
VENV = TARGET / "bench-venv"
PACKAGES = ["PyYAML", "cryptography", "Jinja2", "matplotlib"]
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
# The plan that is edited; with the plans that extend it, 24 % of all tenants have it.
PLAN = "catalog/plans/business.yaml"

KINDS = {
    "floor": "floor: the same files signed and written, nothing else",
    "cold": "`compile`, nothing there before",
    "unchanged": "`compile`, nothing changed",
    "tenant": "`compile`, one tenant changed",
    "plan": "`compile`, one plan changed",
    "python": "the same work by hand, in Python",
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", default="1000,10000,100000", help="numbers of tenants")
    arguments.add_argument("--runs", type=int, default=5, help="runs of each kind; three from 50,000 tenants on")
    arguments.add_argument("--programs", type=int, default=200)
    arguments.add_argument("--temp", help="where projects and publications are written; the system's folder by default")
    arguments.add_argument("--save", type=Path, default=TARGET / "compare.json", help="where single runs are written")
    arguments.add_argument("--no-docs", action="store_true", help="print the table and leave docs/ alone")
    arguments = arguments.parse_args()

    prepare()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="tenantry-bench-", dir=arguments.temp) as temp:
        facts = machine(Path(temp))
        bench = Bench(Path(temp), arguments.programs)
        results = {}
        for size in sizes:
            results[size] = bench.size(size, arguments.runs if size < 50_000 else min(arguments.runs, 3))
            arguments.save.write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n")
        print("done; taking everything away again", file=sys.stderr)
    text = table(facts, results, arguments.programs)
    print(text)
    if not arguments.no_docs:
        page = ROOT / "docs/performance.md"
        before, rest = page.read_text().split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}")
        subprocess.run([VENV / "bin/python", __file__, "--plot", arguments.save, ROOT / "docs/performance.svg"], check=True)


def prepare():
    subprocess.run(["cargo", "build", "--release", "--bins", "--examples"], cwd=ROOT, check=True)
    if not (VENV / "bin/python").exists():
        venv.create(VENV, with_pip=True)
        subprocess.run([VENV / "bin/pip", "install", "--quiet", *PACKAGES], check=True)


class Bench:
    def __init__(self, temp, programs):
        self.temp, self.programs = temp, programs
        self.binary = TARGET / "release/tenantry"
        self.keys = temp / "keys"
        self.run([self.binary, "keys", "--keys", self.keys, "init", "--environment", "benchmark"])

    @staticmethod
    def run(command):
        """What it cost, and what it printed."""
        # Nobody should have to wait for what the one before has left to write.
        os.sync()
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(str(part) for part in command)} failed")
        cost = {"seconds": seconds, "processor": usage.ru_utime + usage.ru_stime, "peak_kib": usage.ru_maxrss}
        return cost, output

    def size(self, tenants, runs):
        """Nothing is deleted before the end: some file systems are slow to make files where others have just gone."""
        project = self.temp / f"project-{tenants}"
        generator = TARGET / "release/examples/generate-project"
        self.run([generator, "--tenants", str(tenants), "--programs", str(self.programs), project])
        found = {kind: [] for kind in KINDS}
        for turn in range(runs):
            out = self.temp / f"out-{tenants}-{turn}"
            cost, summary = self.compile(project, out, tenants, changed=tenants)
            found["cold"].append(cost)
            found["entitlements"] = summary["entitlements"]
            found["floor"].append(self.floor(out, self.temp / f"floor-{tenants}-{turn}"))
            if tenants <= 10_000 or turn == 0:
                found["python"].append(self.python(project, self.temp / f"python-{tenants}-{turn}", summary["entitlements"]))
            self.say(tenants, turn, runs, "from nothing")
        found["out_bytes"] = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        tenant = next(iter(sorted(project.glob("tenants/*/*.yaml"))))
        grant = f"  mini_programs:\n    - app_id: {self.program_by_exception(project)}\n"
        for turn in range(runs):
            found["unchanged"].append(self.compile(project, out, tenants, changed=0)[0])
            with edited(tenant, "  color_scheme: auto", "  color_scheme: dark"):
                found["tenant"].append(self.compile(project, out, tenants, changed=1)[0])
            self.compile(project, out, tenants, changed=1)
            with edited(project / PLAN, "  mini_programs:\n", grant):
                cost, summary = self.compile(project, out, tenants)
            found["plan"].append(cost)
            found["changed_by_plan"] = summary["changed"]
            self.compile(project, out, tenants, changed=summary["changed"])
            self.say(tenants, turn, runs, "with changes")
        return found

    @staticmethod
    def say(tenants, turn, runs, what):
        print(f"{tenants:,} tenants, {what}: turn {turn + 1} of {runs} done", file=sys.stderr)

    @staticmethod
    def program_by_exception(project):
        """A program that no plan has."""
        return sorted(path.name for path in (project / "catalog/programs").iterdir())[-1]

    def compile(self, project, out, tenants, changed=None):
        command = [self.binary, "compile", "--project", project, "--out", out, "--keys", self.keys, "--format", "json"]
        cost, output = self.run(command)
        summary = json.loads(output)["summary"]
        if summary["tenants"] != tenants or (changed is not None and summary["changed"] != changed):
            sys.exit(f"{changed} of {tenants} tenants should have changed: {summary}")
        return cost, summary

    def floor(self, out, fresh):
        cost, output = self.run([TARGET / "release/examples/floor", "--keys", self.keys, out, fresh])
        # It reads everything before its own clocks start.
        return {**cost, **{name: json.loads(output)[name] for name in ("seconds", "processor")}}

    def python(self, project, out, entitlements):
        cost, output = self.run([VENV / "bin/python", ROOT / "benches/pipeline.py", project, out])
        if json.loads(output)["programs"] != entitlements:
            sys.exit(f"the two do not decide alike: {entitlements} entitlements, and by hand {output.decode()}")
        return cost


class edited:
    """A file with another text in it for a while."""

    def __init__(self, path, old, new):
        self.path, self.old, self.new = path, old, new

    def __enter__(self):
        self.before = self.path.read_text()
        if self.old not in self.before:
            sys.exit(f"{self.path.name} is not as the generator writes it")
        self.path.write_text(self.before.replace(self.old, self.new, 1))

    def __exit__(self, *_):
        self.path.write_text(self.before)


def machine(temp):
    models = [line.split(":")[1].strip() for line in read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    memory = next((int(line.split()[1]) for line in read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), 0)
    mounts = [line.split()[1:3] for line in read("/proc/mounts").splitlines()]
    inside = [(point, kind) for point, kind in mounts if str(temp).startswith(point)]
    return {
        "cores": os.cpu_count(),
        "model": models[0] if models else platform.machine(),
        "memory_gib": round(memory / 2**20),
        "system": platform.system(),
        "filesystem": max(inside, default=("", "unknown"))[1],
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def median(found, kind, what="seconds"):
    return statistics.median(run[what] for run in found[kind])


def table(facts, results, programs):
    lines = [
        f"{facts['cores']} cores ({facts['model']}), {facts['memory_gib']} GiB, {facts['filesystem']}, "
        f"Python {facts['python']}, {facts['date']}. {programs} programs. Seconds on the clock: the median, and in "
        "brackets the lowest and the highest.",
        "",
        "| | " + " | ".join(f"{size:,} tenants" for size in results) + " |",
        "| --- |" + " ---: |" * len(results),
    ]
    for kind, title in KINDS.items():
        cells = []
        for found in results.values():
            seconds = [run["seconds"] for run in found[kind]]
            cell = spelled(statistics.median(seconds))
            if len(seconds) > 1:
                cell += f" ({spelled(min(seconds))}–{spelled(max(seconds))})"
            cells.append(cell)
        lines.append(f"| {title} | " + " | ".join(cells) + " |")

    def row(title, cell):
        lines.append(f"| {title} | " + " | ".join(cell(size, found) for size, found in results.items()) + " |")

    row("cold, times the floor", lambda _, it: f"{median(it, 'cold') / median(it, 'floor'):.2f}")
    row("Python, times cold", lambda _, it: f"{median(it, 'python') / median(it, 'cold'):.1f}")
    row("unchanged, share of cold", lambda _, it: f"{median(it, 'unchanged') / median(it, 'cold'):.1%}")
    row("one tenant, share of cold", lambda _, it: f"{median(it, 'tenant') / median(it, 'cold'):.1%}")
    row("one plan, share of cold", lambda _, it: f"{median(it, 'plan') / median(it, 'cold'):.1%}")
    row("tenants whose files the plan changes", lambda size, it: f"{it['changed_by_plan'] / size:.0%}")
    row("cold, for each tenant", lambda size, it: f"{median(it, 'cold') / size * 1e6:.0f} µs")
    for kind, title in (("cold", "cold"), ("floor", "floor"), ("python", "Python")):
        row(f"processor seconds, {title}", lambda _, it, kind=kind: spelled(median(it, kind, "processor")))
    for kind, title in (("cold", "cold"), ("unchanged", "unchanged"), ("plan", "one plan")):
        row(f"peak memory, {title}", lambda _, it, kind=kind: f"{max(run['peak_kib'] for run in it[kind]) / 1024:.0f} MiB")
    row("entitlements for each tenant", lambda size, it: f"{it['entitlements'] / size:.1f}")
    row("bytes written, cold", lambda _, it: f"{it['out_bytes'] / 1e6:.0f} MB")
    return "\n".join(lines) + "\n"


def spelled(seconds):
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.2f}" if seconds < 100 else f"{seconds:.0f}"


def plot(source, target):
    import matplotlib

    matplotlib.use("svg")
    # Text stays text, and the same figures give the same bytes.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tenantry", "font.family": "sans-serif"})
    from matplotlib import pyplot

    results = json.loads(Path(source).read_text())["results"]
    sizes = [int(size) for size in results]
    looks = {
        "python": ("by hand, in Python", "#b45309", "s"),
        "cold": ("compile, cold", "#1d4ed8", "o"),
        "floor": ("floor", "#111827", "_"),
        "plan": ("one plan changed", "#7c3aed", "^"),
        "tenant": ("one tenant changed", "#0d9488", "v"),
        "unchanged": ("nothing changed", "#16a34a", "D"),
    }
    figure, axes = pyplot.subplots(figsize=(7.2, 4.6))
    for kind, (label, color, marker) in looks.items():
        seconds = [median(found, kind) for found in results.values()]
        style = "--" if kind == "floor" else "-"
        axes.plot(sizes, seconds, style, color=color, marker=marker, markersize=5, linewidth=1.6, label=label)
    axes.set(xscale="log", yscale="log", xlabel="tenants", ylabel="seconds")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.grid(True, which="major", color="#e5e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plot"]:
        plot(*sys.argv[2:])
    else:
        main()
