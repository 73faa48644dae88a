"""A comparison as one page of HTML that needs nothing else: no server, no network, no other file."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tcost import __version__
from tcost.cost import Comparison
from tcost.documents.compare import to_json
from tcost.extras import extra
from tcost.page.contents import contents_of
from tcost.spec import ModelSpec
from tcost.text import visible

FILES = Path(__file__).parent

ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})
"""What could end or change a script, as JSON writes it otherwise."""


def report_page(
    comparisons: Sequence[Comparison], specs: Sequence[ModelSpec], command: str, notes: Sequence[str] = ()
) -> str:
    """Return a comparison as a page of HTML: tables, charts, what the numbers depend on, and all of it as JSON.

    `specs` are the models' own, for their sources; `command` makes the page once more; `notes` are said before those
    of the results. The same comparison is the same page. Raises InputError where Jinja2 is not installed.
    """
    with extra("report"):
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup

    def shown(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(FILES),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = (f"\n{(FILES / name).read_text(encoding='utf-8')}" for name in ("page.css", "page.js"))
    return environment.get_template("page.html.jinja").render(
        page=contents_of(comparisons, notes),
        specs=list(dict.fromkeys((spec.name, spec.description, spec.source) for spec in specs)),
        command=command,
        version=__version__,
        style=Markup(style),  # noqa: S704  # our own file
        script=Markup(script),  # noqa: S704  # our own file
        hashes=[_hash(style), _hash(script)],
        document=Markup(to_json(comparisons).translate(ESCAPES)),  # noqa: S704  # nothing is left to escape
    )


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy calls a text that it lets through."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
