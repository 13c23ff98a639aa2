"""docs/files.md names every entry of a card."""

import re
from pathlib import Path

import pytest

from likely.model.card import Card, DataEntry, NetworkEntry, SplitsEntry, TrainingEntry

_PAGE = Path("docs/files.md").read_text(encoding="utf-8")
_CARD = dict(
    re.findall(r"^\| (`[^|]*`) \| (.*) \|$", _PAGE.partition("## What `likely inspect --json` prints")[2], re.MULTILINE)
)


@pytest.mark.parametrize(
    ("entry", "inside"),
    [
        (None, Card),
        ("data", DataEntry),
        ("network", NetworkEntry),
        ("splits", SplitsEntry),
        ("training", TrainingEntry),
    ],
)
def test_every_entry_of_a_card_is_documented(entry: str | None, inside: type) -> None:
    told = " ".join(_CARD) if entry is None else _CARD[f"`{entry}`"]
    assert set(inside.model_fields) <= set(re.findall(r"`(\w+)`", told))
