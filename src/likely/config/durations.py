"""Times as people write them."""

import re

from likely.errors import ConfigError

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "bare": 1.0}
_NUMBER = r"(\d+\.?\d*|\.\d+)"
_DURATION = re.compile(
    rf"(?:(?P<h>{_NUMBER})\s*h)?\s*(?:(?P<m>{_NUMBER})\s*m(?:in)?)?\s*(?:(?P<s>{_NUMBER})\s*s)?|(?P<bare>{_NUMBER})"
)


def parse_duration(text: str) -> float:
    """Seconds in a duration such as `90`, `30s`, `2m`, `1.5h` or `1h30m`; a bare number means seconds.

    Raises:
        ConfigError: if it is none of these, or not positive.
    Example:
        >>> parse_duration("2m"), parse_duration("1h30m"), parse_duration("0.5")
        (120.0, 5400.0, 0.5)
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = sum(float(match[unit]) * size for unit, size in _UNITS.items() if match[unit]) if match else 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"A duration must be a positive time such as 30s, 2m, 1h or 1h30m; got {text!r}.")
    return seconds


def duration(seconds: float) -> str:
    """Seconds, minutes and hours, as many as matter.

    Example:
        >>> duration(3.21), duration(97), duration(4000)
        ('3.2 s', '1 min 37 s', '1 h 6 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
