"""What a model cannot say or guarantee, and what to do about it: the texts of its refusals, in one place."""

from likely.errors import DataError
from likely.model.card import Card
from likely.trust.conformal import rows_needed
from likely.trust.familiarity import ROWS_TO_ALARM, UNFAMILIAR

NEW_ROWS = "calibrate(X, y) with new rows, or more rows to learn from"


def under_other_prior(what: str) -> DataError:
    """For what does not hold where classes come as often as `with_prior` says."""
    return DataError(
        f"{what} must rest on rows drawn like those to answer; got a model under another prior. Its guarantee does "
        "not survive the shift. Try the model without with_prior, or calibrate(X, y) on rows from the field."
    )


def nothing_held_out(
    what: str, where: str, card: Card, coverage: float | None = None, way_out: str = NEW_ROWS
) -> DataError:
    """For what rests on held-out rows, of a model that has none."""
    needs = "" if coverage is None else f" A coverage of {coverage} needs {rows_needed(coverage)}."
    return DataError(
        f"{what} must rest on held-out rows; {where} has none (trained on {_trained_on(card)}).{needs} Try {way_out}."
    )


def several_networks(card: Card) -> DataError:
    """For a bound on the error, of a model whose held-out scores come from cross-validation."""
    return DataError(
        f"An error bound must rest on held-out rows of one network; got out-of-fold scores of {card.splits.folds} "
        "networks. Try calibrate(X, y) with new rows, or at least 5,000 "
        f"{'groups of ' if card.splits.groups else ''}rows to learn from."
    )


def no_residuals(where: str, card: Card) -> DataError:
    """For the intervals of a regressor without held-out rows, or with several targets."""
    outputs, units = card.network.outputs, "groups" if card.splits.groups else "rows"
    return DataError(
        f"predict_interval must have held-out rows to measure errors on; {where} has none "
        f"(trained on {_trained_on(card)}{f', {outputs} targets' if outputs > 1 else ''}). "
        f"Try {'one target and ' if outputs > 1 else ''}at least 20 {units}."
    )


def too_few_to_alarm(m: int) -> str:
    """For calling rows unfamiliar, of a model with m held-out rows: `fit`, the report and `predict` say the same."""
    return (
        f"No row can be called unfamiliar: with {m:,} held-out rows no p-value is below 1/{m + 1:,} = "
        f"{1 / (m + 1):.1%}, and a row is called unfamiliar from {UNFAMILIAR:.0%} down, which takes {ROWS_TO_ALARM}"
    )


def _trained_on(card: Card) -> str:
    splits = card.splits
    return f"{splits.train:,} rows" + (f" in {splits.groups:,} groups of related ones" if splits.groups else "")
