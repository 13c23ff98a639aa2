"""The names of the arrays in a model file, and what it keeps of held-out rows."""

from collections.abc import Callable, Mapping

import numpy as np

from likely.errors import ModelFileError
from likely.model.card import SKETCH
from likely.model.expected_arrays import expect_arrays, starting_with
from likely.preprocessing.preprocessor import Preprocessor
from likely.preprocessing.stored_rows import RowArray
from likely.trust.abstention import confidence, threshold_grid
from likely.trust.bias_corrected import Calibration
from likely.trust.familiarity import Familiarity, UsualSize
from likely.trust.gaussians import Gaussians
from likely.trust.held_out import HeldOut
from likely.trust.principal_space import PrincipalSpace
from likely.trust.prototypes import Prototypes
from likely.trust.residuals import Residuals
from likely.trust.scale_of_errors import MOST_INPUTS

RESIDUALS = "held_out.residuals"
LOG_PROBS = "held_out.log_probs"
LABELS = "held_out.labels"
UNSEEN = "held_out.unseen"
THRESHOLDS = "held_out.thresholds"
OOD_SCORES = "held_out.ood_scores"
FAMILIARITY = "familiarity."
SPACE, PROTOTYPES = FAMILIARITY + "space", FAMILIARITY + "prototypes"
ERRORS = "errors."
CODES = "held_out.row_codes"
RENAMED = {"held_out.unfamiliarity": OOD_SCORES}
"""Names in files of version 0.1.0 that are others now."""
HELD_OUT = (RESIDUALS, LOG_PROBS, LABELS, UNSEEN, THRESHOLDS, OOD_SCORES, CODES)


def check_held_out(where: str, arrays: Mapping[str, np.ndarray], n_labels: int) -> None:
    """Refuse arrays of held-out rows that do not fit each other or the labels, of which a regressor has 0.

    Raises:
        ModelFileError: naming the array.
    """
    m, d, r, p = (
        len(arrays.get(name, ()))
        for name in (LOG_PROBS, FAMILIARITY + "shift", FAMILIARITY + "variances", ERRORS + "knots")
    )
    of_labels: dict[str, tuple[int | None, ...]] = {LOG_PROBS: (m, n_labels), LABELS: (m,), THRESHOLDS: (None,)}
    of_some_labels = {CODES: (m,), UNSEEN: (m,)}  # files of version 0.1.0 have none
    of_familiarity: dict[str, tuple[int | None, ...]] = {
        OOD_SCORES: (None,),
        **{FAMILIARITY + name: (d,) for name in ("shift", "scale")},
        **{FAMILIARITY + name: (3 if SPACE in arrays else 2,) for name in ("center", "spread")},
        FAMILIARITY + "means": (None, d),
    }
    if FAMILIARITY + "directions" in arrays:
        low_rank = {"directions": (d, r), "variances": (r,), "rest": (1,)}
        of_familiarity |= {FAMILIARITY + name: shape for name, shape in low_rank.items()}
    else:
        of_familiarity[FAMILIARITY + "whitening"] = (d, d)
    of_errors = {ERRORS + "knots": (p, 5), ERRORS + "weights": (p, 4), ERRORS + "range": (3,)}
    if (beside := _beside(arrays)) is not None:
        of_familiarity[beside] = (None, None)
    found = {name: a for name, a in arrays.items() if name in HELD_OUT or name.startswith((FAMILIARITY, ERRORS))}
    expected: dict[str, tuple[int | None, ...]] = {}
    for together in (of_labels, of_familiarity, {RESIDUALS: (None,)} if n_labels == 0 else {}, of_errors):
        if set(together) & set(found):
            expected |= together
    expected |= {name: shape for name, shape in of_some_labels.items() if name in found}
    if ERRORS + "knots" in expected:
        expected[RESIDUALS] = (None,)
    kinds = dict.fromkeys(expected, "f") | {LABELS: "iu", CODES: "u", UNSEEN: "u"}
    expect_arrays(where, found, expected, kinds=kinds)
    check_sketch(where, arrays)
    for name, (rule, holds) in _RULES.items():
        if name in arrays and not holds(arrays[name]):
            raise _refused(where, name, rule)
    if m and not 0 <= arrays[LABELS].min() <= arrays[LABELS].max() < n_labels:
        raise _refused(where, LABELS, f"hold classes 0..{n_labels - 1}")


def check_sketch(where: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse hashes of rows trained on that are none, with a ModelFileError."""
    if SKETCH in arrays:
        expect_arrays(where, {SKETCH: arrays[SKETCH]}, {SKETCH: (None,)}, kinds={SKETCH: "u"})


def check_features(
    where: str, arrays: Mapping[str, np.ndarray], features: tuple[int, int] | None, n_inputs: int | None
) -> None:
    """Refuse what is said of features, or of the inputs that a scale of errors rests on, if there are not so many.

    Features are those of Gaussians, then those of a map; None where their numbers are not known. Raises a
    ModelFileError naming the array.
    """
    shift, knots, beside = FAMILIARITY + "shift", ERRORS + "knots", _beside(arrays)
    if features is not None and shift in arrays and len(arrays[shift]) != features[0]:
        raise _refused(where, shift, f"be about {features[0]} features")
    if features is not None and beside is not None:
        of_map = arrays[beside].shape[0 if beside == SPACE else 1]
        if of_map != features[1] or not of_map:
            raise _refused(where, beside, f"be about a map of {features[1]} numbers")
    if knots in arrays and len(arrays[knots]) not in (1, 1 + (n_inputs or 0)):
        raise _refused(where, knots, f"be about the prediction, or {n_inputs} inputs as well")


def _grows(array: np.ndarray) -> bool:
    return bool((array[1:] >= array[:-1]).all())


def _is_positive(array: np.ndarray) -> bool:
    return bool((array > 0).all())


_RULES: dict[str, tuple[str, Callable[[np.ndarray], bool]]] = {
    OOD_SCORES: ("be sorted", _grows),
    RESIDUALS: ("be sorted numbers from 0 on", lambda a: _grows(a) and bool((a >= 0).all())),
    THRESHOLDS: (
        "be falling probabilities",
        lambda a: len(a) > 0 and _grows(a[::-1]) and bool((a >= 0).all() and (a <= 1).all()),
    ),
    FAMILIARITY + "scale": ("be positive", _is_positive),
    FAMILIARITY + "spread": ("be positive", _is_positive),
    FAMILIARITY + "variances": ("be positive", _is_positive),
    FAMILIARITY + "rest": ("be positive", _is_positive),
    FAMILIARITY + "means": ("hold a class or more", lambda a: len(a) > 0),
    PROTOTYPES: ("hold one or more", lambda a: len(a) > 0),
    SPACE: ("hold one direction or more", lambda a: a.shape[1] > 0),
    ERRORS + "knots": ("grow from left to right", lambda a: _grows(a.T)),
    ERRORS + "range": ("be logarithms, the last two growing", lambda a: bool(np.abs(a).max() < 700 and a[1] <= a[2])),
}


def _refused(where: str, name: str, rule: str) -> ModelFileError:
    return ModelFileError(
        f"Array {name!r} of {where} must {rule}; got others. The file is damaged or foreign. Train the model again."
    )


def familiarity_arrays(familiarity: Familiarity) -> dict[str, np.ndarray]:
    """What a model knows of familiar rows, by the names in its file."""
    found = {**vars(familiarity.gaussians), **vars(familiarity.usual)}
    if isinstance(familiarity.beside, PrincipalSpace):
        found["space"] = familiarity.beside.directions
    elif familiarity.beside is not None:
        found["prototypes"] = familiarity.beside.units
    arrays = {FAMILIARITY + name: array for name, array in found.items() if array is not None}
    return {OOD_SCORES: familiarity.held_out, **arrays}


def read_familiarity(arrays: Mapping[str, np.ndarray]) -> Familiarity | None:
    """What a model knows of familiar rows; None where none were held out to compare with."""
    if OOD_SCORES not in arrays:
        return None
    found = starting_with(FAMILIARITY, arrays)
    usual = UsualSize(found.pop("center"), found.pop("spread"))
    space, units = found.pop("space", None), found.pop("prototypes", None)
    beside = PrincipalSpace(space) if space is not None else None if units is None else Prototypes(units)
    return Familiarity(Gaussians(**found), usual, arrays[OOD_SCORES], beside)


def _beside(arrays: Mapping[str, np.ndarray]) -> str | None:
    """The name of the array that a feature map is compared with; None without one."""
    return next((name for name in (SPACE, PROTOTYPES) if name in arrays), None)


def error_scale_inputs(preprocessor: Preprocessor, rows: RowArray) -> np.ndarray | None:
    """What the network is given for rows of a table, which may say how large its errors are: (n, p).

    None for images, and for tables of too many inputs.
    """
    if preprocessor.image_shape is not None or preprocessor.output_shape[0] > MOST_INPUTS:
        return None
    return np.asarray(preprocessor(np.asarray(rows)), dtype=np.float64)


def residual_arrays(
    residuals: np.ndarray, slack: np.ndarray, scale: np.ndarray, fitted: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The arrays of `Residuals.measured`, whose arguments these are, by their names in a model file."""
    measured = Residuals.measured(residuals, slack, scale, fitted)
    return {RESIDUALS: measured.scores, **{ERRORS + name: array for name, array in measured.scale.items()}}


def residuals_of(arrays: Mapping[str, np.ndarray]) -> Residuals | None:
    """What intervals rest on, from the arrays of a model file; None where it holds none."""
    return Residuals(arrays[RESIDUALS], starting_with(ERRORS, arrays)) if RESIDUALS in arrays else None


def held_out_of(
    arrays: Mapping[str, np.ndarray], names: tuple[str, ...], calibrated: Callable[[np.ndarray], np.ndarray]
) -> HeldOut | None:
    """What held-out rows say, from arrays that `check_held_out` accepts; None where there are none.

    `calibrated` makes what the model answers of log-probabilities before calibration.
    """
    if LOG_PROBS not in arrays:
        return None
    labels = arrays[LABELS].astype(np.int64)
    unseen = arrays[UNSEEN] > 0 if UNSEEN in arrays else np.zeros(len(labels), bool)
    log_probs = calibrated(arrays[LOG_PROBS])
    return HeldOut(log_probs, labels, unseen, arrays[THRESHOLDS], names, arrays.get(CODES))


def held_out_arrays(
    rows: np.ndarray, log_probs: np.ndarray, Y: np.ndarray, calibration: Calibration, stated: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """What guarantees about labels rest on: log-probabilities before calibration, a label for each row, and the
    thresholds of confidence to choose among, which come from other rows.

    Args:
        rows, log_probs: of the rows that the calibration was fitted to, (c, k), and of those for guarantees, (m, k).
        Y: their classes (m,), or label distributions (m, k); then the label is drawn from them, since a guarantee is
            about labels as they come.
        calibration: of the model.
        stated: the probability of each label that the network of a row was never shown, 0 for the others, shape (k,) or
            (m, k); None for none. A row with such a label fits no set.
    Example:
        >>> log_probs = np.log([[0.5, 0.5]])
        >>> sorted(held_out_arrays(log_probs, log_probs, np.array([[0.0, 1.0]]), Calibration(1.0)))
        ['held_out.labels', 'held_out.log_probs', 'held_out.thresholds', 'held_out.unseen']
    """
    labels = Y
    if Y.ndim == 2:
        u = np.random.default_rng(0).random((len(Y), 1)) * Y.sum(axis=1, keepdims=True)
        labels = (np.cumsum(Y, axis=1) > u).argmax(axis=1)
    stated = np.broadcast_to(np.zeros(1) if stated is None else stated, log_probs.shape)
    log_probs = _with_stated(log_probs, stated, calibration)
    return {
        LOG_PROBS: np.maximum(log_probs, np.finfo(np.float32).min).astype(np.float32),  # of labels that are masked
        LABELS: labels.astype(np.int32),
        UNSEEN: (stated[np.arange(len(labels)), labels] > 0).astype(np.uint8),
        THRESHOLDS: threshold_grid(confidence(calibration.apply(rows))),
    }


def _with_stated(log_probs: np.ndarray, stated: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Scores that the calibration turns into log-probabilities where unseen labels have those that are stated."""
    unseen = stated > 0
    if not unseen.any():
        return log_probs
    T, biases = calibration.temperature, 0.0 if calibration.biases is None else calibration.biases
    seen = np.where(unseen, -np.inf, log_probs / T + biases)
    with np.errstate(divide="ignore"):
        odds = np.log(stated) - np.log1p(-stated.sum(axis=1, keepdims=True))
    return np.where(unseen, T * (odds + np.logaddexp.reduce(seen, axis=1, keepdims=True) - biases), log_probs)
