"""The parameters of the estimators: settings of `RunConfig`, and what only arrays in memory need.

At run time signatures, defaults and reference are made from the declarations; the typed dicts say the same to type
checkers, and a test holds them together.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar, get_type_hints

from likely.config import RunConfig
from likely.config.setting import declared, reference
from likely.data.images.image_arrays import Channels
from likely.estimators.progress_bar import Verbose

Class = TypeVar("Class", bound=type)


class Parameter(NamedTuple):
    """Default and meaning of a parameter of an estimator."""

    default: Any
    meaning: str


_OF_ARRAYS = {
    "image_shape": Parameter(None, "(h, w) or (h, w, 3) where each row of X is an image."),
    "channels": Parameter(
        "auto", 'Where arrays of images have their channels, "first" or "last"; "auto" asks their shape.'
    ),
    "dtype": Parameter("auto", '"auto" computes rows of float64 in float64, everything else in float32.'),
    "random_state": Parameter(None, "An int for a run that repeats."),
    "verbose": Parameter("auto", 'Whether `fit` shows how far it is; "auto" does so in notebooks.'),
}
_OF_LABELED_ARRAYS = {
    "hflip": Parameter(False, "Whether an image flipped left to right still shows the same."),
    "mirror": Parameter("deprecated", "The deprecated name of `hflip`."),
}


class Parameters(TypedDict, total=False):
    """Those of both estimators, except `network`."""

    ignore: Sequence[str]
    categories: Sequence[str]
    numbers: Sequence[str]
    keep: Sequence[str]
    missing: Sequence[str] | None
    decimal: str | None
    preset: str
    epochs: float | None
    time_limit: float | None
    early_stopping: bool
    members: int
    learning_rate: float | None
    batch_size: int | None
    optimizer: Any
    augment: Any
    init_from: Any
    init_keep: str
    freeze: Sequence[str]
    hidden: tuple[int, ...] | None
    activation: str | None
    image_size: int | None
    engine: str
    device: str
    image_shape: tuple[int, ...] | None
    channels: Channels
    dtype: str
    random_state: Any
    verbose: Verbose


class ClassifierParameters(Parameters, total=False):
    """Those of the classifier, except `network`."""

    events: Mapping[str, Collection[Any]] | None
    loss: Any
    head: str
    tune: str
    pad_to: int | None
    hflip: bool
    mirror: Any  # deprecated


class RegressorParameters(Parameters, total=False):
    """Those of the regressor, except `network`."""

    extrapolate: bool


def parameters_of(estimator: Literal["classifier", "regressor"]) -> dict[str, Parameter]:
    """All parameters of an estimator by name, `network` first."""
    classifies = estimator == "classifier"
    settings = {
        name: Parameter(None if setting.default == {} else setting.default, setting.setting.python or setting.meaning)
        for name, setting in declared(RunConfig).items()
        if setting.setting.estimators in ("both", estimator)
    }
    network = settings.pop("network")
    return {"network": network, **settings, **_OF_ARRAYS, **(_OF_LABELED_ARRAYS if classifies else {})}


def with_parameters(estimator: Literal["classifier", "regressor"], types: type) -> Callable[[Class], Class]:
    """A decorator: the class gets `__init__` with these parameters, and their meaning in its docstring."""

    def decorate(cls: Class) -> Class:
        hints = {"network": Any, **get_type_hints(types)}
        kinds, found = inspect.Parameter, parameters_of(estimator)
        given = [
            kinds(name, kinds.KEYWORD_ONLY, default=parameter.default, annotation=hints.get(name, Any))
            for name, parameter in found.items()
        ]
        given[0] = given[0].replace(kind=kinds.POSITIONAL_OR_KEYWORD)  # the network
        signature = inspect.Signature([kinds("self", kinds.POSITIONAL_OR_KEYWORD), *given])

        def initialize(self: Any, *args: Any, **settings: Any) -> None:
            try:
                bound = signature.bind(self, *args, **settings)
            except TypeError as error:
                raise TypeError(f"{cls.__name__}: {error}") from None
            bound.apply_defaults()
            vars(self).update({name: bound.arguments[name] for name in list(signature.parameters)[1:]})

        initialize.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]  # scikit-learn asks for it
        initialize.__name__, initialize.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
        cls.__init__ = initialize
        meanings = {name: parameter.meaning for name, parameter in found.items()}
        cls.__doc__ = (cls.__doc__ or "").replace("{parameters}", reference(meanings))
        return cls

    return decorate
