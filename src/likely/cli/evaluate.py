"""`likely evaluate`: the figures of a model on labeled data."""

from typing import Annotated

import typer

from likely.cli.options import configured, model_argument, part_option, reading_options
from likely.cli.terminal import console, print_json, printable
from likely.config import RunConfig


@configured(reading_options())
def evaluate(
    model: Annotated[str, model_argument()],
    asked: RunConfig,
    part: Annotated[str | None, part_option("evaluate")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON, like metrics.json.")] = False,
) -> None:
    """Evaluate MODEL on DATA: accuracy, NLL, Brier score and ECE with 95% intervals, and every class."""
    from likely.cli import evaluating
    from likely.cli.open_model import open_model
    from likely.cli.progress import watch
    from likely.cli.result_tables import classes_table, events_table, figures_table, promises_table, without_seen
    from likely.model.stand_ins import about_gaps
    from likely.training.evaluate import evaluate as evaluate_rows

    predictor = open_model(model, asked.device)
    with watch() as watcher:
        dataset = evaluating.open_for_evaluation(predictor, asked, watcher)
        rows = evaluating.chosen_rows(dataset, part, watcher)
        own = evaluating.in_terms_of(predictor, dataset, rows)
        seen = evaluating.trained_on(predictor, dataset, dataset, rows, own)
        if seen.any():
            watcher.say(evaluating.flattered("the model", int(seen.sum()), len(rows)))
        for sentence in about_gaps(predictor.gaps_by_column(own.X), len(rows)):
            watcher.say(f"warning: {sentence}")
        for sentence in evaluating.about_later_rows(predictor.later_than_training(own.X), len(rows)):
            watcher.say(sentence)
    evaluation = evaluate_rows(predictor, own, seen).evaluation
    if as_json:
        print_json(evaluation.to_json())
        return
    screen = console()
    screen.print(figures_table(evaluation))
    if evaluation.seen is not None:
        screen.print(without_seen(evaluation.seen))
        if evaluation.seen.without is None and predictor.card.evaluation is not None:
            screen.print(f"Figures of rows that were new: likely inspect {printable(model)}")
    if evaluation.outside_range:
        screen.print(f"\n  {evaluation.outside_range:,} answers are outside the range of the training targets")
    for table in (promises_table(evaluation), events_table(evaluation.events), classes_table(evaluation.per_class)):
        if table is not None:
            screen.print("\n", table, sep="")
