"""`likely calibrate`: the same network with probabilities and promises from new labeled rows."""

from pathlib import Path
from typing import Annotated, Any

import typer

from likely.cli.options import data_argument, model_argument, only_given, part_option, with_reading


@with_reading
def calibrate(
    model: Annotated[str, model_argument()],
    data: Annotated[str, data_argument()],
    out: Annotated[str, typer.Option(metavar="FILE", help="Path of the new model.")],
    part: Annotated[str | None, part_option("calibrate")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
    **reading: Any,
) -> None:
    """Redo calibration, sets, error bounds and familiarity of MODEL from the labeled rows of DATA.

    Half of the rows fit a temperature, and a bias per class where that helps; half carry the promises. Rows that the
    network was trained on are refused, as far as its run folder lies beside it.
    """
    import numpy as np

    from likely.cli.evaluating import chosen_rows, in_terms_of, open_for_evaluation
    from likely.cli.matching import in_columns_of
    from likely.cli.progress import watch
    from likely.cli.terminal import console, printable
    from likely.config import RunConfig
    from likely.errors import DataError, OutputError
    from likely.model import ClassifierPredictor, load

    if Path(out).exists() and not overwrite:
        raise OutputError(f"{out} already exists. Try another --out, or --overwrite to replace it.")
    predictor = load(model, reading["device"] or "auto")
    if not isinstance(predictor, ClassifierPredictor):
        raise DataError(f"Only a classifier can be calibrated; {model} predicts numbers. Try likely fit on all rows.")
    with watch() as watcher:
        dataset = open_for_evaluation(predictor, RunConfig(data=data, **only_given(reading)), watcher)
        rows = in_columns_of(predictor, dataset, in_terms_of(predictor, dataset, chosen_rows(dataset, part)))
        watcher.say(f"{dataset.name}: {len(rows):,} rows, from {dataset.found_at}")
        calibrated = predictor.calibrate(rows.X, np.asarray(predictor.labels)[rows.y], rows.groups)
        before, after = predictor.card.temperature, calibrated.card.temperature
        biases = "" if calibrated.card.biases is None else ", and a bias per class"
        watcher.say(
            f"Temperature {f'{before:.3f} before, ' if before else ''}{after:.3f}{' now' if before else ''}{biases}"
        )
        watcher.say("Figures on these rows would flatter the model from now on; evaluate it on others")
    calibrated.with_metrics(None).save(out)
    console().print(f"Model   {printable(Path(out))}")
