"""The card of a model: everything that is known about it besides its numbers, as one typed, frozen document.

It is the JSON half of `model.likely`. Reading it is enough for `likely inspect`; together with the arrays it is
enough to rebuild the model.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from likely.config.registry import HEADS, LOSSES, OneOf
from likely.errors import ModelFileError
from likely.metrics.evaluation import Evaluation
from likely.model.card_contradictions import contradictions

THETA = "theta."
"""What the names of parameters begin with in a model file."""

BACKBONE = "backbone."
"""What the names of the weights of a frozen backbone begin with."""

MIXTURE = "mixture"
"""The name of a network that is the mean of several models' answers."""

SKETCH = "trained_on.sketch"
"""The array of a model file that tells whether other rows overlap with those trained on: see `row_sketch`."""


_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Number = Annotated[float, Field(ge=0)]
_Share = Annotated[float, Field(ge=0, le=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NetworkEntry(_Entry):
    """How to rebuild the network: its name in the closed list, and its settings."""

    name: str
    settings: dict[str, Any]
    parameters: _Count
    outputs: _Count


class DataEntry(_Entry):
    """What the model was made from; `label` (read as `label_reading`), `image` and `group` are columns of a table.

    `test_last` is the column whose latest rows were the test part; without one they were drawn, or came with the data.
    `latest` is the greatest number that training rows have in each column that looks like a time. `left_out` rows are
    in no part, since they are related to test rows. `equal_by_chance` is how likely a row equals one that it
    is no copy of.
    """

    name: str
    sha256: str
    found_at: str
    rows: _Count
    label: str | None = None
    label_reading: dict[str, Any] | None = None
    image: str | None = None
    test_last: str | None = None
    latest: dict[str, float] = Field(default_factory=dict)
    group: str | None = None
    group_by_folder: bool = False
    left_out: _Count = 0
    equal_by_chance: _Share = 0.0
    notes: tuple[str, ...] = ()


class SplitsEntry(_Entry):
    """How many rows each purpose had, disjoint; `method` says how the held-out scores came about.

    Of related rows all are trained on, but one row of each group counts for any other purpose; `groups` says how many
    groups there were, 0 where no rows are related.

    held-out: parts that the network was not trained on. cross-validation: out-of-fold scores of k trainings,
    then one fit on all rows. none: too few rows to hold any out.
    """

    method: Literal["held-out", "cross-validation", "none"]
    train: _Count
    calibration: _Count
    thresholds: _Count
    stopping: _Count = 0
    folds: _Count = 0
    test: _Count = 0
    groups: _Count = 0


class TrainingEntry(_Entry):
    """How it was trained; `penalty` is lambda of a linear classifier that was solved in place of descended on."""

    seed: _Count
    epochs: _Number
    steps: _Count
    seconds: _Number
    stopped: str
    preset: str
    engine: str
    dtype: str
    device: str
    threads: _Count
    optimizer: str
    learning_rate: _Number
    batch_size: _Count
    augment: tuple[str, ...] = ()
    init_from: str | None = None
    freeze: tuple[str, ...] = ()
    precision: str = "float32"
    penalty: _Number | None = None
    command: str = ""


class Card(_Entry):
    """The document of a model file.

    With `hflip` the mirrored copy of an image is averaged in, unless the first answer has a probability of
    `tta_threshold` or more.

    Scores are divided by the `temperature`; then the `biases`, one per class, are added where held-out rows supported
    any.

    `class_frequencies` are those that the probabilities hold under: of the training rows, or after `calibrate` of the
    rows calibrated on. `class_weight` is what training multiplied them by (taken back in every answer), `prior` those
    to answer under, where they differ. Frequencies are counted and a prior is given, unless `frequencies_known` and
    `prior_estimated` say otherwise. `unseen` are labels without a training row, with the
    probability that each of them has in every answer.

    `target_low` and `target_high` are the smallest and largest numbers of each target among the rows learned from; a
    file of version 0.1.0 has none.
    """

    task: Literal["classification", "regression"]
    labels: tuple[str, ...]
    label_type: Literal["str", "int", "float", "bool"] = "str"
    features: tuple[str, ...] | None = None
    network: NetworkEntry
    head: Annotated[str, OneOf(HEADS, without=("sigmoid",))]
    loss: Annotated[str, OneOf(LOSSES, also=("custom",))]
    normalization: dict[str, Any]
    conversion: dict[str, object] | None = None
    hflip: bool = False
    tta_threshold: float = Field(1.0, gt=0, le=1)
    temperature: float | None = Field(None, gt=0)
    biases: tuple[float, ...] | None = None
    events: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    class_frequencies: tuple[float, ...] = ()
    class_weight: tuple[float, ...] | None = None
    prior: tuple[float, ...] | None = None
    prior_estimated: bool = False
    frequencies_known: bool = False
    unseen: dict[str, float] = Field(default_factory=dict)
    target_mean: tuple[float, ...] = ()
    target_scale: tuple[float, ...] = ()
    target_low: tuple[float, ...] = ()
    target_high: tuple[float, ...] = ()
    data: DataEntry
    splits: SplitsEntry
    training: TrainingEntry
    metrics: dict[str, object] | None = None
    held_out: dict[str, object] | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    hardware: dict[str, object] = Field(default_factory=dict)
    created: str = ""

    @field_validator("biases", "class_frequencies", "class_weight", "prior")
    @classmethod
    def _one_per_label(cls, values: tuple[float, ...] | None, info: ValidationInfo) -> tuple[float, ...] | None:
        labels = info.data.get("labels", ())
        # Files of version 0.1.0 may have no frequencies.
        if values is not None and len(values) != len(labels) and (values or info.field_name != "class_frequencies"):
            raise ValueError(f"there must be one number for each of {len(labels)} labels")
        return values

    @property
    def calibrated(self) -> bool:
        """Whether a temperature was fitted on held-out scores."""
        return self.temperature is not None

    @property
    def evaluation(self) -> Evaluation | None:
        """The figures on test rows, if there was a test part."""
        return None if self.metrics is None else Evaluation.from_json(self.metrics)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, document: dict[str, object], path: object) -> "Card":
        """Read a card; a field that is missing, unknown or of the wrong type is a ModelFileError naming `path`."""
        try:
            json.dumps(document, ensure_ascii=False).encode()
            card = cls.model_validate(_with_current_names(document))
        except UnicodeEncodeError as error:
            raise _wrong_entry(path, "text", f"{error.object[error.start : error.end]!r} is not UTF-8") from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise _wrong_entry(path, ".".join(str(part) for part in first["loc"]), first["msg"]) from None
        for where, why in contradictions(card):
            raise _wrong_entry(path, where, why)
        return card


def _wrong_entry(path: object, where: str, why: str) -> ModelFileError:
    return ModelFileError(
        f"{path} must hold a complete model card; the entry {where[:80]!r} is wrong: {why}. It was written by another "
        "program or version. Try training the model again."
    )


_RENAMED = {"mirror": "hflip", "sure": "tta_threshold", "picture": "image"}  # deprecated
"""Fields in files of version 0.1.0 that have other names now."""


def _with_current_names(document: dict[str, object]) -> dict[str, object]:
    found = {_RENAMED.get(name, name): value for name, value in document.items()}
    data, normalization, training = (found.get(name) for name in ("data", "normalization", "training"))
    if isinstance(data, dict):
        found["data"] = {_RENAMED.get(name, name): value for name, value in data.items()}
    if isinstance(normalization, dict) and normalization.get("kind") == "pictures":  # deprecated
        found["normalization"] = {**normalization, "kind": "images"}
    if isinstance(training, dict) and isinstance(parts := training.get("augment"), list):
        found["training"] = {**training, "augment": ["hflip" if part == "mirror" else part for part in parts]}
    return found
