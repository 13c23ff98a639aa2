"""The model of labels: P(label | x), and what can be guaranteed of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from likely.data.hashes import row_codes
from likely.model.check_answers import classes_or_distributions
from likely.model.held_out_arrays import CODES, OOD_SCORES, held_out_arrays
from likely.model.inference import in_pieces
from likely.model.label_guarantees import LabelGuarantees
from likely.model.question import MOST_EXPLAINED, Question
from likely.preprocessing.stored_rows import RowArray, take_rows
from likely.probability.space import Event
from likely.trust.prior import PriorEstimate, check_frequencies, estimate_prior
from likely.trust.unseen import mask_unseen


class Examined(NamedTuple):
    """What one forward pass says of n rows: log P(label | x) of shape (n, k), and the familiarity (n,), if known."""

    log_probs: np.ndarray
    familiarity: np.ndarray | None


class ClassifierPredictor(LabelGuarantees):
    """P(label | x) for new x, and what can be guaranteed of it."""

    def examine(self, X: Any) -> Examined:
        """Probabilities and familiarity from one forward pass; NaN for the familiarity of rows with gaps (`gaps`)."""
        rows = self._rows(X)
        if not self.knows_familiarity:
            return Examined(self._log_probs_of(rows), None)

        def answer(part: RowArray) -> tuple[np.ndarray, np.ndarray]:
            scores, familiarity = self._scores_and_familiarity(part)
            return self._before_prior(scores), familiarity

        log_probs, familiarity = in_pieces(rows, self._piece, lambda part: self._averaged(part, answer))
        return Examined(self._under_prior(log_probs), familiarity)

    def explain(
        self,
        X: Any,
        event: Any = None,
        *,
        method: str | None = None,
        square: int | None = None,
        together: Iterable[Iterable[Any]] = (),
        seed: int = 0,
        most: int = MOST_EXPLAINED,
    ) -> list[Any]:
        """Which pixels or columns carry P(event), an `ImageExplanation` or a `RowExplanation` of each row.

        Images by occlusion: squares of them are covered, one after the other, with the image's own broad colors, and
        what P(event) loses is what was there. Tables by replacement: a column gets the values that it had in training,
        and the mean of what P(event) loses is what its value adds. Both ask the model and look at nothing inside it, so
        they explain any. Integrated gradients (of linear networks, MLPs, conv nets and torch modules) share P(event)
        less that of a neutral row among all pixels or columns, so that they sum to it. See `likely.explain`.

        An explanation tells what the model looks at, not what is so in the world.

        Args:
            X: rows or images, as for `predict_proba`.
            event: a label, labels or the name of an event; None for the label that each row is answered with.
            method: "occlusion" for images, "replacement" for tables, which None takes; "integrated_gradients".
            square: the side of the squares that cover images, in pixels; None for a quarter of the shorter side.
            together: names (of arrays, numbers) of columns that are replaced together, because they say the same.
            seed: of what is drawn: places and rows to compare with.
            most: rows at a time. Each takes about a hundred answers, or sixteen a column.
        Raises:
            UnknownOutcomeError: if a label is not the model's.
            DataError: if there are too many rows; it says how long they would take.
            ConfigError, ShapeError: if the method, or the square, does not fit the model.
        Example:
            >>> from likely import Classifier
            >>> X = np.random.default_rng(0).normal(size=(200, 2))
            >>> model = Classifier(network="linear", random_state=0).fit(X, X[:, 0] > 0).predictor_
            >>> [found] = model.explain([[1.5, 1.5]])
            >>> found.name, list(found.by_column)
            ('P(True)', ['column 0', 'column 1'])
        """
        rows = self.rows(X)
        log_probs, familiarity = self.examine(rows)
        events = log_probs.argmax(axis=1).tolist() if event is None else [event] * len(rows)
        known = familiarity.tolist() if familiarity is not None else [None] * len(rows)
        questions = [
            self._question(self.space.event(self.labels[e]) if event is None else self.event(e), e, p)
            for e, p in zip(events, known, strict=True)
        ]
        return self._explained(rows, questions, method, square, together, seed, most)

    # Other data -----------------------------------------------------------------------------------------------

    def calibrate(self, X: Any, y: Any, groups: Any = None) -> Self:
        """The same network with calibration and guarantees from new rows; they replace those of before.

        Half of the rows, drawn at random, fit a temperature, and a bias per class where a bias is seen to help (see
        `likely.trust.bias_corrected.fit_calibration`); the other half is kept for sets and thresholds. Familiarity
        compares with all of them. A model under another prior starts from it; the result answers under the class
        frequencies of the new rows, from which `with_prior` and `estimate_prior` go on.

        Args:
            X: rows or images that the network was not trained on, drawn like those it will answer.
            y: their labels (n,), or label distributions (n, k).
            groups: one value per row, equal for rows that are related: a group is drawn whole, and one row of it, drawn
                at random, counts. The guarantees are then for a random row of a random new group. None takes exact
                copies for related, as in `Classifier.fit`.
        Raises:
            DataError: if a row was trained on (as far as its run folder lies beside the model), or there are fewer than
                two rows.
        Warns:
            GuaranteeWarning: naming the labels that no row has. They keep their bias, and the others are calibrated
                among themselves (see `likely.trust.bias_corrected.fit_among`); sets per class refuse.
        """
        from likely.model.recalibrate import fit_again, halves, refuse_trained_on

        rows, stated = self._whole_rows(X), self._stated
        refuse_trained_on(self._seen_in_training(rows))
        Y = classes_or_distributions(y, self.labels, self.card.labels, len(rows))
        first, second = halves(rows, groups, self.columns)
        compares = OOD_SCORES in self.arrays
        scores, *ood = in_pieces(
            rows, self._piece, self._scores_and_ood if compares else lambda part: (self._scores(part),)
        )
        log_probs = mask_unseen(self._before_calibration(scores).astype(np.float64), stated)
        fitted, frequencies = fit_again(self.card, self.labels, log_probs, Y, first, stated)
        arrays = held_out_arrays(log_probs[first], log_probs[second], Y[second], fitted, stated)
        arrays[CODES] = row_codes(take_rows(rows, second))
        if compares:
            arrays[OOD_SCORES] = np.sort(ood[0][np.concatenate([first, second])])
        splits = {"method": "held-out", "calibration": len(first), "thresholds": len(second), "folds": 0}
        return self._changed(
            arrays,
            temperature=fitted.temperature,
            biases=None if fitted.biases is None else tuple(fitted.biases.tolist()),
            class_frequencies=frequencies,
            splits=self.card.splits.model_copy(update=splits),
            prior=None,
            prior_estimated=False,
            frequencies_known=False,
        )

    def with_prior(
        self,
        prior: "Mapping[Any, float] | PriorEstimate | np.ndarray",
        *,
        training: "Mapping[Any, float] | np.ndarray | None" = None,
    ) -> Self:
        """The same model where the classes have other frequencies than in training.

        P'(y | x) is proportional to P(y | x) P'(y) / P(y): what a label looks like stays, how often it comes changes.
        Every answer uses the new frequencies, sets too (see `predict_set`). Error bounds, thresholds of events and
        familiarity guarantee nothing under them, and raise.

        Args:
            prior: the frequency of every label, with sum 1, or what `estimate_prior` found.
            training: the frequencies where the training rows come from, if they are known, say because rows were
                drawn class by class; None takes those counted in the rows. After `calibrate`, of the rows it saw.
        Raises:
            ProbabilityError, DataError: if they are not frequencies of these labels.
        Reference: Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier.
        """
        estimated = isinstance(prior, PriorEstimate)
        new = check_frequencies(prior.prior if estimated else prior, self.labels)
        changes: dict[str, Any] = {"prior": tuple(new.tolist())}
        if training is not None:
            known = check_frequencies(training, self.labels, "training", positive=True)
            changes |= {"class_frequencies": tuple(known.tolist()), "frequencies_known": True}
        return self._changed(**changes, prior_estimated=estimated)

    def estimate_prior(self, X: Any) -> PriorEstimate:
        """How often each label comes among unlabeled rows, with 95% intervals: see `likely.trust.prior.estimate_prior`.

        The maximum of the likelihood is corrected by what the model answers to held-out rows of each class; without any
        the intervals count the draw of X alone. Rows are independent, and labels look the same in both places.
        """
        log_probs, old = self._before_prior_of(self.rows(X)), np.array(self.card.class_frequencies)
        held_out = self.held_out
        return estimate_prior(log_probs, old) if held_out is None else held_out.estimate_prior(log_probs, old)

    # Inside ---------------------------------------------------------------------------------------------------

    def _question(self, event: Event, asked: Any, familiarity: float | None) -> Question:
        named = isinstance(asked, str) and asked in self.events and asked not in self.labels
        return Question(
            f"P({asked if named else ' or '.join(map(str, event))})",
            event,
            lambda rows: np.exp(self._log_probs_of(rows)) @ event.mask,
            lambda scores: self._probability_and_slopes(scores, event.mask),
            scale=100.0,
            least=0.005,
            familiarity=familiarity,
        )
