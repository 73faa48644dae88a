"""Make a spec of a Hugging Face config.json."""

from typing import TYPE_CHECKING, Annotated

from tcost.commands.base import Offered, Output, Printed

if TYPE_CHECKING:
    from tcost.importers import Imported

CONFIG_HELP = "A config.json of Hugging Face, or - for standard input."
EXPLAIN_HELP = "Say which field of the configuration became which key, instead of writing the spec."


def run(
    config: Annotated[str, Offered(CONFIG_HELP, metavar="CONFIG")],
    output: Output = None,
    explain: Annotated[bool, Offered(EXPLAIN_HELP, "--explain")] = False,
) -> Printed:
    """Make a spec of a Hugging Face config.json.

    Nothing is downloaded. A field that may change the cost and is not understood is an error that names
    it. compute and the other commands read a config.json directly, too.

    Example: tcost import config.json --output my-model.yaml
    """
    from tcost.spec import import_spec_from, to_yaml

    spec, imported = import_spec_from(config)
    return Printed(_explained(imported) if explain else to_yaml(spec), output)


def _explained(imported: "Imported") -> str:
    """Return a line per field: the field, the key, and its value; then the notes."""
    from tcost.text import visible

    rows = [tuple(map(visible, row)) for row in imported.explained]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {key:<{widths[1]}}  {value}" for name, key, value in rows]
    return "".join(f"{line}\n" for line in [*lines, *(f"note: {visible(note)}" for note in imported.notes)])
