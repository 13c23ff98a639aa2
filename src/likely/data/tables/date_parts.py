"""What can be learned from moments: how late they are, and where in the year, the week and the day."""

import numpy as np

from likely.data.tables.cells import as_objects

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DATE_PARTS = ("days", "year", "month (sine)", "month (cosine)", "weekday", "hour (sine)", "hour (cosine)")
"""The columns that one of dates becomes, as far as they vary: days since 1970, the year; month and hour on a circle, so
that December is beside January; the day of the week by its name."""
TIME_PARTS = ("hours", "hour (sine)", "hour (cosine)")
"""Those of times without a date: hours, and the hour on a circle for those of a day."""


def date_part(moments: np.ndarray, part: str) -> np.ndarray:
    """One of `DATE_PARTS` of moments, datetime64 (n,), or of `TIME_PARTS` of times, timedelta64 (n,).

    Numbers or names, with NaN or None where one is missing.

    Example:
        >>> moments = np.array(["2024-03-01T06:00", "NaT"], "datetime64[us]")
        >>> date_part(moments, "weekday").tolist(), date_part(moments, "hour (sine)").round(6).tolist()
        (['Friday', None], [1.0, nan])
    """
    gone = np.isnat(moments)
    if part == "hours":
        return np.where(gone, np.nan, moments.astype("timedelta64[us]").astype(np.int64) / 3600e6)
    if moments.dtype.kind == "m":
        moments = np.datetime64(0, "us") + moments
    days = moments.astype("datetime64[D]")
    if part == "weekday":
        number = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        return as_objects(None if is_gone else WEEKDAYS[i] for i, is_gone in zip(number, gone, strict=True))
    if part == "days":
        found = moments.astype("datetime64[us]").astype(np.int64) / 86_400e6
    elif part == "year":
        found = moments.astype("datetime64[Y]").astype(np.int64) + 1970.0
    else:
        if part.startswith("month"):
            turn = (moments.astype("datetime64[M]").astype(np.int64) % 12) / 12
        else:
            turn = (moments.astype("datetime64[us]").astype(np.int64) % 86_400_000_000) / 86_400e6
        found = np.sin(2 * np.pi * turn) if part.endswith("(sine)") else np.cos(2 * np.pi * turn)
    return np.where(gone, np.nan, found)
