"""What all pages have in common: every text in them is made harmless, and they share the head of the document."""

import unicodedata
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

# Characters that would turn the direction of the text around them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(name: object) -> str:
    """A name as one line of text that can be stored as UTF-8 and cannot reorder the text around it.

    Example:
        >>> printable("T-shirt\\n\\u202etop")
        'T-shirt��top'
    """
    bad = {"Cc", "Cs", "Zl", "Zp"}
    return "".join("�" if c in _BIDI or unicodedata.category(c) in bad else c for c in str(name))


@cache
def template(name: str) -> Template:
    """The template in this file of the package; it may include others. What it prints is made printable and escaped."""
    environment = Environment(
        autoescape=True,
        finalize=lambda value: value if isinstance(value, Markup) else printable(value),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda file: files("likely.report").joinpath(file).read_text(encoding="utf-8")),
    )
    return environment.get_template(name)
