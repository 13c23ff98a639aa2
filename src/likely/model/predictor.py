"""What the models of labels and of numbers share: forward pass, familiarity, explanations, file."""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from likely.data.hashes import known_again
from likely.errors import DataError
from likely.model.card import MIXTURE, Card
from likely.model.gate import Gate
from likely.model.held_out_arrays import check_held_out, read_familiarity
from likely.model.inference import in_pieces
from likely.model.question import Question
from likely.model.refusals import nothing_held_out, too_few_to_alarm, under_other_prior
from likely.networks.custom import CustomNetwork
from likely.preprocessing.stored_rows import RowArray
from likely.trust.familiarity import ROWS_TO_ALARM, Familiarity

MOST_ROWS, _NUMBERS = 10_000, 2**26
"""Rows, and numbers of their features, that are held at a time."""


class Predictor(Gate):
    """What the classifier's and the regressor's models share: forward pass, familiarity, explanations, file.

    Args:
        card, arrays: everything but the numbers, and these by name: parameters under "theta.", what held-out rows say
            under "held_out.", what is known of familiar rows under "familiarity.".
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
        from likely.model.build import build_inference
        from likely.model.read_preprocessor import read_preprocessor

        self.trained_on = trained_on
        where = str(path) or "The model"
        super().__init__(where, card, arrays, read_preprocessor(where, card, arrays))
        check_held_out(where, arrays, len(card.labels))
        self._inference = build_inference(where, card, self.arrays, self.preprocessor, device, network)

    @property
    def task(self) -> str:
        """Either "classification" or "regression"."""
        return self.card.task

    @property
    def is_ensemble(self) -> bool:
        """Whether several networks of one kind answer together, trained with `members`."""
        return "members" in self.card.network.settings and self.card.network.name != MIXTURE

    @property
    def answers_together(self) -> bool:
        """Whether several models answer together: an ensemble, or the mixture of a table."""
        return self.is_ensemble or self.card.network.name == MIXTURE

    @property
    def engine(self) -> Any:
        """The torch engine that computes a conv net or a custom module; None where none is needed."""
        return getattr(self._inference, "engine", None)

    def scores_and_features(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        return self._scores_and_features(self._whole_rows(X))

    def scores(self, X: Any) -> np.ndarray:
        """Scores before the head (n, k)."""
        return self._scores(self._whole_rows(X))

    def seen_in_training(self, X: Any) -> np.ndarray | None:
        """Which rows equal one that the network was trained on, booleans (n,), or None: see `hashes.known_again`."""
        return self._seen_in_training(self._rows(X))

    def with_metrics(self, metrics: dict[str, object] | None) -> Self:
        """The same model whose card states these test figures, or none."""
        return self._changed(metrics=metrics)

    def keeping_features(self) -> Self:
        """The same model, which looks up features of a frozen backbone on disk, and keeps what it computes."""
        from likely.data.images.feature_cache import CachedBackbone
        from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor

        same, gate = self._changed(), self.preprocessor
        if isinstance(gate, BackbonePreprocessor) and gate.backbone is not None:
            kept = CachedBackbone(gate.backbone.name, gate.backbone.weights, gate.backbone.layout, gate.backbone.tuned)
            same.preprocessor = replace(gate, backbone=kept)
            same._inference = replace(self._inference, preprocessor=same.preprocessor)
        return same

    def save(self, path: str | Path) -> Path:
        """Write the model to one file, whole or not at all (else an OutputError); returns the path."""
        from likely.model import file as model_file

        model_file.write(path, self.arrays, self.card.to_json())
        return Path(path)

    def to_onnx(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write all that the model answers to one ONNX file, once ONNX Runtime is seen to give the same answers.

        The graph holds preprocessing, network, calibration, sets, error bounds and familiarity: see docs/export.md.

        Raises:
            MissingExtraError: if the packages of the extra `export` are not installed.
            EngineError: if the network cannot be exported, or the answers differ; nothing is written then.
            OutputError: if the file exists, or cannot be written.
        """
        # The door stands above this room, which knows it by name alone.
        importlib.import_module("likely.export.export_onnx").export_onnx(self, path, overwrite=overwrite)
        return Path(path)

    def _repr_html_(self) -> str:
        from likely.model.card_view import card_html

        return card_html(self.card)

    def __repr__(self) -> str:
        card = self.card
        what = f"{len(card.labels)} labels" if card.labels else f"{card.network.outputs} numbers"
        return f"<{type(self).__name__} {card.network.name}, {card.network.parameters:,} parameters: {what}>"

    # Familiarity ----------------------------------------------------------------------------------------------

    @property
    def knows_familiarity(self) -> bool:
        """Whether there were held-out rows to compare with, and rows are taken to come as often as in training."""
        return self.no_familiarity is None

    @property
    def no_familiarity(self) -> DataError | None:
        """Why the model knows no familiarity, or None if it does."""
        if self.card.prior is not None:
            return under_other_prior("A familiarity")
        if self._familiar is None:
            way_out = f"more rows to learn from, at least 20 {'groups' if self.card.splits.groups else 'rows'}"
            return nothing_held_out("A familiarity", self.where, self.card, way_out=way_out)
        return None

    @property
    def familiar_rows(self) -> int:
        """How many held-out rows familiarity compares with."""
        return 0 if self._familiar is None else len(self._familiar.held_out)

    @property
    def can_alarm(self) -> bool:
        """Whether enough rows were held out for a p-value of 0.01, from which on a row is called unfamiliar."""
        return self.knows_familiarity and self.familiar_rows >= ROWS_TO_ALARM

    @property
    def never_unfamiliar(self) -> str | None:
        """Why the model can call no row unfamiliar although it knows p-values, or None if it can."""
        return too_few_to_alarm(self.familiar_rows) if self.knows_familiarity and not self.can_alarm else None

    def familiarity(self, X: Any) -> np.ndarray:
        """A conformal p-value per row, shape (n,): small = unlike anything that the model was trained on.

        P(p <= a) <= a for rows that are exchangeable with the held-out ones, over the draw of both, so that calling
        rows with p <= 0.01 unfamiliar raises false alarms on at most 1% of familiar rows on average. Approximate where
        held-out scores come from cross-validation. With m held-out rows no p-value is below 1 / (m + 1): fewer than 99
        can call nothing unfamiliar at that rate (`can_alarm`).

        What is unfamiliar to a classifier lies far from the training rows in the network's last hidden layer, or has
        low scores for every label (for a conv net: high ones for several); to a regressor, which extrapolates there,
        only the former (for a linear one, in its inputs): see `likely.trust.familiarity`.

        Rows with gaps (see `rows`) have none: NaN.

        Raises:
            DataError: if there were no held-out rows to compare with.
        """
        if (reason := self.no_familiarity) is not None:
            raise reason

        def answer(part: RowArray) -> tuple[np.ndarray]:
            return (self._averaged(part, self._scores_and_familiarity)[1],)

        return in_pieces(self.rows(X), self._piece, answer)[0]

    # Inside ---------------------------------------------------------------------------------------------------

    def _explained(
        self,
        rows: np.ndarray,
        questions: Sequence[Question],
        method: str | None,
        square: int | None,
        together: Iterable[Iterable[Any]],
        seed: int,
        most: int,
    ) -> list[Any]:
        """An explanation for the question about each row; the arguments are those of `explain`."""
        from likely.model.explaining import chosen_method, explain_each, explain_image, explain_row
        from likely.model.replaced_columns import replaced_columns
        from likely.preprocessing.column_preprocessor import ColumnPreprocessor

        how = chosen_method(method, images=self.image_shape is not None)
        if isinstance(self.preprocessor, ColumnPreprocessor):
            replaced = replaced_columns(self.preprocessor, self.columns, self._stand_ins, together)
            return explain_each(
                rows,
                questions,
                lambda x, q: explain_row(x, q, self._inference, replaced, self.columns, how, seed),
                most,
            )
        if together:
            raise DataError("together must be omitted for images, which have no columns. Try square=, a size.")
        return explain_each(rows, questions, lambda x, q: explain_image(x, q, self._inference, how, square, seed), most)

    @cached_property
    def _familiar(self) -> Familiarity | None:
        """What is known of familiar rows, whatever the prior."""
        return read_familiarity(self.arrays)

    @property
    def _piece(self) -> int:
        """How many rows' features are held at a time: a million rows take no more memory than answers."""
        return MOST_ROWS if self._familiar is None else min(MOST_ROWS, _NUMBERS // len(self._familiar.gaussians.shift))

    def _averaged(self, rows: RowArray, answer: Callable[[RowArray], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """What is answered to rows; of those with gaps first the mean over the values they may have, else NaN."""
        gaps = self.gaps(rows)
        if self._stand_ins is None or not gaps.any():
            return answer(rows)
        rows, at = np.asarray(rows), np.flatnonzero(gaps)
        found = tuple(map(np.array, answer(self._filled(rows))))
        most = max(1, min(MOST_ROWS, _NUMBERS // rows.shape[1]))
        for some, completed, weights in self._stand_ins.complete(rows[at], most):
            answers = in_pieces(completed, most, lambda part: answer(part)[:1])[0]
            found[0][at[some]] = self._mean(answers.reshape(len(some), len(weights), -1), weights)
        for other in found[1:]:
            other[gaps] = np.nan
        return found

    def _mean(self, answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The weighted mean of answers (n, m, k) over the second axis."""
        return np.einsum("nmk,m->nk", answers, weights)

    def _scores_and_features(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at
            scores, features = self._inference(rows)
        return self._answerable(scores), features

    def _scores(self, rows: RowArray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            return self._answerable(self._inference.scores(rows))

    def _answerable(self, scores: np.ndarray) -> np.ndarray:
        """The scores, if there are any: parameters and rows that are large together may leave none."""
        n = int(self._unanswered(scores).sum())
        if n:
            raise DataError(
                f"The scores of {self.where} must be numbers; got none for {n:,} of {len(scores):,} rows. Its "
                "parameters or these rows are too large to compute with. Drop the rows, or train the model again."
            )
        return scores

    def _unanswered(self, scores: np.ndarray) -> np.ndarray:
        """Of which rows (n,) there is no answer; a score of -inf masks a label."""
        return (np.isnan(scores) | (scores == np.inf)).any(axis=1)

    def _scores_and_ood(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and OOD scores (n,), larger for rows unlike those of training."""
        assert self._familiar is not None
        scores, features = self._scores_and_features(rows)
        # The scores of a regressor say nothing of it: those of one class, all alike, let the distance decide.
        of_classes = scores if self.task == "classification" else np.zeros((len(scores), 1))
        return scores, self._familiar.ood_scores(features, of_classes)

    def _scores_and_familiarity(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        assert self._familiar is not None
        scores, ood = self._scores_and_ood(rows)
        return scores, self._familiar.p_values(ood)

    def _seen_in_training(self, rows: RowArray) -> np.ndarray | None:
        known = self.trained_on
        return None if known is None else known_again(rows, known, self.card.data.equal_by_chance)

    def _changed(self, arrays: Mapping[str, np.ndarray] | None = None, **changes: Any) -> Self:
        """The same network with other entries of the card, and perhaps other held-out arrays."""
        same = copy(self)
        for name in [name for name in vars(self) if isinstance(getattr(type(self), name, None), cached_property)]:
            del same.__dict__[name]
        same.card = self.card.model_copy(update=changes)
        same.arrays = {**self.arrays, **(arrays or {})}
        return same
