"""The mean of several models' answers: see `likely.model.mixture_inference`."""

import math
from collections.abc import Mapping

import numpy as np

from likely.export.graph.builder import Graph
from likely.export.graph.label_log_probs import with_stated
from likely.export.graph.prepared_columns import prepared_columns
from likely.export.graph.pure_network import pure_network
from likely.export.graph.tree_network import tree_network
from likely.model.card import Card
from likely.model.mixture_inference import limits_of
from likely.networks import create_network
from likely.networks.trees import Trees
from likely.preprocessing.column_preprocessor import ColumnPreprocessor


def mixed_answers(g: Graph, card: Card, theta: Mapping[str, np.ndarray], rows: str) -> str:
    """The scores of the mixture, float64 (n, k), of rows (n, d), float64."""
    classifies = card.task == "classification"
    answers: list[str] = []
    for number, member in enumerate(card.network.settings["members"]):
        own = {name.partition(".")[2]: a for name, a in theta.items() if name.partition(".")[0] == str(number)}
        scores = _scores(g, member, own, rows)
        values = g.add("Add", g.add("Mul", scores, np.array(member["scale"], float)), np.array(member["mean"], float))
        weight = float(member["weight"])
        if classifies:
            log_probs = g.add("LogSoftmax", g.add("Div", values, float(member["temperature"])), axis=1)
            log_probs = with_stated(g, log_probs, np.array(member["stated"], float))
            answers.append(g.add("Add", log_probs, math.log(weight)))
        else:
            answers.append(g.add("Mul", values, weight))
    stacked = g.add("Concat", *(g.add("Unsqueeze", answer, np.array([0])) for answer in answers), axis=0)
    mixed = g.add("ReduceLogSumExp" if classifies else "ReduceSum", stacked, np.array([0]), keepdims=0)
    if classifies:
        return mixed if card.class_weight is None else g.add("Add", mixed, np.log(np.array(card.class_weight)))
    if (limits := limits_of(card.network.settings, card.network.outputs)) is not None:
        mixed = g.add("Min", g.add("Max", mixed, limits[0]), limits[1])
    return g.add("Div", g.add("Sub", mixed, np.array(card.target_mean)), np.array(card.target_scale))


def _scores(g: Graph, member: Mapping[str, object], theta: Mapping[str, np.ndarray], rows: str) -> str:
    preprocessor = ColumnPreprocessor.from_json(member["normalization"])  # pyright: ignore[reportArgumentType]
    network = create_network(str(member["network"]), member["settings"])  # pyright: ignore[reportArgumentType]
    x = prepared_columns(g, rows, preprocessor)
    if isinstance(network, Trees):
        return tree_network(g, network, theta, x)
    return g.cast(pure_network(g, network, theta, x, preprocessor.dtype)[0], np.float64)  # pyright: ignore[reportArgumentType]
