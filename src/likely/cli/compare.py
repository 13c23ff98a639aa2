"""`likely compare`: evaluate two models on the same rows, and say what may be concluded from their difference."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from likely.cli.evaluating import chosen_rows, flattered, in_terms_of, open_for_evaluation, trained_on
from likely.cli.matching import in_columns_of
from likely.cli.options import data_argument, model_argument, only_given, part_option, with_reading
from likely.cli.terminal import console, printable, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from likely.data.dataset import Part
    from likely.metrics import Difference
    from likely.model import Predictor


@with_reading
def compare(
    first: Annotated[str, model_argument("The first model.likely, or its run folder.")],
    second: Annotated[str, model_argument("The second model.likely, or its run folder.")],
    data: Annotated[str, data_argument()],
    part: Annotated[str | None, part_option("evaluate")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Both models' figures and the differences as JSON.")] = False,
    **reading: Any,
) -> None:
    """Evaluate two models on DATA: both figures, and their difference with a 95% interval of the same rows."""
    import json

    from likely.cli.progress import watch
    from likely.cli.result_tables import conclusions_table, differences_table
    from likely.config import RunConfig
    from likely.metrics.comparison import Comparison
    from likely.model import load
    from likely.model.stand_ins import about_gaps
    from likely.training.evaluate import evaluate

    models = [load(path, reading["device"] or "auto") for path in (first, second)]
    _check_comparable(models)
    with watch() as watcher:
        asked = RunConfig(data=data, **only_given(reading))
        dataset = open_for_evaluation(models[0], asked, watcher)
        rows = chosen_rows(dataset, part)
        watcher.say(f"{dataset.name}: {len(rows):,} rows, from {dataset.found_at}")
        for who, model in zip(("first", "second"), models, strict=True):
            has_its_rows = model is models[0] or model.card.data.sha256 == dataset.sha256
            own = dataset if has_its_rows else open_for_evaluation(model, asked, watcher, dataset.notes)
            X = in_columns_of(model, dataset, rows, models[0]).X
            seen = trained_on(model, own, dataset, rows, X)
            if seen.any():
                watcher.say(flattered(f"the {who} model", int(seen.sum()), len(rows)))
            for sentence in about_gaps(model.gaps_by_column(X), len(rows)):
                watcher.say(f"warning: The {who} model: {sentence}")
    found = [
        evaluate(model, in_columns_of(model, dataset, in_terms_of(model, dataset, rows), models[0])) for model in models
    ]
    differences = _differences(models, [each.answers for each in found], in_terms_of(models[0], dataset, rows))
    if as_json:
        evaluations = found[0].evaluation, found[1].evaluation
        comparison = Comparison(len(rows), (first, second), evaluations, differences)
        typer.echo(json.dumps(comparison.to_json(), allow_nan=False))
        return
    screen = console()
    for side, path in (("first ", first), ("second", second)):
        screen.print(styled((side, "dim"), "  ", printable(path)))
    screen.print()
    screen.print(differences_table(differences))
    screen.print()
    screen.print(conclusions_table(differences))


def _check_comparable(models: "Sequence[Predictor]") -> None:
    """Refuse two models that do not answer the same question."""
    from likely.errors import DataError

    first, second = (model.card for model in models)
    if first.task != second.task:
        raise DataError(f"Two models must have the same task to be compared; got {first.task} and {second.task}.")
    if set(first.labels) != set(second.labels):
        side, label = next(
            (side, label)
            for side, mine, other in (("first", first, second), ("second", second, first))
            for label in mine.labels
            if label not in other.labels
        )
        raise DataError(
            f"Two models must have the same labels to be compared; got {label!r} in the {side} model only. Try models "
            "of the same data."
        )


def _differences(
    models: "Sequence[Predictor]", answers: "Sequence[np.ndarray]", rows: "Part"
) -> "dict[str, Difference]":
    """The paired differences; `rows` has its classes numbered as the first model numbers them."""
    from likely.metrics import paired_difference, paired_regression_difference

    first, second = answers
    if models[0].card.task == "regression":
        return paired_regression_difference(rows.y, first, second)
    columns = [models[1].card.labels.index(label) for label in models[0].card.labels]
    return paired_difference(first, second.take(columns, axis=1), rows.y)
