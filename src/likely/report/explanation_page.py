"""The page of explanations: what carries each answer; loads nothing, runs no script."""

from collections.abc import Sequence

from likely.explain.explanation import Explanation, ImageExplanation
from likely.metrics.numerals import counted
from likely.report.explanation_cards import explanation_card
from likely.report.page import template

OF_IMAGES = (
    "Left: the image as the model reads it. Right: orange where covering lowers the number, because what is there "
    "raises it; blue where it is the other way round. Covered places take the broad colors of the image around them."
)
OF_GRADIENTS = (
    "Left: the image as the model reads it. Right: what each place adds to the number, compared with the same image "
    "without its details: orange raises, blue lowers."
)
OF_COLUMNS = (
    "Each bar says how far the number would change, on average, if the model were given other values of that column, "
    "as they came in training: to the right the value raises it, to the left it lowers it. Columns that say the same "
    "hide each other."
)
OF_ALL = "This shows what the model looks at, not what is the cause of anything in the world."


def how_to_read(found: Sequence[Explanation]) -> list[str]:
    """How explanations like these are read."""
    first = found[0]
    if not isinstance(first, ImageExplanation):
        return [OF_COLUMNS, OF_ALL]
    return [OF_GRADIENTS if first.method == "integrated_gradients" else OF_IMAGES, OF_ALL]


def render_explanation_page(model: str, named: Sequence[tuple[str, Explanation]]) -> str:
    """The page as HTML text; every text that comes from the data is escaped.

    Args:
        model: what the model is called.
        named: explanations with the names of their images or rows; at least one.
    """
    found = [each for _, each in named]
    noun = "image" if isinstance(found[0], ImageExplanation) else "row"
    return template("explanation_page.html").render(
        title=f"Why? {model}",
        model=model,
        lead=f"What carries the {'answer' if len(named) == 1 else 'answers'} to {counted(len(named), noun)}.",
        how=how_to_read(found),
        whys=[explanation_card(name, each) for name, each in named],
    )
