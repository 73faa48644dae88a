"""Pictures as bytes: the same for the same picture."""

import io
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tcost.errors import InputError

if TYPE_CHECKING:
    from tcost.plot.page import Picture

ENDINGS = (".png", ".svg", ".pdf")


def ending_of(path: str) -> str:
    """Return the ending of a file's name, which says how a picture is written. Raises InputError for another one."""
    ending = PurePath(path).suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"'{path}' does not say which picture to write\nexpected a name that ends in .png, .svg or .pdf"
        )
    return ending


def render(picture: "Picture", ending: str) -> bytes:
    """Return a picture as PNG, SVG or PDF, with its title and description, and no date.

    Raises KeyError for another ending than those of `ending_of`.
    """
    from tcost.plot.style import house_style

    title, words = picture.title, picture.description
    metadata: dict[str, dict[str, Any]] = {
        ".png": {"Title": title, "Description": words},
        ".svg": {"Title": title, "Date": None},
        ".pdf": {"Title": title, "Subject": words, "CreationDate": None},
    }
    data = io.BytesIO()
    with house_style():
        picture.figure.savefig(data, format=ending[1:], metadata=metadata[ending])
    return _described(data.getvalue(), words) if ending == ".svg" else data.getvalue()


def _described(svg: bytes, words: str) -> bytes:
    """Put the description behind the title, where screen readers look for it."""
    return svg.replace(b"</title>", f"</title>\n <desc>{escape(words)}</desc>".encode(), 1)
