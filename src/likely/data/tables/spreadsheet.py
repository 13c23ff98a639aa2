"""Text that a spreadsheet shows as text."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def never_a_formula(text: str) -> str:
    """The text; what a spreadsheet would take for a formula starts with an apostrophe.

    Example:
        >>> never_a_formula("=1+1"), never_a_formula("boot.png")
        ("'=1+1", 'boot.png')

    Reference: OWASP, CSV injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
