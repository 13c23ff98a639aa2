"""`likely evaluate`: the figures of a model on labeled data."""

from typing import Annotated, Any

import typer

from likely.cli.evaluating import about_later_rows, chosen_rows, flattered, in_terms_of, open_for_evaluation, trained_on
from likely.cli.matching import in_columns_of
from likely.cli.options import data_argument, model_argument, only_given, part_option, with_reading
from likely.cli.terminal import console


@with_reading
def evaluate(
    model: Annotated[str, model_argument()],
    data: Annotated[str, data_argument()],
    part: Annotated[str | None, part_option("evaluate")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON, like metrics.json.")] = False,
    **reading: Any,
) -> None:
    """Evaluate MODEL on DATA: accuracy, NLL, Brier score and ECE with 95% intervals, and every class."""
    import json

    from likely.cli.progress import watch
    from likely.cli.result_tables import classes_table, events_table, figures_table, promises_table, without_seen
    from likely.config import RunConfig
    from likely.model import load
    from likely.model.stand_ins import about_gaps
    from likely.training.evaluate import evaluate as evaluate_rows

    predictor = load(model, reading["device"] or "auto")
    with watch() as watcher:
        dataset = open_for_evaluation(predictor, RunConfig(data=data, **only_given(reading)), watcher)
        rows = chosen_rows(dataset, part)
        watcher.say(f"{dataset.name}: {len(rows):,} rows, from {dataset.found_at}")
        own = in_columns_of(predictor, dataset, in_terms_of(predictor, dataset, rows))
        seen = trained_on(predictor, dataset, dataset, rows, own.X)
        if seen.any():
            watcher.say(flattered("the model", int(seen.sum()), len(rows)))
        for sentence in about_gaps(predictor.gaps_by_column(own.X), len(rows)):
            watcher.say(f"warning: {sentence}")
        for sentence in about_later_rows(predictor.later_than_training(own.X), len(rows)):
            watcher.say(sentence)
    evaluation = evaluate_rows(predictor, own, seen).evaluation
    if as_json:
        typer.echo(json.dumps(evaluation.to_json(), allow_nan=False))
        return
    screen = console()
    screen.print(figures_table(evaluation))
    if evaluation.seen is not None:
        screen.print(without_seen(evaluation.seen))
    if evaluation.outside_range:
        screen.print(f"\n  {evaluation.outside_range:,} answers are outside the range of the training targets")
    if (promises := promises_table(evaluation)) is not None:
        screen.print()
        screen.print(promises)
    if evaluation.events:
        screen.print()
        screen.print(events_table(evaluation.events))
    if evaluation.per_class:
        screen.print()
        screen.print(classes_table(evaluation.per_class))
