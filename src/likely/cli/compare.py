"""`likely compare`: evaluate two models on the same rows, and say what may be concluded from their difference."""

from typing import Annotated

import typer

from likely.cli.options import configured, model_argument, part_option, reading_options
from likely.cli.terminal import console, print_json, printable, styled
from likely.config import RunConfig


@configured(reading_options())
def compare(
    first: Annotated[str, model_argument("The first model.likely, or its run folder.")],
    second: Annotated[str, model_argument("The second model.likely, or its run folder.")],
    asked: RunConfig,
    part: Annotated[str | None, part_option("evaluate")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Both models' figures and the differences as JSON.")] = False,
) -> None:
    """Evaluate two models on the same rows of DATA: both figures, and their difference with a 95% interval."""
    from likely.cli.evaluating import (
        check_comparable,
        chosen_rows,
        flattered,
        in_terms_of,
        open_for_evaluation,
        out_of_fold,
        trained_on,
    )
    from likely.cli.progress import watch
    from likely.cli.result_tables import differences_table
    from likely.metrics import paired_difference, paired_regression_difference
    from likely.model import load
    from likely.model.stand_ins import about_gaps
    from likely.training.evaluate import evaluate

    models = [load(path, asked.device) for path in (first, second)]
    cards = [model.card for model in models]
    check_comparable(*cards)
    with watch() as watcher:
        dataset = open_for_evaluation(models[0], asked, watcher)
        rows = chosen_rows(dataset, part, watcher)
        evaluated = out_of_fold((first, second), cards, dataset) if part is None else None
        if evaluated is not None:
            n = len(evaluated[0].part)
            watcher.say(f"Both models learned from these rows; compared by what was answered out of fold to {n:,}")
        in_terms = [in_terms_of(model, dataset, rows, models[0]) for model in models]
        for who, model, in_its_terms in zip(("first", "second"), models, in_terms, strict=True):
            has_its_rows = model is models[0] or model.card.data.sha256 == dataset.sha256
            own = dataset if has_its_rows else open_for_evaluation(model, asked, watcher, dataset.notes)
            seen = trained_on(model, own, dataset, rows, in_its_terms)
            if evaluated is None and seen.any():
                watcher.say(flattered(f"the {who} model", int(seen.sum()), len(rows)))
            for sentence in about_gaps(model.gaps_by_column(in_its_terms.X), len(rows)):
                watcher.say(f"warning: The {who} model: {sentence}")
    if evaluated is None:
        evaluated = [evaluate(model, its_rows) for model, its_rows in zip(models, in_terms, strict=True)]
    answers, y = [each.answers for each in evaluated], evaluated[0].part.y
    if cards[0].task == "regression":
        differences = paired_regression_difference(y, answers[0], answers[1])
    else:
        columns = [cards[1].labels.index(label) for label in cards[0].labels]
        differences = paired_difference(answers[0], answers[1].take(columns, axis=1), y)
    if as_json:
        sides = zip(("first", "second"), (first, second), evaluated, strict=True)
        figures = {side: {"model": path, "figures": each.evaluation.to_json()} for side, path, each in sides}
        difference = {name: found.to_json() for name, found in differences.items()}
        print_json({"n": len(y), **figures, "difference": difference})
        return
    screen = console()
    for side, path in (("first ", first), ("second", second)):
        screen.print(styled((side, "dim"), "  ", printable(path)))
    screen.print("\n", differences_table(differences), sep="")
