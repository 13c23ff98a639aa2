"""Numbers as people read them, with as many digits as tell them apart."""

import math

_MOST = 17
_PLAIN = 15  # up to so many digits before the point, a number is written without an exponent


def resolved(value: float, spread: float) -> str:
    """A number with at least six digits, and so many that a ten-thousandth of the spread shows.

    Args:
        value: a finite number.
        spread: how far such numbers lie apart, such as the standard deviation of a model's targets; not negative.

    Example:
        >>> resolved(152.13348, 77.0), resolved(1_700_000_023.4517, 50.0), resolved(1234567.0, 4e5)
        ('152.133', '1700000023.452', '1234567')
    """
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    before = math.floor(math.log10(abs(value)))
    fine = before - math.floor(math.log10(spread)) + 5 if spread > 0 else 0
    whole = before + 1 if before < _PLAIN else 0
    return f"{value:.{min(_MOST, max(6, fine, whole))}g}"
