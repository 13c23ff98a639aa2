"""`likely inspect`: what a model file says about itself."""

from typing import Annotated

import typer
from rich.cells import cell_len

from likely.cli.options import model_argument
from likely.cli.terminal import console, padded, print_json, printable, styled


def inspect(
    model: Annotated[str, model_argument()],
    as_json: Annotated[bool, typer.Option("--json", help="The whole card as JSON.")] = False,
) -> None:
    """Print what MODEL is and how it was made, without loading its weights."""
    from likely.cli.result_tables import figures_table
    from likely.model import read_card
    from likely.model.card_view import card_facts
    from likely.model.load import parameter_shapes

    card = read_card(model)
    if as_json:
        print_json(card.to_json(), indent=2)
        return
    screen = console()
    facts = card_facts(card)
    columns = max(cell_len(name) for name, _ in facts)
    for name, fact in facts:
        screen.print(styled((padded(name, columns), "dim"), "  ", printable(fact)))
    if card.network.name not in ("trees", "mixture"):
        screen.print(styled(("\nParameters, by the names that --freeze matches", "bold")))
        shapes = parameter_shapes(model)
        columns = max(map(cell_len, shapes))
        for name, shape in shapes.items():
            screen.print(styled(padded(name, columns), "  ", " x ".join(map(str, shape))))
    if card.evaluation is not None:
        screen.print(styled(("\nOn test rows that training never saw", "bold")))
        screen.print(figures_table(card.evaluation))
