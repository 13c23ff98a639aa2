"""The page of explanations: what carries each answer; loads nothing, runs no script."""

from collections.abc import Sequence

from likely.explain.explanation import Explanation, ImageExplanation
from likely.metrics.numerals import counted
from likely.report.explanation_cards import explanation_card
from likely.report.page import template

_OF_IMAGES = (
    "Left: the image as the model reads it. Right: orange where covering lowers the number, because what is there "
    "raises it; blue where it is the other way round. Covered places take the broad colors of the image around them."
)
_OF_COLUMNS = (
    "Each bar says how far the number would change, on average, if the model were given other values of that column, "
    "as they came in training: to the right the value raises it, to the left it lowers it. Columns that say the same "
    "hide each other."
)
_OF_ALL = "This shows what the model looks at, not what is the cause of anything in the world."


def how_to_read(*, of_images: bool) -> list[str]:
    """How explanations are read, in sentences."""
    return [_OF_IMAGES if of_images else _OF_COLUMNS, _OF_ALL]


def render_explanation_page(model: str, named: Sequence[tuple[str, Explanation]]) -> str:
    """The page as HTML text; every text that comes from the data is escaped.

    Args:
        model: what the model is called.
        named: explanations with the names of their images or rows; at least one.
    """
    of_images = isinstance(named[0][1], ImageExplanation)
    noun = "image" if of_images else "row"
    return template("explanation_page.html").render(
        title=f"Why? {model}",
        model=model,
        lead=f"What carries the {'answer' if len(named) == 1 else 'answers'} to {counted(len(named), noun)}.",
        how=how_to_read(of_images=of_images),
        whys=[explanation_card(name, each) for name, each in named],
    )
