"""What the graph of a regressor answers: prediction, its interval, familiarity, and whether it extrapolates."""

import numpy as np

from likely.export.graph.builder import Graph
from likely.export.graph.network_answers import Answers
from likely.export.graph.row_familiarity import row_familiarity
from likely.export.names import COVERAGE, FAMILIARITY, HIGH, LOW, OUTSIDE_RANGE, PREDICTION
from likely.model.held_out_arrays import read_familiarity
from likely.model.refusals import no_residuals
from likely.model.regressor_predictor import USUAL_COVERAGE, RegressorPredictor
from likely.trust.residuals import Residuals
from likely.trust.ties import number_slack

_ROUNDING = 1e-12


def number_outputs(g: Graph, predictor: RegressorPredictor, found: Answers) -> dict[str, str]:
    """All outputs from what the network says; returns why one is left out, by its name."""
    card, gaps, missing = predictor.card, found.gaps, dict[str, str]()
    scores = g.cast(found.scores, np.float64)
    if gaps is not None:
        scores = gaps.averaged(g, scores, logarithms=False)
    mean, scale = np.array(card.target_mean), np.array(card.target_scale)
    values = g.add("Add", g.add("Mul", scores, scale), mean)
    several = card.network.outputs > 1
    prediction = values if several else g.add("Squeeze", values, np.array([1]))
    g.output(PREDICTION, prediction, np.float64, ("n", card.network.outputs) if several else ("n",))

    residuals = predictor.residuals
    if residuals is None:
        missing[LOW] = missing[HIGH] = str(no_residuals(predictor.where, card))
    else:
        coverage = g.optional_input(COVERAGE, np.array(USUAL_COVERAGE))
        inputs = found.prepared if gaps is None else gaps.first(g, found.prepared)
        half = g.add("Mul", _quantile(g, residuals.scores, coverage), _error_scale(g, residuals, prediction, inputs))
        if gaps is not None:
            half = gaps.instead(g, half, np.inf)
        for name, kind in ((LOW, "Sub"), (HIGH, "Add")):
            g.output(name, g.add(kind, prediction, half), np.float64, ("n",))

    familiar = read_familiarity(predictor.arrays)
    if (unknown := predictor.no_familiarity) is not None or familiar is None:
        missing[FAMILIARITY] = str(unknown)
    else:
        p = row_familiarity(g, found.features if gaps is None else gaps.first(g, found.features), None, familiar)
        g.output(FAMILIARITY, p if gaps is None else gaps.instead(g, p, np.nan), np.float64, ("n",))

    if card.target_low:
        g.output(OUTSIDE_RANGE, _outside(g, values, predictor), np.bool_, ("n",))
    else:
        missing[OUTSIDE_RANGE] = "The file does not say which targets there were in training."
    return missing


def _quantile(g: Graph, scores: np.ndarray, coverage: str) -> str:
    """The ceil((m + 1) c)-th smallest of m scores; infinity where there are too few, or c is not below 1."""
    m = len(scores)
    rank = g.add("Ceil", g.add("Mul", coverage, (m + 1) * (1 - _ROUNDING)))
    valid = g.add("And", g.add("LessOrEqual", rank, float(m)), g.add("Less", coverage, 1.0))
    place = g.add("Where", valid, g.add("Max", g.add("Sub", rank, 1.0), 0.0), float(m))
    return g.add("Gather", np.append(np.sort(scores).astype(float), np.inf), g.cast(place, np.int64))


def _error_scale(g: Graph, residuals: Residuals, prediction: str, inputs: str) -> str | float:
    """s(x), float64 (n,): see `likely.trust.scale_of_errors`."""
    if not residuals.scale:
        return 1.0
    values = g.add("Unsqueeze", prediction, np.array([1]))
    if residuals.rests_on_inputs:
        values = g.add("Concat", values, g.cast(inputs, np.float64), axis=1)
    knots, weights = (residuals.scale[name].astype(float) for name in ("knots", "weights"))
    center, least, most = residuals.scale["range"].tolist()
    low = knots[:, 0]
    cut = g.add("Sub", g.add("Max", g.add("Min", values, knots[:, -1]), low), low)
    hinges = g.add("Sub", g.add("Unsqueeze", cut, np.array([2])), knots[:, 1:-1] - low[:, None])
    hinged = g.add("Mul", g.add("Max", hinges, 0.0), weights[:, 1:])
    straight = g.add("Mul", cut, weights[:, 0])
    sums = [
        g.add("ReduceSum", values, np.array(axes), keepdims=0) for values, axes in ((straight, [1]), (hinged, [1, 2]))
    ]
    logs = g.add("Add", g.add("Add", *sums), center)
    return g.add("Exp", g.add("Clip", logs, least, most))


def _outside(g: Graph, values: str, predictor: RegressorPredictor) -> str:
    """Which predictions lie outside the range of the training targets by more than rounding: booleans (n,)."""
    card, dtype = predictor.card, predictor.preprocessor.dtype
    mean, scale = np.array(card.target_mean), np.array(card.target_scale)
    # The slack of a prediction is as good as that of the end beside which it lies.
    low, high = (
        np.array(end) + sign * number_slack(np.array(end), mean, scale, dtype)
        for end, sign in ((card.target_low, -1), (card.target_high, 1))
    )
    outside = g.add("Or", g.add("Less", values, low), g.add("Greater", values, high))
    return g.cast(g.add("ReduceMax", g.cast(outside, np.int32), np.array([1]), keepdims=0), np.bool_)
