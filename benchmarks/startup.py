"""What commands cost beside `python -c pass`: CPU time and, where valgrind is there, instructions.

Run by hand: `python benchmarks/startup.py [runs]`. Whole processes, the commands in turn within each run, the median of
each; ratios are of one machine in one run. Instructions are those of one run, and the same whatever else is at work.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

ENTRY = "import sys; from tcost.__main__ import main; sys.exit(main())"
"""What a console script runs; one that pip before version 26 has made imports re before it."""

COMPUTE = "compute gpt2 --format json"
OPTIONS = (
    "--algos bp pepita --convention torch --context 512 --batch 8 --optimizer adamw --causal half --attention flash "
    "--loss fused --dtype bf16 --master-weights --no-errata --by operation"
)

COMMANDS = {
    "--version": "",
    "TAB": "",
    "--help": "",
    "compute --help": "",
    COMPUTE: "",
    f"{COMPUTE} {OPTIONS}": f"{COMPUTE} with 12 options",
    "compute gpt2": "",
    "compute my.yaml --format json": "compute a YAML of one's own, as JSON",
    "memory gpt2 --format json": "",
    "compare --algos bp pepita mempepita": "compare, all bundled specs",
    "explain gpt2": "",
    "list algos": "",
}
"""Command lines, and what they are called where that is not what they are."""

IMPORT = re.compile(r"import time: *(\d+) \| *\d+ \| *(\w+)")


def command(line: str) -> list[str]:
    """Return the command of a line; that of TAB is what the scripts of shells run."""
    return [sys.executable, "-c", ENTRY, *(["compute", "gpt2", "--"] if line == "TAB" else line.split())]


def environment(line: str) -> dict[str, str]:
    """Return the environment of a line, in which bytecode is written."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | ({"_TCOST_COMPLETE": "1"} if line == "TAB" else {})


def seconds(words: list[str], env: dict[str, str]) -> float:
    """Return the CPU time of a command, its own and the system's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(words: list[str], env: dict[str, str]) -> int:
    """Return the instructions that a command executes, as cachegrind counts them."""
    grind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *words]
    outcome = subprocess.run(grind, check=True, capture_output=True, text=True, env=env)
    (counted,) = re.findall(r"I *refs: *([0-9,]+)", outcome.stderr)
    return int(counted.replace(",", ""))


def imports(words: list[str]) -> Counter[str]:
    """Return the microseconds that importing takes, by top-level package."""
    outcome = subprocess.run([words[0], "-X", "importtime", *words[1:]], check=True, capture_output=True, text=True)
    packages = Counter[str]()
    for microseconds, package in IMPORT.findall(outcome.stderr):
        packages[package] += int(microseconds)
    return packages


def main() -> None:
    """Print a line per command, then the packages that dominate JSON output."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    bare = [sys.executable, "-c", "pass"]
    lines = {
        "python -c pass": (bare, environment("")),
        **{line: (command(line), environment(line)) for line in COMMANDS},
    }
    times: dict[str, list[float]] = {line: [] for line in lines}
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(__file__).parent.parent / "model_specs" / "gpt2.yaml"
        shutil.copy(spec, Path(folder) / "my.yaml")
        os.chdir(folder)
        for _ in range(runs + 1):  # the first of which writes bytecode
            for line, each in lines.items():
                times[line].append(seconds(*each))
        medians = {line: median(each[1:]) for line, each in times.items()}
        counted = {line: instructions(*each) for line, each in lines.items()} if shutil.which("valgrind") else {}
    first = next(iter(lines))
    for line, middle in medians.items():
        more = f"{counted[line] / counted[first]:7.1f} x of instructions" if counted else ""
        print(f"{COMMANDS.get(line) or line:<44} {1000 * middle:6.1f} ms {middle / medians[first]:6.1f} x{more}")
    print(f"\nimports of {COMPUTE}, with what they import from the standard library apart:")
    for package, microseconds in imports(command(COMPUTE)).most_common(8):
        print(f"{package:<28} {microseconds / 1000:6.1f} ms")


if __name__ == "__main__":
    main()
