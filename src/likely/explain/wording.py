"""What an explanation says, in words."""

from collections.abc import Sequence

from likely.metrics.numerals import percent

_MOST_NAMED = 3


def number(value: float, *, is_probability: bool) -> str:
    """A probability in percent, or a number with four digits.

    Example:
        >>> number(0.25, is_probability=True), number(1234.5678, is_probability=False)
        ('25.0%', '1235')
    """
    return percent(value) if is_probability else f"{value:.4g}"


def change(value: float, *, is_probability: bool) -> str:
    """A difference with its sign: points of probability, or a number.

    Example:
        >>> change(12.34, is_probability=True), change(-0.001234, is_probability=False)
        ('+12 points', '-0.00123')
    """
    if not is_probability:
        return f"{value:+.3g}"
    return f"{value:+.0f} points" if abs(value) >= 9.95 else f"{round(value, 1) + 0.0:+.1f} points"


def about_unfamiliar(familiarity: float | None) -> str:
    """That the row is unlike those of training."""
    return f"Unlike anything in training (familiarity {familiarity:.3f}): neither the answer nor this says much."


def about_part(name: str, numbers: tuple[float, float, float, float], share: float, *, is_probability: bool) -> str:
    """What covering a part of an image does.

    Args:
        name: of the number that is explained.
        numbers: it, and it with the whole image covered, the part, and as much elsewhere.
        share: of the image that the part takes; 0 where no part carries anything.
        is_probability: whether it is one.
    """
    answer, baseline, without, elsewhere = (number(value, is_probability=is_probability) for value in numbers)
    start = _at_start(name)
    if not share:
        return (
            f"{_equals(start, answer)}. No part of the image carries it by itself: covering any of them changes little."
        )
    unit = 100.0 if is_probability else 1.0
    moved, otherwise = unit * (numbers[2] - numbers[0]), unit * (numbers[3] - numbers[0])
    said = (
        f"{_equals(start, answer)}. Covering the outlined part ({share:.0%} of the image) leaves {without} "
        f"({change(moved, is_probability=is_probability)}); covering as much elsewhere leaves {elsewhere} on average, "
        f"covering everything {baseline}."
    )
    return said if abs(moved) > abs(otherwise) else f"{said} So no part of the image stands out."


def about_columns(
    name: str,
    answer: float,
    baseline: float,
    named: Sequence[tuple[str, str, float]],
    least: float,
    *,
    is_probability: bool,
) -> str:
    """Which columns of a row raise or lower the number.

    Args:
        name: of the number that is explained.
        answer, baseline: it, and its mean over rows with other values in all columns.
        named: columns with their values and contributions, the largest first.
        least: the smallest contribution to speak of.
        is_probability: whether it is one.
    """
    shown, without = (number(value, is_probability=is_probability) for value in (answer, baseline))
    large = [entry for entry in named[:_MOST_NAMED] if abs(entry[2]) > least]
    start = f"{_equals(_at_start(name), shown)}; with other values in all columns it is {without} on average."
    if not large:
        return f"{start} No column carries it by itself."
    sides: list[str] = []
    for word, sign in (("raised", 1), ("lowered", -1)):
        parts = [f"{c} = {v} ({change(x, is_probability=is_probability)})" for c, v, x in large if sign * x > 0]
        sides += [f"{word} by {' and '.join(filter(None, (', '.join(parts[:-1]), parts[-1])))}"] if parts else []
    return f"{start} It is {', and '.join(sides)}."


def _at_start(name: str) -> str:
    """The name as a sentence begins with it."""
    return name[:1].upper() + name[1:]


def _equals(name: str, number: str) -> str:
    """Example: "P(Coat) = 12.0%", "P(Coat) > 99.9%"."""
    return f"{name} {number[0]} {number[1:]}" if number[0] in "<>" else f"{name} = {number}"
