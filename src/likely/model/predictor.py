"""What the models of labels and of numbers share: input, forward pass, file."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from likely.data.hashes import known_again
from likely.data.images.decode import read_image
from likely.data.images.image_arrays import are_files, fit_to_shape
from likely.data.tables.encode import encode
from likely.data.tables.frame import is_frame, table_of
from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.errors import DataError, ModelFileError
from likely.model import file as model_file
from likely.model.card import SKETCH, THETA, Card
from likely.model.card_view import card_html
from likely.model.held_out_arrays import ERRORS, FAMILIARITY, HELD_OUT
from likely.model.inference import Inference
from likely.model.transfer import differences
from likely.networks import create_network
from likely.networks.custom import CUSTOM, CustomNetwork
from likely.networks.network import Network, TorchNetwork
from likely.preprocessing.columns import Column
from likely.preprocessing.normalization import Normalization
from likely.preprocessing.stored_rows import StoredRows

_DERIVED = ("held_out_probs", "_familiar")


class Predictor:
    """What the classifier's and the regressor's models share: input, forward pass, file.

    Args:
        card: everything but the numbers.
        arrays: the numbers by name: parameters under "theta.", what held-out rows say under "held_out.", what is known
            of familiar rows under "familiarity.".
        device: where a torch network computes: "auto", "cpu" or "cuda".
        path: where the model came from, for messages.
        trained_on: hashes of the rows that it was trained on, where they are known.
        network: the factory of a custom network, which the card only names.
    Raises:
        ModelFileError: if the arrays do not fit the network.
    """

    def __init__(
        self,
        card: Card,
        arrays: Mapping[str, np.ndarray],
        device: str = "auto",
        path: object = "",
        trained_on: np.ndarray | None = None,
        network: CustomNetwork | None = None,
    ) -> None:
        self.trained_on = trained_on
        self.card = card
        self.arrays = dict(arrays)
        self.where = str(path) or "The model"
        self.normalization = Normalization.from_json(card.normalization)
        built = network or self._built_in()
        theta = {name.removeprefix(THETA): a for name, a in self.arrays.items() if name.startswith(THETA)}
        if isinstance(built, Network):
            shapes, kinds, load_state = built.shapes, {}, None
            forward, scores = partial(built.apply_with_features, theta), partial(built.apply, theta)
        else:
            engine = _torch_engine(built, card, self.normalization, device)
            state = engine.state()
            shapes, kinds = {n: a.shape for n, a in state.items()}, {n: a.dtype.kind for n, a in state.items()}
            forward, scores, load_state = engine.forward, engine.scores, engine.load_state
            self._check_state(shapes, theta)
        model_file.expect_arrays(
            self.where,
            self.arrays,
            {THETA + name: shape for name, shape in shapes.items()},
            kinds={THETA + name: kind for name, kind in kinds.items()},
            optional=[
                name for name in self.arrays if name in (*HELD_OUT, SKETCH) or name.startswith((FAMILIARITY, ERRORS))
            ],
        )
        if load_state is not None:
            load_state(theta)
        self._inference = Inference(self.normalization, forward, scores, card.hflip, card.tta_threshold, card.head)

    def _built_in(self) -> Network | TorchNetwork:
        card = self.card
        if card.network.name == CUSTOM:
            raise ModelFileError(
                f"{self.where} must be loaded with the factory that made its network; got none, and the file only "
                f"says that it was called {card.network.settings.get('factory')!r}. Nothing is imported because a file "
                "says so. Try likely.load(path, network=factory)."
            )
        return create_network(card.network.name, card.network.settings)

    def _check_state(self, shapes: Mapping[str, tuple[int, ...]], theta: Mapping[str, np.ndarray]) -> None:
        differs = differences(shapes, {name: a.shape for name, a in theta.items()})
        if self.card.network.name == CUSTOM and differs:
            raise ModelFileError(
                f"{self.where} must be loaded with the factory that made its network "
                f"({self.card.network.settings.get('factory')!r}); got one whose network has other parameters. "
                f"Of those of the file: {differs}. Try the factory as it was in training."
            )

    @property
    def task(self) -> str:
        """Either "classification" or "regression"."""
        return self.card.task

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(h, w) or (h, w, 3) of the images that the model reads; None for rows of numbers."""
        return self.normalization.shape if self.normalization.kind == "images" else None

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """What the columns of its rows are; None for images, and for numbers without names."""
        if self.normalization.columns is not None:
            return self.normalization.columns.columns
        return None if self.card.features is None else tuple(Column(name) for name in self.card.features)

    def rows(self, X: Any, *, raw: bool = False) -> np.ndarray:
        """X as the rows that the model was trained on: arrays are checked, images and paths go through the gate.

        A model of a table takes a data frame with the columns it learned from, in any order, others beside them; texts
        that it does not know count as missing.

        Args:
            X: an array of rows, a data frame, or a list of paths, PIL images or bytes. Arrays of images may have
                their channels first or last, or lie in rows of numbers.
            raw: only resize images, without the data set's conversion of photographs.
        """
        if are_files(X):
            if self.image_shape is None:
                raise DataError(
                    f"X must be rows of {self.normalization.shape[0]} numbers; got images. "
                    f"The model was trained on a table. Try predict with an array of shape (n, d)."
                )
            read = [read_image(x, shape=self.image_shape, conversion=self.card.conversion, raw=raw) for x in X]
            return self.normalization.check(np.stack(read))
        if self.columns is not None and is_frame(X):
            encoded = encode(table_of(X), self.columns)
            if encoded.refused:
                raise DataError(encoded.refused[min(encoded.refused)])
            X = encoded.X
        elif self.image_shape is not None and not isinstance(X, StoredRows):
            X = fit_to_shape(X, self.image_shape)
        rows = self.normalization.check(X)
        if not isinstance(rows, StoredRows):
            # How numbers lie in memory decides in which order products are summed: equal rows get equal answers.
            rows = np.ascontiguousarray(rows)
        too_large = self.too_large(rows)
        if too_large:
            raise DataError(too_large[min(too_large)])
        return rows

    def later_than_training(self, rows: Any) -> dict[str, int]:
        """How many rows lie beyond all training rows in each column that looks like a time; none are left out.

        No held-out row speaks for them: a guarantee is about rows like those of training.

        Args:
            rows: of numbers, shape (n, d), in the columns of training.
        """
        if self.columns is None:
            return {}
        rows = np.asarray(rows)
        greatest = [self.card.data.latest.get(column.name, np.inf) for column in self.columns]
        counts = np.count_nonzero(rows > np.array(greatest), axis=0)
        return {column.name: int(n) for column, n in zip(self.columns, counts, strict=True) if n}

    def too_large(self, rows: Any, first_row: int = 0, names: Sequence[str] | None = None) -> dict[int, str]:
        """Why some rows cannot be answered: a number that the network cannot compute with.

        Args:
            rows: as `normalization.check` gives them.
            first_row: the number of the first row, for messages.
            names: of the columns; None takes those of training, or their numbers.
        Returns:
            A sentence by the number of the row, counted from 0.
        """
        found = self.normalization.too_large(rows)
        if not found.any():
            return {}
        if names is None:
            names = None if self.columns is None else [column.name for column in self.columns]
        reasons: dict[int, str] = {}
        for row in np.flatnonzero(found.any(axis=1)).tolist():
            j = int(found[row].argmax())
            column = j if names is None else repr(names[j])
            reasons[row] = (
                f"X must hold numbers that can be computed with; got {rows[row, j]:g} in column {column} at row "
                f"{first_row + row}. It lies too far from all that the model was trained on. Fix or drop it."
            )
        return reasons

    def scores_and_features(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        return self._inference(self.rows(X))

    def scores(self, X: Any) -> np.ndarray:
        """Scores before the head (n, k)."""
        return self._inference.scores(self.rows(X))

    def seen_in_training(self, X: Any) -> np.ndarray | None:
        """Which rows are equal to one that the network was trained on: booleans (n,); None where that is not known.

        Where equal rows are to be expected, as of columns with few different values, they tell nothing as long as they
        are no more than that: then no row is called seen.
        """
        if self.trained_on is None:
            return None
        seen = known_again(self.rows(X), self.trained_on)
        chance, n = self.card.data.equal_by_chance, len(seen)
        usual = n * chance + 3 * math.sqrt(n * chance * (1 - chance))
        return seen if chance == 0 or seen.sum() > usual else np.zeros_like(seen)

    def _trained_on(self) -> str:
        splits = self.card.splits
        grouped = f" in {splits.groups:,} groups of related ones" if splits.groups else ""
        return f"{splits.train:,} rows{grouped}"

    def with_metrics(self, metrics: dict[str, Any] | None) -> Self:
        """The same model whose card states these test figures, or none."""
        return self._changed(metrics=metrics)

    def _changed(self, arrays: Mapping[str, np.ndarray] | None = None, **changes: Any) -> Self:
        """The same network with other entries of the card, and perhaps other held-out arrays."""
        same = object.__new__(type(self))
        same.__dict__.update({name: value for name, value in self.__dict__.items() if name not in _DERIVED})
        same.card = self.card.model_copy(update=changes)
        same.arrays = {**self.arrays, **(arrays or {})}
        return same

    def save(self, path: str | Path) -> Path:
        """Write the model to one file, whole or not at all; returns the path.

        Raises:
            OutputError: if it cannot be written.
        """
        model_file.write(path, self.arrays, self.card.to_json())
        return Path(path)

    def _repr_html_(self) -> str:
        return card_html(self.card)

    def __repr__(self) -> str:
        card = self.card
        what = f"{len(card.labels)} labels" if card.labels else f"{card.network.outputs} numbers"
        return f"<{type(self).__name__} {card.network.name}, {card.network.parameters:,} parameters: {what}>"


def _torch_engine(network: TorchNetwork, card: Card, normalization: Normalization, device: str) -> Any:
    return create_engine(
        "torch",
        network,
        n_outputs=card.network.outputs,
        head=card.head,
        loss=card.loss,
        optimizer=Optimizer(),
        sample=np.zeros((2, *normalization.output_shape), np.float32),
        seed=0,
        dtype=card.training.dtype,
        device=device,
    )
