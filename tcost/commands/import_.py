"""Make a spec of a Hugging Face config.json."""

from typing import TYPE_CHECKING, Annotated

from tcost.commands.base import Offered, Output, Printed
from tcost.errors import InputError
from tcost.reading import Reading, check_used

if TYPE_CHECKING:
    from tcost.importers import Imported

CONFIG_HELP = "A config.json of Hugging Face, or - for standard input."
EXPLAIN_HELP = "Say which field of the configuration became which key, instead of writing the spec."


DRAFT_HELP = "Write what is understood of a configuration, read as the nearest family, and the rest as comments."


def run(
    config: Annotated[str, Offered(CONFIG_HELP, metavar="CONFIG")],
    output: Output = None,
    reading: Reading = Reading(),
    explain: Annotated[bool, Offered(EXPLAIN_HELP, "--explain")] = False,
    draft: Annotated[bool, Offered(DRAFT_HELP, "--draft")] = False,
) -> Printed:
    """Make a spec of a Hugging Face config.json.

    Nothing is downloaded. A field that may change the cost and is not understood is an error that names
    it. compute and the other commands read a config.json directly, too.

    Example: tcost import config.json --output my-model.yaml
    """
    from tcost.spec import draft_spec_of, import_spec_from, to_yaml

    if draft:
        if explain:
            raise InputError("--draft and --explain are two answers\nleave one of them out")
        return Printed(draft_spec_of(config, reading), output)
    spec, imported = import_spec_from(config, reading)
    check_used(reading, [imported])
    return Printed(_explained(imported) if explain else to_yaml(spec), output)


def _explained(imported: "Imported") -> str:
    """Return a line per field: the field, the key, its value, whether that is the class's default; then the notes."""
    from tcost.text import visible

    rows = [(visible(name), visible(key), visible(value), own) for name, key, value, own in imported.explained]
    name_width, key_width = (max(map(len, cells), default=0) for cells in ([r[0] for r in rows], [r[1] for r in rows]))
    said = {True: "  (a default of the class)", False: ""}
    lines = [f"{name:<{name_width}}  {key:<{key_width}}  {value}{said[own]}" for name, key, value, own in rows]
    return "".join(f"{line}\n" for line in [*lines, *(f"note: {visible(note)}" for note in imported.notes)])
