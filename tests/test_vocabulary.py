"""Words that the code no longer uses do not return as names."""

import re
import tokenize
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
RETIRED = {*"bend bent course judge judgement mirror picture pictures strangeness unfamiliarity".split()}  # noqa: SIM905
"""Their successors: power_transform, progress, evaluate, hflip, image, ood_scores."""


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def retired_names() -> set[str]:
    """Names in src that hold a retired word; an argument kept for its former name says so on its line."""
    found = set[str]()
    for path in sorted(SRC.rglob("*.py")):
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.NAME and _words(token.string) & RETIRED and "deprecated" not in token.line:
                    found.add(f"{path.relative_to(SRC)}: {token.string}")
    return found


def test_no_name_holds_a_retired_word() -> None:
    assert retired_names() == set()
