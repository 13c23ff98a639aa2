"""A model's card for people: its facts in words, and as HTML for a notebook."""

import html
from collections.abc import Sequence

from likely.config.durations import duration
from likely.metrics.intervals import Estimate
from likely.model.card import Card
from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column
from likely.preprocessing.preprocessor import Preprocessor, preprocessor_from_json

_SHOWN = 100
_OF_INPUTS = ("numbers", "indicated", "categories", "n_inputs", "n_sets", "n_sums", "normalized")
"""Settings of trees that follow from the columns."""


def card_facts(card: Card) -> list[tuple[str, str]]:
    """What a model is and how it was made: names and facts, in words, those that do not apply left out."""
    network, training, data = card.network, card.training, card.data
    preprocessor = preprocessor_from_json(card.normalization)
    settings = _mixed(card) or ", ".join(
        f"{name} {value}" for name, value in network.settings.items() if name not in _OF_INPUTS
    )
    facts = [
        ("task", card.task),
        ("labels", f"{len(card.labels)}: {_first(card.labels)}" if card.labels else ""),
        ("columns", _columns(card, preprocessor)),
        ("skewed columns", _transformed(card, preprocessor)),
        ("target encoding", _encoded(preprocessor)),
        ("network", f"{network.name} ({settings})" if settings else network.name),
        ("why these", str(network.settings.get("why", ""))),
        ("on features of", _backbone(preprocessor)),
        ("parameters", f"{network.parameters:,}"),
        ("head, loss", f"{card.head}, {card.loss}"),
        ("calibration", _calibration(card)),
        ("answers under", _prior(card)),
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
        ("augmented by", ", ".join(training.augment)),
        ("initialized from", training.init_from or ""),
        ("frozen", ", ".join(training.freeze)),
        ("photographs", str((card.conversion or {}).get("name", "only resized")) if preprocessor.image_shape else ""),
        ("versions", ", ".join(f"{name} {version}" for name, version in card.versions.items())),
        ("made", card.created),
        ("command", training.command),
    ]
    return [(name, fact) for name, fact in facts if fact]


def _mixed(card: Card) -> str:
    """The learners of a mixture with their weights and numbers of models; empty for one network."""
    weights: dict[str, list[float]] = {}
    members = card.network.settings.get("members")
    for member in members if isinstance(members, list) else ():  # a number of conv nets answers otherwise
        weights.setdefault(str(member["network"]), []).append(float(member["weight"]))
    return ", ".join(f"{name} {sum(each):.0%} by {len(each)} models" for name, each in weights.items())


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _columns(card: Card, preprocessor: Preprocessor) -> str:
    columns = preprocessor.columns
    names = list(card.features or ()) if columns is None else [f"{column.name}{_holds(column)}" for column in columns]
    return f"{len(names)}: {_first(names)}" if names else ""


def _transformed(card: Card, preprocessor: Preprocessor) -> str:
    """The columns that are made more symmetric, and their powers."""
    if not isinstance(preprocessor, ColumnPreprocessor) or (power := preprocessor.power) is None:
        return ""
    if preprocessor.columns is None:
        names = list(card.features or [f"column {j}" for j in range(len(power.power))])
    else:
        names = [preprocessor.columns[j].name for j in preprocessor.inputs.column_of_number.tolist()]
    changed = [f"{name} ({p:.2g})" for name, p in zip(names, power.power, strict=True) if p != 1]
    return f"{len(changed)} transformed, with powers: {_first(changed)}"


def _encoded(preprocessor: Preprocessor) -> str:
    """The columns of categories that the answers of their rows encode."""
    if not isinstance(preprocessor, ColumnPreprocessor) or not preprocessor.columns or preprocessor.encoding is None:
        return ""
    return _first([preprocessor.columns[j].name for j in preprocessor.encoding.columns])


def _holds(column: Column) -> str:
    what = "numbers" if column.categories is None else f"{len(column.categories)} categories"
    return f" ({what}, some missing)" if column.missing else f" ({what})"


def _backbone(preprocessor: Preprocessor) -> str:
    """The network whose features the model learned from."""
    if not isinstance(preprocessor, BackbonePreprocessor):
        return ""
    how = "tuned: its weights are not the published ones" if preprocessor.tuned else "pretrained and frozen"
    return f"{preprocessor.name}, {how}; {preprocessor.output_shape[0]:,} numbers of each image"


def _calibration(card: Card) -> str:
    if card.task == "regression":
        return ""
    if card.temperature is None:
        return "none: too few rows to hold any out"
    biases = "" if card.biases is None else " and a bias per class"
    return f"temperature {card.temperature:.4g}{biases}, from {card.splits.calibration:,} held-out rows"


def _prior(card: Card) -> str:
    """Other class frequencies than those that the probabilities were made under."""
    if card.prior is None:
        return ""
    shown = _first([f"{label} {p:.2%}" for label, p in zip(card.labels, card.prior, strict=True)])
    return f"{'estimated' if card.prior_estimated else 'given'} class frequencies: {shown}"


def _splits(card: Card) -> str:
    splits = card.splits
    grouped = f" ({splits.groups:,} groups of related ones)" if splits.groups else ""
    parts = [f"{splits.train:,} to train{grouped}"]
    if splits.method == "cross-validation":
        which = "all of them" if splits.thresholds == splits.train else f"{splits.thresholds:,} of them"
        parts.append(f"{which} out of fold in {splits.folds} folds for calibration and thresholds (approximate)")
    else:
        named = (("calibration", splits.calibration), ("thresholds", splits.thresholds), ("stopping", splits.stopping))
        parts += [f"{rows:,} for {name}" for name, rows in named if rows]
    return ", ".join([*parts, f"{splits.test:,} to test" if splits.test else "none to test"])


def card_html(card: Card) -> str:
    """The card for a notebook: figures with their intervals first, then the facts; no script, no file."""
    cells = "padding:.1em 1em .1em 0;text-align:left;vertical-align:top;background:none"
    evaluation = card.evaluation
    figures = "".join(
        f'<tr><td style="{cells}">{figure.label}</td>'
        f'<td style="{cells}"><b>{figure.with_unit(found.value)} ({figure.interval(found)})</b></td></tr>'
        for figure, found in (evaluation.figures() if evaluation is not None else ())
        if figure.title and isinstance(found, Estimate)
    )
    rows = "".join(
        f'<tr><td style="{cells};opacity:.7">{html.escape(name)}</td><td style="{cells}">{html.escape(fact)}</td></tr>'
        for name, fact in card_facts(card)
    )
    what = f"P(label | x) over {len(card.labels)} labels" if card.labels else "numbers"
    tested = "Not evaluated on test rows yet" if evaluation is None else f"On {evaluation.n:,} {evaluation.kind} rows"
    table = '<table style="border:none;margin:.3em 0">'
    return (
        f"<div><div><b>{html.escape(card.network.name)}</b>, {card.network.parameters:,} parameters: {what}</div>"
        f'<div style="opacity:.7">{tested}</div>{table}{figures}</table>'
        f"<details><summary>Card</summary>{table}{rows}</table></details></div>"
    )
