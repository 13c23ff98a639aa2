"""Numbers in pieces: what sums of them can say, which columns have some, missing numbers, every library, a file."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely.arrays import to_numpy
from likely.errors import ModelFileError
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.columns import Column
from likely.preprocessing.piecewise_linear import PiecewiseLinear
from likely.preprocessing.preprocessor import preprocessor_from_json

COLUMNS = (Column("size", missing=True), Column("color", ("blue", "red")), Column("rooms"))


def rows(n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    size = np.where(rng.random(n) < 0.1, np.nan, np.exp(rng.normal(size=n)))
    return np.column_stack([size, rng.integers(2, size=n), rng.integers(1, 6, size=n)])


def test_sums_of_pieces_are_every_interpolation_between_the_edges() -> None:
    z = np.random.default_rng(0).normal(size=500)
    pieces = PiecewiseLinear.fit([z], most=8)
    assert pieces is not None
    heights = np.random.default_rng(1).normal(size=len(pieces.edges[0]))
    asked = np.linspace(-5, 5, 1001)
    found = (pieces(asked[:, None]) + 0.5) @ np.diff(heights) + heights[0]
    np.testing.assert_allclose(found, np.interp(asked, pieces.edges[0], heights), atol=1e-12)


def test_bins_hold_about_as_many_rows_each() -> None:
    z = np.random.default_rng(0).exponential(size=1_000)
    pieces = PiecewiseLinear.fit([z], most=10)
    assert pieces is not None
    assert set(np.histogram(z, pieces.edges[0])[0].tolist()) == {100}


def test_few_different_values_are_edges_as_categories_would_be() -> None:
    z = np.array([-1.0, 0.0, 2.0, 5.0]).repeat(50)
    pieces = PiecewiseLinear.fit([z], most=16)
    assert pieces is not None
    assert pieces.edges == ((-1.0, 0.0, 2.0, 5.0),)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(4), pieces(np.unique(z)[:, None])])) == 4


@pytest.mark.parametrize("values", [np.ones(100), np.arange(100) % 2.0, np.arange(39.0), np.empty(0)])
def test_a_constant_two_values_or_few_rows_have_no_pieces(values: np.ndarray) -> None:
    assert PiecewiseLinear.fit([values], most=16) is None


def test_inputs_of_before_stay_first_and_a_missing_number_has_the_pieces_of_the_mean() -> None:
    X = rows()
    plain, cut = ColumnPreprocessor.fit(X, COLUMNS), ColumnPreprocessor.fit(X, COLUMNS, bins=8)
    assert cut.pieces is not None
    assert cut.output_shape == (plain.output_shape[0] + cut.pieces.width,)
    found = np.asarray(cut(X))
    np.testing.assert_array_equal(found[:, : plain.output_shape[0]], plain(X))
    gap = np.array([[np.nan, 0.0, 2.0], [cut.mean[0], 0.0, 2.0]])
    without, mean = np.asarray(cut(gap))[:, plain.output_shape[0] :]
    np.testing.assert_array_equal(without, mean)
    assert cut.groups == plain.groups


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e30, 1e30)))
def test_pieces_stay_within_a_half(z: np.ndarray) -> None:
    pieces = PiecewiseLinear(((-1.0, 0.0, 1.0), (), (0.0, 1e-5, 1.0)))
    found = pieces(z)
    assert found.shape == (4, 4)
    assert (np.abs(found) <= 0.5).all()


def test_every_library_gets_the_same_pieces() -> None:
    torch, jnp = pytest.importorskip("torch"), pytest.importorskip("jax.numpy")
    cut = ColumnPreprocessor.fit(rows()[:, [2]], bins=8)
    X = np.linspace(0, 7, 50, dtype=np.float32)[:, None]
    for values in (torch.asarray(X), jnp.asarray(X)):
        np.testing.assert_allclose(to_numpy(cut(values)), cut(X), atol=1e-6)


@pytest.mark.parametrize("off", [(), (0,), (1, 2)])
def test_a_graph_gets_the_same_inputs(off: tuple[int, ...]) -> None:
    ort, builder = pytest.importorskip("onnxruntime"), pytest.importorskip("likely.export.graph.builder")
    from likely.export.graph.prepared_columns import prepared_columns

    cut = ColumnPreprocessor.fit(rows(), COLUMNS, bins=8, power_transform=True, off=off)
    g = builder.Graph(["x", "inputs"])
    g.output("inputs", prepared_columns(g, g.input("x", np.float64, ("n", 3)), cut), np.float32, ("n", "m"))
    session = ort.InferenceSession(g.model("inputs", {}).SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": rows()})[0], cut(rows()), atol=1e-5)


def test_a_file_keeps_them() -> None:
    cut = ColumnPreprocessor.fit(rows(), COLUMNS, bins=8)
    assert preprocessor_from_json(cut.to_json()) == cut
    numbers = ColumnPreprocessor.fit(rows()[:, 1:], bins=8, power_transform=True)
    assert preprocessor_from_json(numbers.to_json()) == numbers
    assert "pieces" not in ColumnPreprocessor.fit(rows(), COLUMNS).to_json()["columns"]


@pytest.mark.parametrize(
    "edges",
    [[], [[], []], [[0.0, 1.0, 2.0]], [[0.0, 1.0], []], [[0.0, 2.0, 1.0], []], [[0.0, 1.0, np.inf], []], [["a"]]],
)
def test_pieces_that_no_model_has_are_refused(edges: Any) -> None:
    values = ColumnPreprocessor.fit(rows(), COLUMNS, bins=8).to_json()
    values["columns"]["pieces"] = edges
    with pytest.raises(ModelFileError, match="whole and valid"):
        preprocessor_from_json(values)


@pytest.mark.parametrize("bins", [0, 5])
def test_the_column_of_an_input_is_the_one_that_moves_it(bins: int) -> None:
    prepared = ColumnPreprocessor.fit(rows(), COLUMNS, bins=bins)
    x = np.array([[1.0, 0.0, 3.0]])
    assert prepared.column_of_input.shape == prepared.output_shape
    for j, other in enumerate(([np.nan, 0.0, 3.0], [1.0, 1.0, 3.0], [1.0, 0.0, 4.0])):
        moved = np.flatnonzero(np.asarray(prepared(np.array([other])) != prepared(x))[0])
        assert set(prepared.column_of_input[moved]) == {j}
