"""How many examples each class has, and whether the parts agree about that."""

import numpy as np
from scipy.special import chdtrc

from likely.data.check.all_rows import AllRows
from likely.data.check.findings import Finding, Place, about
from likely.metrics.numerals import counted

FEWEST = 5
"""Small data are calibrated by cross-validation, which needs a row of each class in each of its five folds."""

FEW = 20
"""With fewer test rows of a class, figures of that class say little."""

_RATIO, _DRIFT = 10.0, 0.05
_DRIFT_BY_CHANCE = 3e-5
"""How often chance alone may lead to a finding."""


def about_classes(rows: AllRows) -> list[Finding]:
    """Classes with few examples, one-sided classes, and parts with other class frequencies; nothing for regression."""
    labels = rows.dataset.labels
    if not labels:
        return []
    counts = {name: np.bincount(part.y, minlength=len(labels)) for name, part in rows.parts.items()}
    why = (
        f"{FEWEST} training examples: too few to learn, and to calibrate a model of fewer than 5,000 rows, which takes "
    )
    found = [
        *about(
            "few",
            "warning",
            _fewer(counts["train"], labels, "train", FEWEST),
            f"class has fewer than {why}five folds|classes have fewer than {why}five folds",
            "Add examples, or merge or remove these classes.",
        ),
        *_balance(counts["train"], labels),
    ]
    for part in list(counts)[1:]:
        found += about(
            "few-to-judge",
            "note",
            _fewer(counts[part], labels, part, FEW) if counts[part].sum() >= FEW else [],
            f"class has fewer than {FEW} {part} examples: their figures will say little|"
            f"classes have fewer than {FEW} {part} examples: their figures will say little",
            f"Add {part} examples, or go by the figures over all classes.",
        )
        found += _drift(counts["train"], counts[part], labels, part)
    return found


def _fewer(counts: np.ndarray, labels: tuple[str, ...], part: str, than: int) -> list[Place]:
    """The classes with so few examples."""
    few = np.flatnonzero(counts < than).tolist()
    return [_class(labels[i], part, counted(int(counts[i]), "example")) for i in few]


def _balance(counts: np.ndarray, labels: tuple[str, ...]) -> list[Finding]:
    least, most = int(counts.argmin()), int(counts.argmax())
    ratio = float(counts[most] / max(1, counts[least]))
    if ratio < _RATIO:
        return []
    message = (
        f"The largest class has {ratio:,.0f} times as many training examples as the smallest: always predicting "
        f"{labels[most]!r} is right for {counts[most] / counts.sum():.1%} of them."
    )
    advice = (
        "Judge by NLL and by class, not by accuracy alone; --class-weight balanced gives all classes the same weight."
    )
    groups = [[_class(labels[i], "train", counted(int(counts[i]), "example")) for i in (most, least)]]
    return [Finding("balance", "note", message, advice, groups)]


def _drift(expected: np.ndarray, counts: np.ndarray, labels: tuple[str, ...], part: str) -> list[Finding]:
    """A chi-squared test, and a difference large enough to matter."""
    n, m = int(expected.sum()), int(counts.sum())
    if not n or not m:
        return []
    pooled = (expected + counts) / (n + m)
    known = pooled > 0
    shares = np.stack([expected / n, counts / m])[:, known]
    chi2 = float((((shares - pooled[known]) ** 2 / pooled[known]) * np.array([[n], [m]])).sum())
    freedom = int(known.sum()) - 1
    apart = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if apart < _DRIFT or chdtrc(max(1, freedom), chi2) > _DRIFT_BY_CHANCE:
        return []
    order = np.argsort(-np.abs(expected / n - counts / m), kind="stable")
    moved = [i for i in order.tolist() if abs(expected[i] / n - counts[i] / m) >= _DRIFT / 2] or order[:2].tolist()
    message = (
        f"Class frequencies differ between training and {part}: {apart:.0%} of the rows would have to change class."
    )
    advice = "Draw both parts the same way, or give the expected frequencies with likely predict --prior."
    groups = [[_class(labels[i], "", f"{expected[i] / n:.1%} in train, {counts[i] / m:.1%} in {part}")] for i in moved]
    return [Finding("drift", "warning", message, advice, groups)]


def _class(label: str, part: str, detail: str) -> Place:
    return Place(label, "label", part, detail=detail)
