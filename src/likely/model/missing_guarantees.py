"""What a model can never say, and why, in a sentence: `fit`, the report and `predict` all say the same."""

from likely.model.classifier_predictor import ClassifierPredictor
from likely.model.regressor_predictor import RegressorPredictor
from likely.trust.familiarity import UNFAMILIAR, rows_needed_to_alarm


def never_unfamiliar(predictor: ClassifierPredictor | RegressorPredictor) -> str | None:
    """Why this model can call no row unfamiliar although it knows p-values, or None if it can."""
    if not predictor.knows_familiarity or predictor.can_alarm:
        return None
    m, needed = predictor.familiar_rows, rows_needed_to_alarm()
    return (
        f"No row can be called unfamiliar: with {m:,} held-out rows no p-value is below 1/{m + 1:,} = "
        f"{1 / (m + 1):.1%}, and a row is called unfamiliar from {UNFAMILIAR:.0%} down, which takes {needed}"
    )
