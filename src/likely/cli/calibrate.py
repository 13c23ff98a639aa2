"""`likely calibrate`: the same network with probabilities and guarantees from new labeled rows."""

from pathlib import Path
from typing import Annotated

import typer

from likely.cli.options import configured, model_argument, part_option, reading_options
from likely.config import RunConfig


@configured(reading_options())
def calibrate(
    model: Annotated[str, model_argument()],
    asked: RunConfig,
    out: Annotated[str, typer.Option(metavar="FILE", help="Path of the new model.")],
    part: Annotated[str | None, part_option("calibrate")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Redo calibration, sets, error bounds and familiarity of MODEL from the labeled rows of DATA.

    Half of the rows fit a temperature, and a bias per class where that helps; the guarantees rest on the other half.
    Rows that the network was trained on are refused, if its run folder still lists them.
    """
    import numpy as np

    from likely.cli.evaluating import chosen_rows, in_terms_of, open_for_evaluation
    from likely.cli.progress import watch
    from likely.cli.terminal import console, printable
    from likely.errors import DataError, OutputError
    from likely.model import ClassifierPredictor, load

    if Path(out).exists() and not overwrite:
        raise OutputError(f"{out} already exists. Try another --out, or --overwrite to replace it.")
    predictor = load(model, asked.device)
    if not isinstance(predictor, ClassifierPredictor):
        raise DataError(f"Only a classifier can be calibrated; {model} predicts numbers. Try likely fit on all rows.")
    with watch() as watcher:
        dataset = open_for_evaluation(predictor, asked, watcher)
        rows = in_terms_of(predictor, dataset, chosen_rows(dataset, part, watcher))
        calibrated = predictor.calibrate(rows.X, np.asarray(predictor.labels)[rows.y], rows.groups)
        before, after = predictor.card.temperature, calibrated.card.temperature
        biases = "" if calibrated.card.biases is None else ", and a bias per class"
        watcher.say(
            f"Temperature {f'{before:.3f} before, ' if before else ''}{after:.3f}{' now' if before else ''}{biases}"
        )
        watcher.say("Figures on these rows would flatter the model from now on; evaluate it on others")
    calibrated.with_metrics(None).save(out)
    console().print(f"Model   {printable(Path(out))}")
