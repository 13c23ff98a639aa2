"""Numbers as people read them, with as many digits as distinguish them."""

import math

_MOST = 17
_PLAIN = 15  # up to so many digits before the point, a number is written without an exponent


def resolved(value: float, spread: float) -> str:
    """A number with at least six digits, and so many that a ten-thousandth of the spread shows.

    The spread is that of such numbers, such as the standard deviation of a model's targets; not negative.

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


def percent(share: float, digits: int = 1) -> str:
    """A share in percent that never rounds to a certainty which it is not; a dash where there is none.

    Example:
        >>> percent(0.5), percent(0.99999), percent(1.0), percent(1e-9), percent(float("nan"))
        ('50.0%', '>99.9%', '100.0%', '<0.1%', '–')
    """
    if math.isnan(share):
        return "–"
    step = 0.1**digits
    if 0 < 100 * share < step / 2:
        return f"<{step:.{digits}f}%"
    if 100 - step / 2 <= 100 * share < 100:
        return f">{100 - step:.{digits}f}%"
    return f"{share:.{digits}%}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count and its noun.

    Example:
        >>> counted(1, "image"), counted(1200, "row"), counted(2, "class", "classes")
        ('1 image', '1,200 rows', '2 classes')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
