"""How far a run with several trainings is."""

from dataclasses import replace

from likely.training.descent import Record


def of_all_runs(record: Record, number: int, runs: int) -> Record:
    """A record of the run with this number, counted from 1, as one of all runs, each of which takes as long."""
    rest = (runs - number) * (record.seconds + record.seconds_left)
    progress = (number - 1 + record.progress) / runs
    return replace(record, progress=progress, seconds_left=record.seconds_left + rest)


class MonotonicProgress:
    """How far a run with several trainings is, for whoever shows it: never back, and nothing of an earlier training.

    Example:
        >>> progress_so_far = MonotonicProgress()
        >>> half = Record(10, 1.5, 0.5, 0.25, 1e-3, 30.0, 100.0, 30.0, {"nll": 0.3})
        >>> progress_so_far(of_all_runs(half, 5, 6), "Fold 5 of 5")
        (0.75, {'nll': 0.3})
        >>> progress_so_far(replace(half, held_out=None), "")
        (0.875, None)
    """

    def __init__(self) -> None:
        self._before, self._fold = 0.0, ""
        self._held_out: dict[str, float] | None = None

    def __call__(self, record: Record, fold: str) -> tuple[float, dict[str, float] | None]:
        """The share of all trainings, from 0 to 1, and the latest held-out figures of this one."""
        if fold != self._fold:
            self._fold, self._held_out = fold, None
        self._held_out = record.held_out or self._held_out
        if fold:
            self._before = share = record.progress
        else:
            # A training that is to end early ends before its planned length.
            share = 1.0 if record.seconds_left == 0 else self._before + (1 - self._before) * record.progress
        return share, self._held_out
