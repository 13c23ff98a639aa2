"""Categories and labels that new rows spell otherwise than those of training: TRUE or 1 for True, 1.0 for 1."""

import re
from collections.abc import Collection, Iterable

BOOLEANS = {"true": "1", "false": "0"}
"""Both truth values as text in lower case, with the number that means the same."""

_DECIMAL = re.compile(r"(-?(?:0|[1-9]\d*))(?:\.(\d*?)0*)?")


def spelled_otherwise(texts: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Which known text each of these means, for those that are another spelling of just one.

    True and False are alike in any letters. 1 and 0 mean them where nothing else is known, and the other way round.
    Decimal numbers are alike if their values are; 007 and 7, or 1e3 and 1000, are not.

    Example:
        >>> spelled_otherwise(["TRUE", "0", "yes"], ["False", "True"])
        {'TRUE': 'True', '0': 'False'}
        >>> spelled_otherwise(["1.0", "007", "1.5"], ["1", "7"])
        {'1.0': '1'}
    """
    texts = list(texts)
    if not texts:
        return {}
    alone = {BOOLEANS.get(text.casefold(), text) for text in known} <= {"1", "0"}
    by_meaning = dict[str, list[str]]()
    for text in known:
        by_meaning.setdefault(_meaning(text, as_numbers=alone), []).append(text)
    found = {text: by_meaning.get(_meaning(text, as_numbers=alone), []) for text in texts}
    return {text: names[0] for text, names in found.items() if len(names) == 1}


def _meaning(text: str, *, as_numbers: bool) -> str:
    if (lower := text.casefold()) in BOOLEANS:
        return BOOLEANS[lower] if as_numbers else lower
    if number := _DECIMAL.fullmatch(text):
        whole, decimals = number.groups()
        return f"{whole}.{decimals}" if decimals else whole
    return text
