"""`likely inspect`: what a model file says about itself."""

from typing import TYPE_CHECKING, Annotated

import typer

from likely.cli.options import model_argument
from likely.cli.tables import figures_table
from likely.cli.terminal import console, duration, padded, printable, styled, width

if TYPE_CHECKING:
    from likely.card import Card
    from likely.data.columns import Column

_LABELS_SHOWN = 100


def inspect(
    model: Annotated[str, model_argument()],
    as_json: Annotated[bool, typer.Option("--json", help="The whole card as JSON.")] = False,
) -> None:
    """Print what MODEL is and how it was made, without loading its weights."""
    import json

    from likely.predictor import read_card

    card = read_card(model)
    if as_json:
        typer.echo(json.dumps(card.to_json(), allow_nan=False, indent=2))
        return
    screen = console()
    facts = _facts(card)
    columns = max(width(name) for name, _ in facts)
    for name, fact in facts:
        screen.print(styled((padded(name, columns), "dim"), "  ", printable(fact)))
    if card.metrics is not None:
        screen.print(styled(("\nOn test rows that training never saw", "bold")))
        screen.print(figures_table(card.metrics))


def _facts(card: "Card") -> list[tuple[str, str]]:
    network, training, data = card.network, card.training, card.data
    settings = ", ".join(f"{name} {value}" for name, value in network.settings.items())
    facts = [
        ("task", card.task),
        *([("labels", _labels(card))] if card.labels else []),
        ("columns", _columns(card)),
        ("network", f"{network.name} ({settings})" if settings else network.name),
        ("parameters", f"{network.parameters:,}"),
        ("head, loss", f"{card.head}, {card.loss}"),
        ("calibration", _calibration(card)),
        *((f"event {name}", ", ".join(labels)) for name, labels in card.events.items()),
        ("data", f"{data.name}, from {data.found_at}" if data.found_at else data.name),
        ("data SHA-256", data.sha256),
        ("splits", _splits(card)),
        (
            "training",
            f"{training.engine} on {training.device}, {training.precision}, {training.optimizer}, "
            f"seed {training.seed}: {round(training.epochs, 2):g} epochs in {duration(training.seconds)}, "
            f"{training.stopped}",
        ),
        ("photographs", _photographs(card)),
        ("versions", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
        ("made", card.created),
        ("command", training.command),
    ]
    return [(name, fact) for name, fact in facts if fact]


def _columns(card: "Card") -> str:
    from likely.data.normalize import Normalization

    transform = Normalization.from_json(card.normalization).columns
    if transform is None:
        names = [(name, "") for name in card.features or ()]
    else:
        names = [(c.name, _holds(c)) for c in transform.columns]
    shown = ", ".join(f"{name}{holds}" for name, holds in names[:_LABELS_SHOWN])
    return f"{len(names)}: {shown}{', ...' if len(names) > _LABELS_SHOWN else ''}" if names else ""


def _holds(column: "Column") -> str:
    what = "numbers" if column.categories is None else f"{len(column.categories)} categories"
    return f" ({what}, some missing)" if column.missing else f" ({what})"


def _photographs(card: "Card") -> str:
    if card.normalization.get("kind") != "pictures":
        return ""
    return card.conversion["name"] if card.conversion else "only resized"


def _labels(card: "Card") -> str:
    shown = ", ".join(card.labels[:_LABELS_SHOWN])
    return f"{len(card.labels)}: {shown}{', ...' if len(card.labels) > _LABELS_SHOWN else ''}"


def _calibration(card: "Card") -> str:
    if card.task == "regression":
        return ""
    if card.temperature is None:
        return "none: too few rows to hold any out"
    return f"temperature {card.temperature:.4g}, from {card.splits.calibration:,} held-out rows"


def _splits(card: "Card") -> str:
    splits = card.splits
    parts = [f"{splits.train:,} to train"]
    if splits.method == "cross-validation":
        parts.append(f"all of them out of fold in {splits.folds} folds for calibration and thresholds (approximate)")
    else:
        named = (("calibration", splits.calibration), ("thresholds", splits.thresholds), ("stopping", splits.stopping))
        parts += [f"{rows:,} for {name}" for name, rows in named if rows]
    return ", ".join([*parts, f"{splits.test:,} to test"])
