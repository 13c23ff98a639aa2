"""`likely predict --explain FOLDER`: a page, a picture of each image or row, and the numbers as JSON."""

import json
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from likely.atomic import new_folder, refuse_folder, write_text
from likely.cli.answers import Name, called
from likely.cli.asked import Asked
from likely.cli.terminal import complain
from likely.config.durations import duration
from likely.errors import DataError, GuaranteeWarning
from likely.explain.explanation import Explanation
from likely.metrics.numerals import counted
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.model.question import MOST_EXPLAINED
from likely.report.explanation_page import render_explanation_page

_LONG = 10.0
"""Seconds from which on people are told how long it takes."""


class ExplainedRows:
    """Rows on their way to be answered, which are explained in the end.

    Args:
        folder: what is written; it must not exist, or be empty.
        predictor: the model.
        events: the sets of labels, as their texts, that are explained, by name; none for the answered label.
    Raises:
        OutputError: if the folder holds something.
    """

    def __init__(
        self,
        folder: str,
        predictor: ClassifierPredictor | RegressorPredictor,
        events: Mapping[str, Sequence[str]],
    ) -> None:
        refuse_folder(folder, "--explain")
        self._folder, self._predictor, self._events = folder, predictor, events
        self._kept: list[tuple[Name, np.ndarray]] = []

    def passing(self, asked: Iterable[Asked]) -> Iterator[Asked]:
        """The same rows, kept as they pass; raises a DataError, before the first is answered, if they are too many."""
        for name, row in asked:
            if not isinstance(row, str):
                self._kept.append((name, row))
            if len(self._kept) > MOST_EXPLAINED:
                start = time.perf_counter()
                self._explain(*self._kept[0])
                raise DataError(
                    f"--explain must be for at most {MOST_EXPLAINED} images or rows; got more. Here each takes about "
                    f"{duration(time.perf_counter() - start)}. Try the ones that matter, or without --explain."
                )
            yield name, row

    def write(self, model: str) -> None:
        """Explain the rows, and write the folder whole."""
        if not self._kept:
            return
        start, named = time.perf_counter(), list[tuple[Name, Explanation]]()
        for number, (name, row) in enumerate(self._kept):
            named += [(name, found) for found in self._explain(name, row)]
            expected = (time.perf_counter() - start) * len(self._kept)
            if number == 0 and expected > _LONG:
                complain(f"note: Explaining {counted(len(self._kept), 'answer')} takes about {duration(expected)}.")
        with new_folder(self._folder) as folder:
            entries: list[dict[str, Any]] = []
            for number, (name, found) in enumerate(named):
                path = found.save(folder / f"{number:03}-{_as_file(name)}.png")
                about: dict[str, Any] = {"row" if isinstance(name, int) else "image": name, "file": path.name}
                entries.append(about | found.to_json())
            write_text(folder / "explanations.json", json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
            page = render_explanation_page(model, [(called(name), found) for name, found in named])
            write_text(folder / "index.html", page)
        complain(f"Explained: {Path(self._folder) / 'index.html'}")

    def _explain(self, name: Name, row: np.ndarray) -> list[Explanation]:
        predictor = self._predictor
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GuaranteeWarning)  # of gaps, which are told for all rows together
            if isinstance(predictor, RegressorPredictor) or not self._events:
                return predictor.explain(row[None])
            typed = predictor.labels_by_text
            return [
                replace(found, name=f"P({event})")
                for event, labels in self._events.items()
                for found in predictor.explain(row[None], predictor.space.event(*(typed[text] for text in labels)))
            ]


def _as_file(name: Name) -> str:
    """A name that any system can have for a file."""
    stem = f"row-{name}" if isinstance(name, int) else Path(name).stem
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)[:60] or "image"
