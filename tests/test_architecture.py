"""The house keeps its shape: what imports what, and what a command loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from bundling import MODULE

import tcost

PACKAGE = Path(tcost.__file__).parent

ORDER = [
    *(
        "errors",
        "extras",
        "units",
        "text",
        "strict_json",
        "reading",
        "exact",
        "sizes",
        "bundled",
        "settings",
        "tracing",
        "layers",
        "models",
        "kinds",
        "conventions",
        "learning_rules",
        "optimizers",
        "loss",
    ),
    *(
        "training_step",
        "memory",
        "cost",
        "execution",
        "verify",
        "estimators",
        "symbols",
        "reconcile",
        "importers",
        "spec",
        "torch_check",
        "output",
        "sweep",
        "breakeven",
        "formulas",
        "explain",
        "diff",
        "budgets",
        "report",
    ),
    *("documents", "page", "plot", "commands", "completion", "short_way", "cli"),
]
"""Reading order is dependency order: a module imports those before it, never those after it."""

HOMES = {
    "pydantic": {"documents", "spec"},
    "yaml": {"spec"},
    "typer": {"cli"},
    "rich": {"report"},
    "numpy": {"exact", "execution", "plot", "sweep", "verify"},
    "sympy": {"breakeven", "exact", "formulas", "sweep", "symbols"},
    "matplotlib": {"plot"},
    "jinja2": {"page"},
    "pyarrow": {"sweep"},
    "dask": {"sweep"},
    "distributed": {"sweep"},
    "torch": {"torch_check"},
    "transformers": {"torch_check"},
}
"""The rooms that know each library."""

NEVER = {"click"}


def imports_of(path: Path) -> list[str]:
    """Return every module that a file imports, at its top or inside a function."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" if node.module == "tcost" else node.module for alias in node.names]
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or not path.stem.startswith("__"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_upwards(path: Path) -> None:
    """Every import goes down the reading order, and each library is known in one room."""
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports_of(path):
        library, _, rest = name.partition(".")
        assert library not in NEVER
        assert room in HOMES.get(library, {room})
        if library == "tcost" and not rest.startswith("__"):
            assert ORDER.index(rest.partition(".")[0]) <= ORDER.index(room)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_extra_is_imported_where_it_is_used(path: Path) -> None:
    """SymPy, which not everybody installs, is imported in functions and never at the top of a module."""
    top = [
        ast.unparse(node) for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not any("sympy" in line for line in top)


def test_every_file_is_short() -> None:
    """A module past about 300 lines becomes a package, but for the one that is generated."""
    written = [path for path in PACKAGE.rglob("*.py") if path != MODULE]
    assert {path.name: n for path in written if (n := len(path.read_text().splitlines())) > 300} == {}


LIBRARIES = ("numpy", "pydantic", "rich", "sympy", "typer", "yaml")

UNUSED = {
    ("--version",): {"argparse", "json", "pathlib", "tcost.cost", "typing", *LIBRARIES},
    ("list", "algos"): {"rich", "tcost.documents", "tcost.report", "tcost.spec", "yaml", "numpy", "sympy"},
    ("list", "schema", "spec"): {"rich", "tcost.documents.every", "tcost.report", "tcost.cost", "numpy", "sympy"},
    ("list", "schema", "result"): {"rich", "sympy", "pyarrow", "tcost.execution", "tcost.plot", "tcost.page"},
    ("list", "layers"): {"rich", "tcost.documents", "tcost.report", "tcost.spec", "yaml", "numpy", "sympy"},
    ("compute", "gpt2", "--format", "json"): {"rich", "tcost.report", "tcost.importers", "numpy", "sympy"},
    ("compute", "gpt2", "--convention", "exact", "--optimizer", "adam", "--format", "json"): {
        *("rich", "tcost.report", "tcost.execution", "tcost.verify", "tcost.reconcile", "numpy", "sympy")
    },
    ("compute", "gpt2", "--format", "csv"): {"rich", "tcost.report", "numpy", "sympy"},
    ("compute", "gpt2", "--format", "markdown"): {"rich", "tcost.documents", "numpy", "sympy"},
    ("compute", "gpt2"): {
        "tcost.documents",
        "tcost.symbols",
        "tcost.formulas",
        "tcost.reconcile",
        "numpy",
        "sympy",
    },
    ("compare", "gpt2"): {"tcost.documents", "tcost.reconcile", "numpy", "sympy"},
    ("memory", "gpt2", "--budget", "1TB", "--format", "json"): {
        *("rich", "tcost.report", "tcost.execution", "tcost.verify", "numpy", "sympy")
    },
    ("diff", "gpt2", "gpt2", "--format", "json"): {
        *("rich", "tcost.documents.reading", "tcost.report", "tcost.importers", "numpy", "sympy")
    },
    ("diff", "gpt2", "gpt2"): {
        "tcost.documents.reading",
        "tcost.documents.writing",
        "tcost.budgets",
        "tcost.importers",
        "numpy",
        "sympy",
    },
    ("check", "gpt2", "--max", "flop=9T", "--format", "json"): {
        *("rich", "tcost.documents.reading", "tcost.spec.budgets", "tcost.importers", "numpy", "sympy")
    },
    ("check", "gpt2", "--max", "flop=9T"): {
        "tcost.documents.reading",
        "tcost.documents.writing",
        "tcost.importers",
        "numpy",
        "sympy",
    },
    ("memory", "gpt2"): {"tcost.documents", "tcost.execution", "tcost.verify", "numpy", "sympy"},
    ("report", "gpt2", "-o", "/dev/stdout"): {
        *("rich", "tcost.execution", "tcost.verify", "tcost.plot", "tcost.reconcile", "numpy", "sympy")
    },
    ("explain", "--formula", "gpt2"): {"tcost.explain", "tcost.documents", "tcost.execution", "tcost.verify", "numpy"},
    ("explain", "--formula", "gpt2", "--format", "json"): {"rich", "tcost.report", "numpy"},
    ("explain", "--formula", "gpt2", "--format", "latex"): {"tcost.documents", "numpy"},
    ("explain", "gpt2", "attention"): {"tcost.documents", "tcost.execution", "tcost.verify", "numpy"},
    ("explain", "gpt2", "attention", "--format", "json"): {"rich", "tcost.report", "numpy"},
    ("reconcile", "gpt2"): {"tcost.documents", "numpy"},
    ("reconcile", "gpt2", "--format", "json"): {"rich", "tcost.report", "numpy"},
    ("sweep", "--break-even", "gpt2"): {
        "tcost.documents",
        "tcost.execution",
        "tcost.verify",
        "pyarrow",
        "dask",
        "matplotlib",
    },
    ("sweep", "--break-even", "gpt2", "--format", "json"): {
        "rich",
        "tcost.report",
        "tcost.execution",
        "pyarrow",
        "matplotlib",
    },
    ("sweep", "gpt2", "--over", "batch=1:2"): {"tcost.documents", "tcost.execution", "pyarrow", "dask", "distributed"},
    ("sweep", "gpt2", "--over", "batch=1:2", "--format", "csv"): {
        *("rich", "tcost.report", "tcost.documents", "tcost.execution", "pyarrow", "dask", "distributed")
    },
}
"""What each command must not load: it has no use for it, and start-up is part of the job."""


@pytest.mark.parametrize("args", UNUSED, ids=" ".join)
def test_commands_load_only_what_they_use(args: tuple[str, ...]) -> None:
    """A command in a fresh process leaves the modules alone that it has no use for."""
    code = f"import sys; from tcost.__main__ import run; run({list(args)!r}); print(*sys.modules, file=sys.stderr)"
    outcome = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=path())
    assert outcome.stdout
    assert set(outcome.stderr.split()) & {*UNUSED[args], "matplotlib"} == set()


def test_completion_loads_none_of_the_libraries() -> None:
    """A shell is answered by the front door: what is typed waits for it."""
    code = "import sys; from tcost.__main__ import run; run(['compute', '']); print(*sys.modules, file=sys.stderr)"
    environment = {**path(), "_TCOST_COMPLETE": "1"}
    outcome = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert outcome.stdout
    loaded = set(outcome.stderr.split())
    assert {name for name in loaded if name.startswith("tcost.")} == {
        *("tcost.__main__", "tcost.completion", "tcost.errors", "tcost.output")
    }
    assert loaded & {"json", "pathlib", "re", "typing", *LIBRARIES} == set()


def path() -> dict[str, str]:
    """Return an environment in which `python -S`, which loads no site hooks, finds what this process finds."""
    return {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}


def test_api_is_lazy_and_complete() -> None:
    """Every public name of the package is there, and a wrong one says so."""
    assert all(getattr(tcost, name) for name in tcost.__all__)
    with pytest.raises(AttributeError, match="no attribute 'estimate'"):
        tcost.estimate  # noqa: B018  # the access is what raises
