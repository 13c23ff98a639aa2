"""One typed, frozen description of a run: what a command line, a TOML or JSON file and a run folder all say.

    command line ─┐
    TOML or JSON ─┼─> RunConfig ─> recipe
    Python ───────┘

A name that does not exist, a number out of range or two settings that contradict each other is a ConfigError, raised
before any data is opened.
"""

import json
import os
import re
import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from likely.errors import ConfigError, RenamedWarning, nearest

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "bare": 1.0}
_NUMBER = r"(\d+\.?\d*|\.\d+)"
_DURATION = re.compile(
    rf"(?:(?P<h>{_NUMBER})\s*h)?\s*(?:(?P<m>{_NUMBER})\s*m(?:in)?)?\s*(?:(?P<s>{_NUMBER})\s*s)?|(?P<bare>{_NUMBER})"
)


def parse_duration(text: str) -> float:
    """Seconds in a duration such as `90`, `30s`, `2m`, `1.5h` or `1h30m`.

    Args:
        text: hours, minutes and seconds, each optional, in this order; a bare number means seconds.
    Raises:
        ConfigError: if it is none of these, or not positive.
    Example:
        >>> parse_duration("2m"), parse_duration("1h30m"), parse_duration("0.5")
        (120.0, 5400.0, 0.5)
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = sum(float(match[unit]) * size for unit, size in _UNITS.items() if match[unit]) if match else 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"A duration must be a positive time such as 30s, 2m, 1h or 1h30m; got {text!r}.")
    return seconds


def _activation(value: object) -> object:
    if value == "heaviside":
        raise ConfigError(
            "activation must have a gradient that is not zero almost everywhere; got 'heaviside'. "
            "Its slope is 0 wherever it exists, so gradient descent would never move. Try 'sigmoid', its smooth form."
        )
    return value


def current_augmentation(part: Any) -> Any:
    """`"hflip"` for its old name, with a RenamedWarning; whatever else changes images, as it is."""
    if part != "mirror":  # deprecated
        return part
    warnings.warn("The augmentation 'mirror' is deprecated; use 'hflip'.", RenamedWarning, stacklevel=3)
    return "hflip"


def _augmentations(value: object) -> object:
    parts = _listed(value, none="none")
    return tuple(map(current_augmentation, parts)) if isinstance(parts, tuple) else parts


def _listed(value: object, none: str = "") -> object:
    """The parts of a text such as `hflip,shift`, or of a list; the text `none` has no parts."""
    if isinstance(value, str):
        return () if value.strip() == none else tuple(part.strip() for part in value.split(","))
    return tuple(value) if isinstance(value, list) else value


_Seconds = Annotated[float, BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value)]
_Widths = Annotated[
    tuple[Annotated[int, Field(gt=0)], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(min_length=1),
]
_Labels = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    Field(min_length=1),
]
_Augment = Annotated[
    tuple[Literal["hflip", "shift", "cutout"], ...],
    BeforeValidator(_augmentations),
]
_Patterns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(lambda value: _listed(value))]
_Activation = Annotated[Literal["sigmoid", "relu", "tanh", "gelu"], BeforeValidator(_activation)]


class RunConfig(BaseModel):
    """What to learn from, how, and where to write; None leaves a choice to the preset.

    Args:
        data: the name of a data set, or a path.
        data_folder: where the files of a named data set lie, if not in one of the usual places.
        label: the column of a table that holds the answers; None guesses by its name, and says so.
        image: the column of a table that holds paths or bytes of images; None looks for one, and says so.
        group: the column of a table that says which rows are related: those of one value are drawn together, and all
            guarantees count one row of each group.
        group_by_folder: images in one folder below that of their class are related, in the same sense.
        corrections: a table of corrected labels for training rows, such as `likely check` writes.
        test_last: the column of a table, numbers or dates, whose latest rows become the test part, about a fifth of
            all, in place of random ones. Equal values stay on one side; the column is learned from as without it.
        task: "auto" asks the data.
        preset: how long to train and how large the network is.
        network: "auto" takes the conv net for images and the MLP for rows of numbers.
        hidden: widths of the hidden layers of the MLP.
        activation: of the MLP.
        engine: "auto" takes the best one that can train the network.
        head: from scores to probabilities.
        loss: what training lowers.
        optimizer: the update rule.
        augment: how training images are changed, of "hflip", "shift" and "cutout"; none, in an empty list, leaves
            them as they are. Left out: what the data set declares to be harmless: mirroring, and beside it, in the
            presets balanced and best, a square cut out.
        init_from: a `model.likely`, a run folder or a safetensors file whose parameters training begins with; the last
            layer begins anew where there are labels that the file does not know.
        init_keep: what of a model that training begins with is kept: "all", its labels and its standardization, too, or
            only its "parameters".
        freeze: patterns of the names of parameters that do not learn, such as `blocks.0.*`.
        learning_rate: the largest one of the schedule.
        batch_size: rows per step.
        epochs: passes over the training rows; may be a fraction.
        time_limit: seconds of training and calibration, `2m` and the like in a file or on the command line, kept
            within a tenth and three seconds; starting, reading, test figures and the report are not counted, nor time
            in which the process was stopped. With the preset fast and no epochs given it also chooses how wide a conv
            net is.
        early_stopping: hold out a further part and stop when its loss no longer falls.
        class_weight: how much rows of each label count in training: "balanced" (all labels the same in sum) or a
            positive number per label, 1 for labels left out; probabilities are corrected for it, so that they stay true
            to the data.
        events: named sets of labels, kept in the model and answered with every image.
        seed: of everything that is drawn.
        device: where torch computes.
        image_size: side in pixels to which the images of class folders are resized; None wants them of one size.
        skip_bad: leave out images that can't be read, instead of refusing the data.
        pad_to: side in pixels to which square images are padded with zeros.
        dtype: of parameters and arithmetic.
        precision: of products while the conv net is trained; "auto" takes bfloat16 where the processor multiplies in
            it natively. Parameters and answers are float32 all the same.
        out: the run folder; None takes the first free `runs/NAME-N`.
        overwrite: whether the files of an earlier run may be replaced.
    Raises:
        ConfigError: if a name, a value or a combination does not exist.
    Example:
        >>> RunConfig(data="digits", epochs=2).epochs
        2.0
        >>> RunConfig(preset="fats")
        Traceback (most recent call last):
        likely.errors.ConfigError: preset must be one of 'fast', 'balanced', 'best'; got 'fats'. Did you mean 'fast'?
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    data: str = Field(default="digits", min_length=1)
    data_folder: str | None = None
    label: str | None = None
    image: str | None = None
    group: str | None = Field(default=None, min_length=1)
    group_by_folder: bool = False
    corrections: str | None = Field(default=None, min_length=1)
    test_last: str | None = Field(default=None, min_length=1)
    task: Literal["auto", "classification", "regression"] = "auto"
    preset: Literal["fast", "balanced", "best"] = "fast"
    network: Literal["auto", "conv", "mlp", "linear"] = "auto"
    hidden: _Widths | None = None
    activation: _Activation | None = None
    engine: Literal["auto", "numpy", "jax", "torch"] = "auto"
    head: Literal["softmax", "l1"] = "softmax"
    loss: Literal["cross_entropy", "squared_error"] = "cross_entropy"
    optimizer: Literal["sgd", "adam"] | None = None
    augment: _Augment | None = None
    init_from: str | None = Field(default=None, min_length=1)
    init_keep: Literal["all", "parameters"] = "all"
    freeze: _Patterns = ()
    learning_rate: float | None = Field(default=None, gt=0)
    batch_size: int | None = Field(default=None, gt=0)
    epochs: float | None = Field(default=None, gt=0)
    time_limit: _Seconds | None = Field(default=None, gt=0)
    early_stopping: bool = False
    class_weight: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    events: dict[str, _Labels] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0, lt=2**63)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    image_size: int | None = Field(default=None, gt=0, le=1024)
    skip_bad: bool = False
    pad_to: int | None = Field(default=None, gt=0)
    dtype: Literal["float32", "float64"] = "float32"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    out: str | None = Field(default=None, min_length=1)
    overwrite: bool = False

    # Hidden from the type checker, which derives the real signature from the fields.
    if not TYPE_CHECKING:

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**{name: _plain(value) for name, value in values.items()})
            except ValidationError as error:
                raise _explained(error) from None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for name in ("hidden", "activation"):
            if getattr(self, name) is not None and self.network in ("linear", "conv"):
                raise ConfigError(
                    f"{name} must come with the network 'mlp'; got network={self.network!r}, "
                    f"which has no such setting. Try network='mlp', or leave out {name}."
                )
        if self.class_weight is not None and self.head != "softmax":
            raise ConfigError(
                f"class_weight must come with the head 'softmax'; got head={self.head!r}. Only there can probabilities "
                "be corrected for it exactly. Try head='softmax'."
            )
        return self

    def __hash__(self) -> int:
        """Equal configurations have equal hashes, dictionaries and all."""
        return hash(self.model_dump_json())

    def replace(self, **changes: Any) -> "RunConfig":
        """The same configuration with some fields changed, and checked again.

        Example:
            >>> RunConfig(seed=1).replace(seed=2).seed
            2
        """
        return RunConfig(**{**self.model_dump(), **changes})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, all fields."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "RunConfig":
        """The configuration that `to_json` described; fields left out take their defaults.

        Example:
            >>> RunConfig.from_json(RunConfig(hidden=(64,)).to_json()).hidden
            (64,)
        """
        return cls(**document)

    def to_toml(self) -> str:
        """The fields that have a value, as a TOML document.

        Example:
            >>> print(RunConfig(data="digits", time_limit=60).to_toml().splitlines()[0])
            data = "digits"
        """
        values = {name: value for name, value in self.to_json().items() if value is not None}
        return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())

    @classmethod
    def from_toml(cls, text: str) -> "RunConfig":
        """The configuration in a TOML document.

        Raises:
            ConfigError: if it is not TOML, or holds what a configuration does not.
        """
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"A configuration must be valid TOML: {error}.") from None
        return cls(**document)


def load_config(path: str | Path) -> RunConfig:
    """The configuration in a `.toml` or `.json` file, such as the `config.json` of a run folder.

    Raises:
        ConfigError: if the file cannot be read, or holds what a configuration does not; the message names the file.
    """
    return RunConfig(**load_settings(path))


def load_settings(path: str | Path) -> dict[str, Any]:
    """The fields that a configuration file sets, checked, so that others can be laid over them.

    Raises:
        ConfigError: like `load_config`.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"A configuration must be a readable text file; got {path}: {reason}.") from None
    try:
        document: Any = _PARSERS[path.suffix.lower()](text)
    except KeyError:
        raise ConfigError(f"A configuration file must end in .toml or .json; got {path}.") from None
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ConfigError(f"{path} must be valid {path.suffix[1:].upper()}: {error}.") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold names and values; got a {type(document).__name__}.")
    try:
        RunConfig(**document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return document


def _toml(value: Any) -> str:
    """A JSON value in TOML's notation."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_toml(name)} = {_toml(entry)}' for name, entry in value.items())} }}"
    # JSON's notation of strings, numbers, booleans and lists is TOML's too, but for the character DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


_PARSERS: dict[str, Any] = {
    ".toml": tomllib.loads,
    ".json": lambda text: json.loads(text, parse_constant=_refuse_constant),
}


def _plain(value: Any) -> Any:
    """NumPy's numbers and paths as Python's numbers and strings."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


_RULES: dict[str, str] = {
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "finite_number": "finite",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "given; it is empty",
}
_FORMS: dict[str, str] = {
    "hidden": "a list of whole numbers, such as [256] or [512, 256]",
    "augment": 'a list of names, such as ["hflip", "cutout"]',
    "freeze": 'a list of patterns, such as ["blocks.0.*"]',
    "events": 'names of lists of labels, such as { footwear = ["Sandal", "Sneaker"] }',
    "class_weight": '"balanced", or labels and their weights, such as { Shirt = 2.0 }',
}
"""What a setting looks like in a file, where its type does not say so."""


def _explained(error: ValidationError) -> ConfigError:
    """The first thing that is wrong, in one sentence."""
    first = error.errors()[0]
    context = first.get("ctx", {})
    if isinstance(context.get("error"), ConfigError):
        return context["error"]
    name, value = str(first["loc"][0]), first["input"]
    entry = next((e for e in error.errors() if e["loc"][0] == "class_weight" and len(e["loc"]) > 2), None)
    if name == "class_weight" and isinstance(value, Mapping) and entry is not None:
        label = next(part for part in entry["loc"][2:] if part != "[key]")
        return ConfigError(
            f"class_weight must be a positive number for each label, such as {{ Shirt = 2.0 }}; got {entry['input']!r} "
            f"for {label!r}. A label that counts nothing can't be learned. Try a small weight, or leave its rows out."
        )
    if first["type"] == "extra_forbidden":
        fields = list(RunConfig.model_fields)
        listed = ", ".join(fields)
        return ConfigError(f"A setting must be one of {listed}; got {name!r}. {_hint(name, fields)}".rstrip())
    shown = repr(value) if isinstance(value, str | int | float | bool) else f"a {type(value).__name__}"
    if name in _FORMS and first["type"] != "greater_than" and (name, first["type"]) != ("augment", "literal_error"):
        return ConfigError(f"{name} must be {_FORMS[name]}; got {shown}.")
    if first["type"] == "literal_error":
        choices = [str(choice) for choice in re.findall(r"'([^']*)'", context["expected"])]
        listed = ", ".join(repr(choice) for choice in choices)
        return ConfigError(f"{name} must be one of {listed}; got {shown}. {_hint(value, choices)}".rstrip())
    rule = _RULES.get(first["type"])
    said = rule.format(**context) if rule else first["msg"]
    return ConfigError(f"{name} must be {said}; got {shown}.")


def _hint(name: object, choices: list[str]) -> str:
    """Did you mean ...? where one is close; the choices already stand in the message."""
    hint = nearest(name, choices)
    return hint if hint.startswith("Did") else ""
