"""`likely check`: whether data can be learned from, and which of its labels are probably wrong."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likely.cli.options import choice, data_argument, data_option
from likely.cli.tables import aligned
from likely.cli.terminal import console, percent, printable, styled

if TYPE_CHECKING:
    from pathlib import Path

    from rich.text import Text

    from likely.cli.progress import LiveWatcher, PlainWatcher
    from likely.data.dataset import Dataset
    from likely.label_check import LabelCheck

_LABELS, _SHOWN = "Labels", 20
PAGE, CORRECTIONS = "labels.html", "corrections.csv"


def check(
    data: Annotated[str, data_argument()],
    labels: Annotated[
        bool,
        typer.Option("--labels", help="Find labels that are probably wrong; trains a network per fold."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
    data_folder: Annotated[str | None, data_option()] = None,
    folds: Annotated[
        int, typer.Option(min=2, help="Networks to train, each without its share of rows.", rich_help_panel=_LABELS)
    ] = 5,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help=f"Where to write {PAGE} and {CORRECTIONS}, for fit.", rich_help_panel=_LABELS
        ),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help=f"Fill {CORRECTIONS} with the suggested labels, not the given ones.",
            rich_help_panel=_LABELS,
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace these files in --out.", rich_help_panel=_LABELS)
    ] = False,
    most: Annotated[
        int | None,
        typer.Option(min=1, help="List at most so many rows. Default: all in doubt.", rich_help_panel=_LABELS),
    ] = None,
    preset: Annotated[str | None, choice("preset", "How large each network is. Default: fast.", _LABELS)] = None,
    network: Annotated[str | None, choice("network", "What is trained. Default: auto.", _LABELS)] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the rows for each network.", rich_help_panel=_LABELS)
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(metavar="SIDE", help="Resize the pictures of class folders.", rich_help_panel=_LABELS),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything that is drawn.", rich_help_panel=_LABELS)] = None,
    device: Annotated[str | None, choice("device", "Where torch computes.", _LABELS)] = None,
) -> None:
    """Check that DATA can be learned from; with --labels, list the training labels that are probably wrong."""
    import json

    from likely.cli.progress import watch
    from likely.config import RunConfig
    from likely.data.sources import open_dataset

    if not labels and (out is not None or accept):
        raise typer.BadParameter("It needs --labels.", param_hint="--out" if out is not None else "--accept")
    given = {"preset": preset, "network": network, "epochs": epochs, "image_size": image_size, "seed": seed}
    settings: dict[str, Any] = {name: value for name, value in {**given, "device": device}.items() if value is not None}
    config = RunConfig(data=data, data_folder=data_folder, **settings)
    folder = _checked_folder(out, overwrite) if out is not None else None
    with watch() as watcher:
        # Not `open_data`: a test part drawn from the rows would change their numbers with the seed.
        dataset = open_dataset(data, data_folder, watcher.loading, image_size=image_size)
        found = _found(dataset, config, folds, most, watcher) if labels else None
    if found is None:
        typer.echo(json.dumps(_facts(dataset), allow_nan=False)) if as_json else _print_facts(dataset)
        return
    if folder is not None:
        _write(found, folder, accept)
    if as_json:
        typer.echo(json.dumps(_issues(found), allow_nan=False))
        return
    screen = console()
    n, doubted = len(dataset.train), len(found.issues)
    screen.print(
        styled((f"{doubted:,} of {n:,} labels are in doubt, judged by networks that had not seen them", "bold"))
    )
    if doubted:
        screen.print(_issues_table(found))
    if doubted > _SHOWN:
        screen.print(styled((f"  ... and {doubted - _SHOWN:,} more", "dim")))
    if folder is None:
        screen.print("\nTry     --out FOLDER for a page with all of them, and corrections that likely fit accepts")
    else:
        screen.print(f"\nPage         {printable(folder / PAGE)}")
        screen.print(f"Corrections  {printable(folder / CORRECTIONS)}: edit its column label")
        screen.print(
            f"Then         {printable(shlex.join(['likely', 'fit', data, '--corrections', str(folder / CORRECTIONS)]))}"
        )


def _found(
    dataset: "Dataset", config: Any, folds: int, most: int | None, watcher: "LiveWatcher | PlainWatcher"
) -> "LabelCheck":
    from likely.label_check import check_labels

    watcher.say(f"{dataset.name}: {len(dataset.train):,} training rows, from {dataset.found_at}")
    found = check_labels(dataset, config, folds=folds, watcher=watcher)
    return found if most is None else found.first(most)


def _checked_folder(out: str, overwrite: bool) -> "Path":
    """The folder, made, once it is seen to hold neither file: hours of training or of editing must not be lost."""
    from pathlib import Path

    from likely.errors import OutputError

    folder = Path(out)
    taken = [name for name in (CORRECTIONS, PAGE) if (folder / name).exists()]
    if taken and not overwrite:
        raise OutputError(
            f"--out must be free; {folder} already holds {' and '.join(taken)}. "
            "Edited corrections are never overwritten without being asked. Try another --out, or --overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--out must be a folder that can be written; {folder} is not: {error.strerror}.") from None
    return folder


def _write(found: "LabelCheck", folder: "Path", accept: bool) -> None:
    from likely.data.corrections import write_corrections
    from likely.report.label_page import write_label_page

    write_corrections(folder / CORRECTIONS, found.dataset, found.corrections(accept=accept))
    write_label_page(folder / PAGE, found)


def _issues(found: "LabelCheck") -> list[dict[str, Any]]:
    column, doubts = found.column, found.doubts()
    return [
        {
            column: doubt.row if column == "row" else doubt.name,
            "given": doubt.given,
            "suggested": doubt.suggested,
            "p_given": doubt.p_given,
            "p_suggested": doubt.p_suggested,
            "score": doubt.score,
        }
        for doubt in doubts
    ]


def _issues_table(found: "LabelCheck") -> "Text":
    rows = [[found.column, "given", "suggested", "P(given)", "P(suggested)"]]
    rows += [
        [
            printable(doubt.name),
            printable(doubt.given),
            printable(doubt.suggested),
            percent(doubt.p_given),
            percent(doubt.p_suggested),
        ]
        for doubt in found.doubts(_SHOWN)
    ]
    return aligned(rows)


def _facts(dataset: "Dataset") -> dict[str, Any]:
    import numpy as np

    parts = {"train": dataset.train, **({} if dataset.test is None else {"test": dataset.test})}
    counts = {
        name: dict(zip(dataset.labels, np.bincount(part.y, minlength=len(dataset.labels)).tolist(), strict=True))
        for name, part in parts.items()
        if dataset.labels
    }
    return {
        "name": dataset.name,
        "task": dataset.task,
        "found_at": dataset.found_at,
        "rows": {name: len(part) for name, part in parts.items()},
        "shape": list(dataset.train.X.shape[1:]),
        "labels": counts,
        "notes": list(dataset.notes),
    }


def _print_facts(dataset: "Dataset") -> None:
    facts, screen = _facts(dataset), console()
    shape = " x ".join(str(size) for size in facts["shape"])
    kind = "pictures of" if len(facts["shape"]) > 1 else "numbers per row:"
    screen.print(
        styled((f"{printable(dataset.name)} can be learned from", "bold"), f": {dataset.task}, {kind} {shape}")
    )
    parts = list(facts["rows"])
    rows = [["", *parts], ["all rows", *(f"{count:,}" for count in facts["rows"].values())]]
    rows += [[printable(label), *(f"{facts['labels'][part][label]:,}" for part in parts)] for label in dataset.labels]
    screen.print(aligned(rows, right=True))
    for note in dataset.notes:
        screen.print(printable(note))
    if dataset.labels:
        screen.print("\nTry     --labels to find labels that are probably wrong")
