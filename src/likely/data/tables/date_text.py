"""Dates and times in text: how a column writes them, by whole columns, and as moments or durations."""

import re

import numpy as np
import polars as pl

_TIME = (
    r"(?:(?:T|,? +|, ?)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?: *(?P<half>[AaPp])\.?[Mm]\.?)?"
    r" *(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
_WEEKDAY = r"(?i)^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +"
_MONTH = (
    r"(?P<b>(?i:jan(?:uary?)?|jän(?:ner)?|feb(?:ruary?)?|m[aä]r(?:ch|z)?|mrz|apr(?:il)?|ma[yi]|jun[ei]?|jul[yi]?|"
    r"aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?))\.?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = {name: str(i) for i, name in enumerate(_MONTHS, start=1)} | {
    "jän": "1", "mär": "3", "mrz": "3", "mai": "5", "okt": "10", "dez": "12",
}  # fmt: skip
_FORMS = {
    "Y-m-d": r"(?P<Y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    "Y-m": r"(?P<Y>\d{4})-(?P<m>\d{2})",
    "m-Y": r"(?P<m>\d{1,2})[-/](?P<Y>(?:1[5-9]|2[01])\d{2})",
    "d-m-Y": r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<Y>\d{4})",
    "m-d-Y": r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})[-/.](?P<Y>\d{4})",
    "d-m-y": r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{2})",
    "m-d-y": r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})[-/.](?P<y>\d{2})",
    "y-m-d": r"(?P<y>\d{2})-(?P<m>\d{2})-(?P<d>\d{2})",
    "d b Y": rf"(?P<d>\d{{1,2}})\.?[ /-]?{_MONTH},?[ /-]?(?P<Y>\d{{4}})",
    "d b y": rf"(?P<d>\d{{1,2}})\.?[ /-]?{_MONTH},?[ /-]?(?P<y>\d{{2}})",
    "b d Y": rf"{_MONTH} +(?P<d>\d{{1,2}})(?:, ?| )(?P<Y>\d{{4}})",
    "b Y": rf"{_MONTH}[ ,-] ?(?P<Y>\d{{4}})",
    "Ymd": r"(?P<Y>19\d\d|20\d\d|2100)(?P<m>\d{2})(?P<d>\d{2})",
}
"""The order of the parts, and the texts that it fits before a time. Ymd is a whole number, too."""
_COMPACT = "Ymd"
_CLOCK = (
    r"^(?P<minus>-)?(?P<h>\d{1,3}):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d(?:[.,]\d+)?))?(?: *(?P<half>[AaPp])\.?[Mm]\.?)?$"
)
_YEAR_LAST = r"^(\p{L}{3} +\d{1,2}) (\d{2}:\d{2}:\d{2}(?: (?:Z|UTC|GMT|[+-]\d{4}))?) (\d{4})$"  # as C writes them
_LIKE = r"(?i)\d[-/. ]?(?:\d|[a-zä]{3})|^[a-zä]{3,9}[., -]+\d"

AMBIGUOUS, MIXED = "?", "!"
"""The order of dates of which day and month can't be told apart, and that of dates in more than one order."""


def is_date(cells: pl.Series) -> pl.Series:
    """Which of these texts are dates, in whatever order; none if few of the first ones look like it."""
    found = pl.Series([False]).new_from_index(0, len(cells))
    if not len(cells) or (cells[:100].str.contains(_LIKE).mean() or 0) < 0.2:  # pyright: ignore[reportOperatorIssue]
        return found
    for order in _FORMS:
        if order != _COMPACT:
            found |= read_dates(cells, order).is_not_null()
    return found


def date_order(cells: pl.Series, *, compact: bool = False) -> str:
    """The order in which all of these texts write dates; "" if one is none.

    Day and month are told apart by a number above 12 or by points between them, which stand behind days; where nothing
    tells, the answer is `AMBIGUOUS`. Where all are dates but no order fits them all, it is `MIXED`.

    Args:
        cells: texts without missing ones.
        compact: whether whole numbers such as 20230429 may be dates.
    Example:
        >>> date_order(pl.Series(["29/04/2023", "01/05/2023"])), date_order(pl.Series(["01/05/2023"]))
        ('d-m-Y', '?')
        >>> date_order(pl.Series(["29/04/2023", "04/30/2023"]))
        '!'
    """
    if cells.is_empty():
        return ""
    fits = [order for order in _FORMS if (compact or order != _COMPACT) and read_dates(cells, order).null_count() == 0]
    if len(fits) > 1:
        day_first = next((order for order in fits if order in ("d-m-Y", "d-m-y")), "")
        return day_first if day_first and cells.str.contains(r"^\d{1,2}\.").all() else AMBIGUOUS
    return fits[0] if fits else MIXED if is_date(cells).all() else ""


def two_orders(cells: pl.Series) -> tuple[str, str]:
    """Two of these dates that are not in one order; `date_order` says that they are `MIXED`."""
    read = [read_dates(cells, order).is_not_null() for order in _FORMS]
    most = max(read, key=lambda fits: int(fits.sum()))
    return cells.filter(most)[0], cells.filter(~most)[0]


def some_zones(cells: pl.Series) -> str | None:
    """A date without a time zone, where others have one."""
    zone = cells.str.contains(r"\d:\d\d.*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$")
    return cells.filter(~zone)[0] if zone.any() and not zone.all() else None


def read_times(cells: pl.Series) -> pl.Series:
    """Times without a date as durations since midnight; null where there is none.

    Example:
        >>> read_times(pl.Series(["12:30", "1:02:03", "12:15 am", "25:99"])).dt.total_seconds().to_list()
        [45000, 3723, 900, None]
    """
    parts = cells.str.extract_groups(_CLOCK).struct.unnest()
    hours, half = parts["h"].cast(pl.Int64), parts["half"].str.to_lowercase()
    hours = hours.set(half.is_not_null() & ~hours.is_between(1, 12), None)
    afternoon = hours % 12 + 12 * (half == "p").cast(pl.Int64)
    hours = pl.select(pl.when(half.is_null()).then(hours).otherwise(afternoon)).to_series()
    seconds = parts["s"].str.replace(",", ".", literal=True).fill_null("0").cast(pl.Float64)
    total = hours * 3600 + parts["m"].cast(pl.Int64) * 60 + seconds
    total = pl.select(pl.when(parts["minus"].is_null()).then(total).otherwise(-total)).to_series()
    return (total * 1e6).round().cast(pl.Int64).cast(pl.Duration("us")).alias(cells.name)


def read_dates(cells: pl.Series, order: str) -> pl.Series:
    """The moments in texts, in UTC where they have a time zone; null where there is none in this order."""
    nothing = pl.Series(cells.name, [None], dtype=pl.Datetime("us")).new_from_index(0, len(cells))
    if order not in _FORMS:
        return nothing
    pattern = f"^{_FORMS[order]}{_TIME}$"
    cells = cells.str.replace(_WEEKDAY, "").str.replace(r"^(\d{4}-\d{2}-\d{2})-(\d{1,2}:\d{2}:\d{2})", "$1 $2")
    cells = cells.str.replace(_YEAR_LAST, "$1 $3 $2")
    if not cells.str.contains(pattern).any():
        return nothing
    parts = cells.str.extract_groups(pattern).struct.unnest()
    parts = {name: parts[name] for name in parts.columns}
    if "y" in parts:
        parts["Y"] = pl.select(pl.when(parts["y"] < "70").then(pl.lit("20")).otherwise(pl.lit("19"))).to_series()
        parts["Y"] = parts["Y"] + parts["y"]
    if "b" in parts:
        parts["m"] = parts["b"].str.to_lowercase().str.slice(0, 3).replace(_NUMBERS)
    day = parts["Y"] + "-" + parts["m"] + "-" + parts.get("d", pl.Series(["1"]))
    time, half, zone = parts["time"].fill_null("00:00:00"), parts["half"], parts["zone"]
    time = time.set(time.str.count_matches(":") == 1, None).fill_null(time + ":00")
    found = (day + " " + time).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    if half.null_count() < len(half):
        halves = (day + " " + time + half + "M").str.to_datetime("%Y-%m-%d %I:%M:%S%.f%p", time_unit="us", strict=False)
        found = found.set(half.is_not_null(), None).fill_null(halves)
    if zone.null_count() == len(zone):
        return found
    ahead = zone.str.replace_many(["Z", "UTC", "GMT", ":"], ["+00", "+00", "+00", ""]).str.pad_end(5, "0")
    minutes = ahead.str.slice(1, 2).cast(pl.Int64) * 60 + ahead.str.slice(3, 2).cast(pl.Int64)
    minutes = minutes * (ahead.str.slice(0, 1) + "1").cast(pl.Int64)
    return found - (minutes.fill_null(0) * 60_000_000).cast(pl.Duration("us"))


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
    order, zones_differ = date_order(cells.drop_nulls().unique()), some_zones(cells.drop_nulls()) is not None
    return (
        None
        if order in ("", AMBIGUOUS, MIXED) or zones_differ
        else read_dates(cells, order).to_numpy().astype("datetime64[us]")
    )
