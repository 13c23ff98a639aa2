"""Dates and times in text: how a column writes them, by whole columns, and as moments."""

import re

import numpy as np
import polars as pl

_TIME = r"(?:[T ](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?"
_FORMS: dict[str, tuple[str, str]] = {
    "Y-m-d": (rf"^(\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}){_TIME}$", "%Y-%m-%d"),
    "Y-m": (rf"^(\d{{4}}-\d{{2}}){_TIME}$", "%Y-%m-%d"),
    "d-m-Y": (rf"^(\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}){_TIME}$", "%d-%m-%Y"),
    "m-d-Y": (rf"^(\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}){_TIME}$", "%m-%d-%Y"),
    "d b Y": (rf"^(\d{{1,2}}[ -][A-Za-z]{{3,9}}[ -]\d{{4}}){_TIME}$", "%d-%b-%Y"),
    "b d Y": (rf"^([A-Za-z]{{3,9}} \d{{1,2}},? \d{{4}}){_TIME}$", "%b-%d-%Y"),
}
"""The order of the parts, the texts that it fits, and the format that chrono reads them with after `_normal`."""

AMBIGUOUS = "?"
"""The order of dates of which day and month can't be told apart."""


def date_order(cells: pl.Series) -> str:
    """The order in which all of these texts write dates; "" if they are none.

    Day and month are told apart by a number above 12 or by points between them, which stand behind days; where nothing
    tells, the answer is `AMBIGUOUS`.

    Example:
        >>> date_order(pl.Series(["29/04/2023", "01/05/2023"])), date_order(pl.Series(["01/05/2023"]))
        ('d-m-Y', '?')
    """
    if cells.is_empty():
        return ""
    fits = [order for order in _FORMS if read_dates(cells, order).null_count() == 0]
    if {"d-m-Y", "m-d-Y"} <= set(fits):
        return "d-m-Y" if cells.str.contains(r"^\d{1,2}\.").all() else AMBIGUOUS
    return fits[0] if fits else ""


def read_dates(cells: pl.Series, order: str) -> pl.Series:
    """The moments in texts, in UTC where they have a time zone; null where there is none in this order."""
    if order not in _FORMS:
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.Datetime("us"))
    pattern, form = _FORMS[order]
    parts = cells.str.extract_groups(pattern).struct.unnest()
    day, time, zone = (parts.to_series(i) for i in range(3))
    day = day.str.replace_all(r"[/. ]|, ?", "-").str.replace_all("--", "-", literal=True)
    if order == "Y-m":
        day = day + "-01"
    if order in ("d b Y", "b d Y"):
        day = day.str.replace(r"([A-Za-z]{3})[a-z]*", "$1")
    time = time.fill_null("00:00:00")
    time = time.set(time.str.count_matches(":") == 1, None).fill_null(time + ":00")
    if zone.null_count() == len(zone):
        return (day + " " + time).str.to_datetime(f"{form} %H:%M:%S%.f", time_unit="us", strict=False)
    zone = zone.str.replace("Z", "+0000", literal=True).str.replace(":", "", literal=True)
    moments = (day + " " + time + zone).str.to_datetime(f"{form} %H:%M:%S%.f%z", time_unit="us", strict=False)
    return moments.dt.replace_time_zone(None)


def moments_of_texts(texts: np.ndarray) -> np.ndarray | None:
    """The moments in objects (n,), datetime64[us] with NaT for None; None if one is no date, or the order is unknown.

    Example:
        >>> moments_of_texts(np.array(["1970-01-02", None], dtype=object)).tolist()
        [datetime.datetime(1970, 1, 2, 0, 0), None]
        >>> moments_of_texts(np.array(["03/04/2024"], dtype=object)) is None
        True
    """
    known = [text for text in texts.tolist() if text is not None]
    if not all(isinstance(text, str) for text in known) or not re.search(r"\d{4}", "".join(known[:1])):
        return None
    cells = pl.Series(texts.tolist(), dtype=pl.String).str.strip_chars()
    order = date_order(cells.drop_nulls().unique())
    return None if order in ("", AMBIGUOUS) else read_dates(cells, order).to_numpy().astype("datetime64[us]")
