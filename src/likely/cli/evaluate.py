"""`likely evaluate`: judge a model on labelled data."""

from typing import TYPE_CHECKING, Annotated

import typer

from likely.cli.options import choice, data_argument, data_option, model_argument
from likely.cli.tables import classes_table, figures_table
from likely.cli.terminal import console

if TYPE_CHECKING:
    from likely.data.dataset import Dataset, Part
    from likely.predictor import Predictor
    from likely.recipe import Watcher


def evaluate(
    model: Annotated[str, model_argument()],
    data: Annotated[str, data_argument()],
    part: Annotated[
        str | None, choice("part", "Which rows to judge on. Default: test, or all rows where there is no test part.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON, like metrics.json.")] = False,
    data_folder: Annotated[str | None, data_option()] = None,
    device: Annotated[str | None, choice("device", "Where torch computes.")] = None,
) -> None:
    """Judge MODEL on DATA: accuracy, NLL, Brier score and ECE with 95% intervals, and every class."""
    import json

    from likely.cli.progress import watch
    from likely.predictor import load
    from likely.recipe import judge

    predictor = load(model, device or "auto")
    with watch() as watcher:
        dataset = _opened(predictor, data, data_folder, watcher)
        rows = _rows(dataset, part)
        watcher.say(f"{dataset.name}: {len(rows):,} rows, from {dataset.found_at}")
        if rows is not dataset.test and dataset.sha256 == predictor.card.data.sha256:
            watcher.say("warning: the model was trained on these rows, so the figures flatter it")
    figures, _ = judge(predictor, _in_terms_of(predictor, dataset, rows))
    if as_json:
        typer.echo(json.dumps(figures, allow_nan=False))
        return
    screen = console()
    screen.print(figures_table(figures))
    if "per_class" in figures:
        screen.print()
        screen.print(classes_table(figures["per_class"]))


def _opened(predictor: "Predictor", data: str, data_folder: str | None, watcher: "Watcher") -> "Dataset":
    """The data set; if it is the one that the model was made from, with the same test rows, drawn or declared."""
    from likely.config import RunConfig
    from likely.data.sources import open_dataset
    from likely.recipe import open_data

    card = predictor.card
    # Pictures of any size are judged at the size that the model reads.
    side = predictor.picture_shape[0] if predictor.picture_shape is not None else None
    source = open_dataset(data, data_folder, watcher.loading, image_size=side)
    may_be_its_own = source.test is None and len(source.train) == card.data.rows + card.splits.test
    if may_be_its_own or source.task != card.task:
        config = RunConfig(data=data, data_folder=data_folder, task=card.task, seed=card.training.seed, image_size=side)
        drawn = open_data(config)
        if source.task != card.task or drawn.sha256 == card.data.sha256:
            source = drawn
    return source


def _rows(dataset: "Dataset", part: str | None) -> "Part":
    from likely.errors import DataError

    if part == "test" and dataset.test is None:
        raise DataError(f"{dataset.name} must have a test part; got only one part. Try without --part.")
    return dataset.train if part == "train" or dataset.test is None else dataset.test


def _in_terms_of(predictor: "Predictor", dataset: "Dataset", rows: "Part") -> "Part":
    """The rows with their classes numbered as the model numbers them."""
    from dataclasses import replace

    import numpy as np

    from likely.errors import DataError, nearest

    labels = predictor.card.labels
    unknown = [label for label in dataset.labels if label not in labels]
    if unknown:
        raise DataError(
            f"The labels of {dataset.name} must be labels of the model; got {unknown[0]!r}"
            f"{f' and {len(unknown) - 1} more' if len(unknown) > 1 else ''}. {nearest(unknown[0], labels)}"
        )
    if not labels or dataset.labels == labels:
        return rows
    numbers = np.array([labels.index(label) for label in dataset.labels])
    return replace(rows, y=numbers[rows.y])
