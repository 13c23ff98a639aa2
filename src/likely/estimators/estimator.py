"""What the classifier and the regressor share: the way from arrays and settings to the recipe."""

import math
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,  # pyright: ignore[reportPrivateUsage]  # public to estimators by scikit-learn's developer guide
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from likely.arrays import Weights, to_numpy
from likely.config import RunConfig, current_augmentation
from likely.config.registry import is_backbone
from likely.data.dataset import Dataset
from likely.data.far_values import refuse_far
from likely.data.groups import with_copies_grouped
from likely.data.images.decode_many import reading
from likely.data.images.image_arrays import (
    Channels,
    are_images,
    files_in,
    refuse_alone,
    rows_as_images,
    stack_images,
)
from likely.data.images.stack_files import stack_files
from likely.data.tables.frame import holds_numbers_alone, is_frame, sheet_of, sheet_of_objects
from likely.data.tables.targets import refuse_missing
from likely.errors import ConfigError, DataError, GuaranteeWarning
from likely.estimators.frames import learned_rows, numbered, options_of, sheet_to_learn_from, without_others
from likely.estimators.progress_bar import Verbose, watcher
from likely.estimators.rows import refuse_mixed, refuse_words
from likely.functional.losses import Loss, custom_loss
from likely.model.folder_lock import one_writer
from likely.model.predictor import Predictor
from likely.networks.custom import CustomNetwork
from likely.preprocessing.columns import Column
from likely.training.fit import learn
from likely.training.loop.interrupt import SIGNALS
from likely.training.plan import Overrides
from likely.training.resume.basis import Resumption, settings_of
from likely.training.resume.journal import remove


class Estimator(BaseEstimator):
    """What both estimators share: the settings, and the way from X to rows."""

    _task: Literal["classification", "regression"]
    image_shape: tuple[int, ...] | None
    image_size: int | None
    channels: Channels
    verbose: Verbose
    random_state: Any
    dtype: str
    network: Any
    optimizer: Any
    augment: Any
    predictor_: Any
    feature_names_in_: np.ndarray
    n_features_in_: int
    _columns: tuple[Column, ...] | None = None
    """What the columns of a frame are that were learned from; None for an array of numbers, and images."""
    _conversion: dict[str, Any] | None = None
    """How files became images of one shape; None where they were only resized, and for arrays."""
    history_: list[dict[str, Any]]

    def familiarity(self, X: Any) -> np.ndarray:
        """A conformal p-value per row: small = unlike anything it was trained on; see `Predictor.familiarity`."""
        return self._answering().familiarity(self._rows(X))

    def _answering(self) -> Any:
        check_is_fitted(self)
        return self.predictor_

    def _html_repr(self) -> str:
        """What a notebook shows: a fitted estimator as the card of its model, else scikit-learn's diagram."""
        return self.predictor_._repr_html_() if hasattr(self, "predictor_") else super()._html_repr()

    def _config(self, rows: np.ndarray, **more: object) -> RunConfig:
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        dtype = self.dtype
        overrides = self._overrides()
        if dtype == "auto":
            # Numbers in double precision are computed in it; images never need it, and a user's module may make tensors
            # in torch's default precision.
            wide = rows.ndim == 2 and rows.dtype == np.float64 and overrides.network is None
            dtype = "float64" if wide else "float32"
        # Images are resized here, and events named as text: neither is as the user gave it.
        shared = RunConfig.model_fields.keys() & self.get_params(deep=False).keys() - {"image_size", "events", "dtype"}
        settings = {name: getattr(self, name) for name in shared}
        if isinstance(begin := settings.get("init_from"), BaseEstimator | Predictor):
            model = "clf.predictor_" if isinstance(begin, BaseEstimator) else "predictor"
            raise ConfigError(
                f"init_from must be the path of a file; got a {type(begin).__name__}. Try {model}.save(path), and "
                "init_from=path."
            )
        # What has no name is passed in addition to the configuration.
        named = {"network": "auto", "optimizer": None, "augment": None, "loss": "cross_entropy"}
        settings |= {name: named[name] for name in named if getattr(overrides, name) is not None}
        settings |= {"data": "array", "seed": int(seed), "dtype": dtype, "task": self._task}
        return RunConfig.from_json(settings | more)

    def _network_config(self) -> RunConfig:
        """The settings by which it is decided at what size files are read."""
        given = self.get_params(deep=False)
        named = {name: given[name] for name in ("network", "engine", "image_size", "hidden", "pad_to") if name in given}
        if not isinstance(self.network, str) or self.augment is not None or given["freeze"] or given["init_from"]:
            named["network"] = self.network if isinstance(self.network, str) and is_backbone(self.network) else "conv"
        return RunConfig(**named)

    def _overrides(self) -> Overrides:
        """What was given as an object, not by name."""
        network, optimizer, augment = self.network, self.optimizer, self.augment
        loss = getattr(self, "loss", "cross_entropy")
        if not isinstance(loss, str | Loss) and not callable(loss):
            raise ConfigError(
                f"loss must be a name or a function of labels and scores; got a {type(loss).__name__}. "
                "Try loss=lambda labels, scores: torch.nn.functional.cross_entropy(scores, labels, reduction='none')."
            )
        if optimizer is not None and not isinstance(optimizer, str) and not callable(optimizer):
            raise ConfigError(
                f"optimizer must be 'sgd', 'adam' or a function of the parameters; got a {type(optimizer).__name__}. "
                "The network does not exist yet, so the optimizer cannot hold its parameters. Try optimizer=lambda "
                "params: torch.optim.SGD(params, lr=0.1)."
            )
        parts = tuple(map(current_augmentation, augment if isinstance(augment, list | tuple) else (augment,)))
        return Overrides(
            network=None if isinstance(network, str) else CustomNetwork(network),
            optimizer=optimizer if callable(optimizer) else None,
            loss=None if isinstance(loss, str) else loss if isinstance(loss, Loss) else custom_loss(loss),
            augment=None if all(part is None or isinstance(part, str) for part in parts) else parts,
        )

    def _rows(self, X: Any) -> Any:
        """X as stored rows like those learned from, or as a sheet of columns, which the predictor finds by name."""
        _refuse_mapping(X)
        refuse_alone(X)
        if are_images(X):
            return self.predictor_.rows(X)
        if self._columns is not None:
            names = getattr(self, "feature_names_in_", None)
            if is_frame(X) and names is not None:
                return sheet_of(without_others(X, names.tolist()))
            validate_data(self, X, reset=False, skip_check_array=True)
            rows = sheet_of(X).frame.to_numpy() if is_frame(X) else np.asarray(X)
            return sheet_of_objects(rows, numbered(self.n_features_in_) if names is None else names.tolist())
        if is_frame(X) and hasattr(self, "feature_names_in_"):
            X = without_others(X, self.feature_names_in_.tolist())
            if not holds_numbers_alone(X):
                self._validated(X, reset=False, skip_check_array=True)
                return sheet_of(X)
        return self._shaped(self._validated(X, reset=False, dtype=self._dtypes))

    def _rows_and_y(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """The same for learning, with the answers: what X is like is remembered."""
        numeric = self._task == "regression"
        _refuse_mapping(X)
        refuse_alone(X)
        refuse_missing(_missing(y), "y", got="none (NaN)")
        (refuse_words if numeric else refuse_mixed)(_answers(y))
        self._columns = self._conversion = None
        options = options_of(self.get_params(deep=False))
        if are_images(X):
            if (files := files_in(X)) is not None:
                rows, form = stack_files(files, reading(self._network_config()))
                self._conversion = None if form.conversion is None else dict(form.conversion)
            else:
                rows = stack_images(X, self.channels)
            y = self._checked(y, rows)
            self.n_features_in_ = math.prod(rows.shape[1:])
            self.__dict__.pop("feature_names_in_", None)
        elif self.image_shape is None and (sheet := sheet_to_learn_from(X, options)) is not None:
            y = self._checked(y, sheet)
            rows, self._columns = learned_rows(sheet, options)
            self.n_features_in_ = len(sheet.frame.columns)
            self.__dict__.pop("feature_names_in_", None)
            if is_frame(X):
                self.feature_names_in_ = np.array(sheet.frame.columns, dtype=object)
        else:
            rows, y = cast(
                tuple[np.ndarray, Any],
                self._validated(X, _answers(y), dtype=self._dtypes, multi_output=True, y_numeric=numeric),
            )
        return self._shaped(rows), np.asarray(y)

    def _checked(self, y: Any, rows: Any) -> Any:
        """The answers as an array with one for each row."""
        kind: Any = np.float64 if self._task == "regression" else None
        y = check_array(_answers(y), ensure_2d=False, dtype=kind, input_name="y")
        check_consistent_length(np.empty(len(rows)), y)
        return y

    def _validated(self, X: Any, *y: Any, **how: Any) -> Any:
        """What scikit-learn makes of X and y; a value that is not finite is named by its place."""
        try:
            return validate_data(self, _plain(X), *y, **how)
        except ValueError as error:
            if "Input X contains" in str(error):
                raise DataError(f"{_first_not_finite(X)} {error}") from None
            if "must be in the same order" in str(error):
                raise DataError(
                    f"{str(error).rstrip()}\nTry X[list(estimator.feature_names_in_)] to reorder the "
                    "columns, or the methods of predictor_, which finds columns by name."
                ) from None
            raise

    @property
    def _dtypes(self) -> Any:
        return "numeric" if self.image_shape is not None else (np.float64, np.float32)

    def _shaped(self, rows: Any) -> Any:
        return rows if self.image_shape is None else rows_as_images(rows, tuple(self.image_shape))

    def _features(self, rows: np.ndarray) -> tuple[str, ...] | None:
        if self._columns is not None:
            return tuple(column.name for column in self._columns)
        names = getattr(self, "feature_names_in_", None) if rows.ndim == 2 else None
        return None if names is None else tuple(names)

    def _learn(
        self,
        dataset: Dataset,
        targets: np.ndarray | None,
        weights: Weights,
        resumption: Resumption | None,
        **settings: object,
    ) -> None:
        if weights is not None and not weights.all():
            # A row of weight 0 counts as if it were not there; a batch of nothing else would have no mean loss.
            kept = np.flatnonzero(weights)
            dataset = replace(dataset, train=replace(dataset.train, numbers=np.arange(len(weights))).take(kept))
            targets, weights = None if targets is None else targets[kept], weights[kept]
        refuse_far(dataset, in_memory=True)
        if resumption is not None and self.random_state is None:
            # A seed that was drawn is drawn once.
            settings |= {name: seed for name, seed in settings_of(resumption.folder).items() if name == "seed"}
        config = self._config(np.asarray(dataset.train.X), **settings)
        watching = watcher(self.verbose)
        said = len(dataset.notes)
        dataset = with_copies_grouped(dataset)
        for note in dataset.notes[said:]:
            watching.say(note)
        if dataset.doubt:
            warnings.warn(dataset.doubt, GuaranteeWarning, stacklevel=3)
        learned = learn(
            dataset,
            config,
            watching,
            targets=targets,
            weights=weights,
            overrides=self._overrides(),
            resumption=resumption,
        )
        if resumption is not None and learned.stopped not in SIGNALS:
            remove(resumption.folder)
        self.predictor_ = learned.predictor
        self.history_ = [record.to_json() for record in learned.history]
        for message in learned.warnings:
            warnings.warn(message, GuaranteeWarning, stacklevel=3)


@contextmanager
def resumption_in(folder: str | Path | None, anyway: bool) -> Generator[Resumption | None]:
    """Where the checkpoints of a `fit` are kept, from which it goes on if there are some: by one `fit` at a time."""
    if folder is None:
        yield None
    else:
        with one_writer(Path(folder), "fit", fix="another resume"):
            yield Resumption(Path(folder), resume=True, anyway=anyway)


def _refuse_mapping(X: Any) -> None:
    if isinstance(X, Mapping) and not hasattr(X, "toarray"):  # one form of SciPy's sparse arrays is a mapping, too
        raise DataError("X must be an array or a data frame; got a mapping. Try pandas.DataFrame(X).")


def _first_not_finite(X: Any) -> str:
    """The message with the place of the first one."""
    values = np.asarray(_plain(X), dtype=np.float64)
    bad = np.argwhere(~np.isfinite(values))
    row, column = (int(i) for i in bad[0])
    names = getattr(X, "columns", None)
    name = column if names is None else repr(str(names[column]))
    count = f" ({len(bad):,} such values)" if len(bad) > 1 else ""
    kind = "NaN" if np.isnan(values[row, column]) else "infinity"
    return f"X must be finite; got {kind} at row {row}, column {name}{count}. Try to fill or drop it."


def _plain(values: Any) -> Any:
    """Tensors as arrays; scikit-learn reads the rest."""
    return to_numpy(values) if hasattr(values, "detach") else values


def _answers(y: Any) -> Any:
    """y with the type of its values: scikit-learn would read booleans and integers of pandas's own types as floats."""
    if hasattr(y, "to_pylist"):  # of pyarrow, whose arrays are not copied unasked
        return y.to_numpy(zero_copy_only=False)
    return y.to_numpy() if hasattr(y, "to_numpy") else _plain(y)


_NOTHING = ("nan", "<NA>", "NaT")


def _missing(y: Any) -> Any:
    """Which rows have no answer, in any form that people leave them out; nothing of several columns."""
    values: Any = _answers(y)
    kind = values.dtype.kind if getattr(values, "ndim", 0) == 1 else ""
    if isinstance(values, list | tuple) or kind == "O":
        return [value is None or (not isinstance(value, str) and str(value) in _NOTHING) for value in values]
    return np.isnan(values) if kind == "f" else ()


def checked_weights(sample_weight: Any, rows: np.ndarray) -> np.ndarray | None:
    """The weights as float64, shape (n,), or None; a DataError if all are zero, scikit-learn's ValueError if one is no
    weight, or there are not as many as rows."""
    if sample_weight is None:
        return None
    given = to_numpy(sample_weight)
    if given.size and not given.any():
        raise DataError(
            "sample_weight must not be all zero; got only zeros. Try sample_weight=None to count all rows the same."
        )
    return _check_sample_weight(_plain(sample_weight), rows, dtype=np.float64, ensure_non_negative=True)
