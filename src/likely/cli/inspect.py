"""`likely inspect`: what a model file says about itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.cells import cell_len

from likely.cli.options import model_argument
from likely.cli.terminal import console, padded, print_json, printable, styled

if TYPE_CHECKING:
    from rich.console import Console

    from likely.model.card import Card


def inspect(
    model: Annotated[str, model_argument("A model.likely, the run folder that holds it, or an exported OUT.onnx.")],
    as_json: Annotated[bool, typer.Option("--json", help="The whole card as JSON.")] = False,
) -> None:
    """Print what MODEL is and how it was made, without loading its weights."""
    from likely.cli.result_tables import figures_table
    from likely.model.card_view import card_facts

    card, sections = _onnx_file(model) if model.lower().endswith(".onnx") else _model_file(model)
    if as_json:
        print_json(card.to_json(), indent=2)
        return
    screen = console()
    _print_pairs(screen, [(name, str(fact)) for name, fact in card_facts(card)], "dim")
    for title, pairs in sections.items():
        screen.print(styled((f"\n{title}", "bold")))
        _print_pairs(screen, pairs)
    if card.evaluation is not None:
        which = "test rows that training never saw" if card.evaluation.rows is None else f"{card.evaluation.kind} rows"
        screen.print(styled((f"\nOn {which}", "bold")))
        screen.print(figures_table(card.evaluation))
        if card.evaluation.how:
            screen.print(card.evaluation.how)
    if card.data.notes:
        screen.print(styled(("\nNotes", "bold")))
        for note in card.data.notes:
            screen.print(printable(note))


_Sections: TypeAlias = dict[str, list[tuple[str, str]]]


def _model_file(path: str) -> "tuple[Card, _Sections]":
    from likely.model import read_card
    from likely.model.load import parameter_shapes

    card = read_card(path)
    if card.network.name in ("trees", "mixture"):
        return card, {}
    shapes = [(name, " x ".join(map(str, shape))) for name, shape in parameter_shapes(path).items()]
    return card, {"Parameters, by the names that --freeze matches": shapes}


def _onnx_file(path: str) -> "tuple[Card, _Sections]":
    from likely.export.onnx_predictor import open_onnx

    exported = open_onnx(path)
    sections: _Sections = {
        "Inputs": list(exported.session.inputs.items()),
        "Outputs": list(exported.session.described_outputs.items()),
    }
    if exported.missing:
        sections["What it cannot say"] = list(exported.missing.items())
    return exported.card, sections


def _print_pairs(screen: "Console", pairs: Sequence[tuple[str, str]], style: str = "") -> None:
    columns = max(cell_len(name) for name, _ in pairs)
    for name, fact in pairs:
        screen.print(styled((padded(name, columns), style), "  ", printable(fact)))
