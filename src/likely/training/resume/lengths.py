"""What the clock decided in a run with a time limit, read from its folder, so that the run can be done again."""

import json
from pathlib import Path
from typing import Any

from likely.errors import DataError
from likely.model.run_folder import CONFIG, LENGTHS
from likely.training.loop.by_clock import Lengths


def read_lengths(folder: Path) -> Lengths:
    """What the clock decided in the run in a folder.

    Raises:
        DataError: if the run had no time limit, or the file holds something else.
    """
    path = folder / LENGTHS
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"A run that is repeated must have had a time limit; {folder} holds no {LENGTHS} ({error.strerror}). "
            f"Without a limit a run follows from its settings: try --config {folder / CONFIG}."
        ) from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(map(_are_changes, found.values())):
        raise DataError(f"{path} must hold what the clock decided in a run; got something else. Try another run.")
    return found


def _are_changes(value: Any) -> bool:
    """Whether these are steps, in order, each with a number, a truth value or two numbers."""
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
        return False
    steps, decided = [each[0] for each in value], [each[1] for each in value]
    plain = [each if isinstance(each, list) and len(each) == 2 else [each] for each in decided]
    numbers = all(isinstance(n, int | float) and 0 <= n < 2**63 for each in plain for n in each)
    return numbers and all(type(step) is int for step in steps) and steps == sorted(steps)
