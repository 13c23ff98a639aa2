"""Text that a spreadsheet shows as text."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]((\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?)?", re.ASCII)


def never_a_formula(text: str) -> str:
    """The text; what a spreadsheet would take for a formula starts with an apostrophe.

    A number, such as -1, and a sign alone stay as they are: nothing in them can be computed. One more apostrophe stands
    before text that begins with one and looks like a formula behind it, so that different texts stay different.

    Example:
        >>> [never_a_formula(text) for text in ("=1+1", "'=1+1", "boot.png", "-1", "-1.5e3", "+", "-1+1")]
        ["'=1+1", "''=1+1", 'boot.png', '-1', '-1.5e3', '+', "'-1+1"]

    Reference: OWASP, CSV injection.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
