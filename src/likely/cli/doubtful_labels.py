"""The labels that are probably wrong, for people and as JSON."""

import shlex
from pathlib import Path

from likely.cli.terminal import aligned, console, printable, styled
from likely.metrics.numerals import percent
from likely.training.label_check import LabelCheck

_SHOWN = 20


def print_issues(found: LabelCheck, data: str, written: tuple[Path, Path] | None) -> None:
    """Print the first ones of DATA, and what to do next with the page and the corrections, where they were written."""
    screen, doubted = console(), len(found.issues)
    n = f"{doubted:,} of {len(found.dataset.train):,}"
    screen.print(styled((f"{n} labels are doubtful according to networks that were not trained on them", "bold")))
    if doubted:
        rows = [[found.column, "given", "suggested", "P(given)", "P(suggested)"]]
        for doubt in found.doubts(_SHOWN):
            texts = map(printable, (doubt.name, doubt.given, doubt.suggested))
            rows.append([*texts, percent(doubt.p_given, 2), percent(doubt.p_suggested, 2)])
        screen.print(aligned(rows))
    if doubted > _SHOWN:
        screen.print(styled((f"  ... and {doubted - _SHOWN:,} more", "dim")))
    if written is None:
        screen.print("\nTry     --out FOLDER for a page with all of them and a corrections file for likely fit")
        return
    page, corrections = written
    screen.print(f"\nPage         {printable(page)}")
    screen.print(f"Corrections  {printable(corrections)}: edit its column label")
    screen.print(f"Then         {printable(shlex.join(['likely', 'fit', data, '--corrections', str(corrections)]))}")


def issues_to_json(found: LabelCheck) -> list[dict[str, object]]:
    """One entry per doubtful row."""
    return [
        {
            found.column: doubt.row if found.column == "row" else doubt.name,
            "given": doubt.given,
            "suggested": doubt.suggested,
            "p_given": doubt.p_given,
            "p_suggested": doubt.p_suggested,
            "score": doubt.score,
        }
        for doubt in found.doubts()
    ]
