"""From a preset and the size of the data to a plan: network, optimizer, learning rate, batch size and length.

Where the numbers come from: those of conv nets were compared on training images of Fashion-MNIST that were held out,
but lengths were also changed after a look at its test part. Those of small tables were tuned on splits of iris, wine,
breast-cancer and digits, the very sets on which `benchmarks/defaults.py` then compares: its figures are favorable, and
no test of these numbers. See docs/performance.md, "Where the presets come from".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from likely.config import RunConfig
from likely.engines.protocol import EngineName, MakeOptimizer, Optimizer
from likely.errors import ConfigError, EngineError
from likely.model.start import Start
from likely.networks import create_network
from likely.networks.custom import CUSTOM, CustomNetwork
from likely.networks.network import Network, TorchNetwork
from likely.preprocessing.image_preprocessor import ImagePreprocessor, Layout

NetworkName = Literal["conv", "mlp", "linear", "custom"]


@dataclass(frozen=True)
class Overrides:
    """User-supplied objects in place of the names that a configuration knows.

    Args:
        network: a factory of modules.
        optimizer: (parameters) -> a torch optimizer.
        augment: names, functions of a prepared batch, augmentations with `draws`; None leaves it to the configuration.
        start: parameters to begin with; None draws them.
    """

    network: CustomNetwork | None = None
    optimizer: MakeOptimizer | None = None
    augment: tuple[Any, ...] | None = None
    start: Start | None = None


NO_OVERRIDES = Overrides()


@dataclass(frozen=True)
class Plan:
    """Everything that the loop needs to know.

    Args:
        network: what is trained.
        layout: how the network takes images: as "rows" (n, h w c) or as
            "channels_first" (n, c, h, w).
        head: from scores to the simplex; "identity" for regression.
        loss: what compares with the label.
        engine: what trains it.
        optimizer: the update rule, or what makes a torch optimizer.
        learning_rate: the peak of the schedule; None takes that of a custom optimizer.
        usual_rate: what it is where nobody says otherwise; None for a custom optimizer.
        warmup: the share of the run during which the learning rate rises.
        batch_size: rows per step.
        epochs: passes over the training rows.
        hflip: whether training and prediction may flip images left to right.
        power_transform: whether skewed columns of numbers are made symmetric before the network sees them.
        tta_threshold: the probability of the first answer from which on the mirrored copy is not asked (test-time
            augmentation); 1 always asks.
        augment: what else changes training rows.
        start: parameters to begin with.
        freeze: patterns of the names of parameters that do not learn.
        average_fraction: the share of the end of the run over which parameters are averaged; 0 keeps the last ones.
        exact: solve in closed form (linear regression) instead of descending.
        penalties: solve a convex problem (linear classification) by L-BFGS instead of descending, once for each of
            these L2 penalties, from strong to weak; held-out rows choose among them.
        passes: over the rows that L-BFGS may take for all penalties together.
        precision: of products while a torch module is trained; "auto" asks the processor.
    """

    network: Network | TorchNetwork
    layout: Layout
    head: Literal["softmax", "l1", "identity"]
    loss: Literal["cross_entropy", "squared_error"]
    engine: EngineName
    optimizer: Optimizer | MakeOptimizer
    learning_rate: float | None
    warmup: float
    batch_size: int
    epochs: float
    hflip: bool
    power_transform: bool = False
    tta_threshold: float = 1.0
    augment: tuple[Any, ...] = ()
    start: Start | None = None
    freeze: tuple[str, ...] = ()
    average_fraction: float = 0.0
    exact: bool = False
    penalties: tuple[float, ...] = ()
    passes: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    usual_rate: float | None = None


@dataclass(frozen=True)
class _Recipe:
    """How one kind of network is trained at one preset; `steps` bounds the length from below for small data.

    `tta_threshold` is the plan's: after a short training, 0.99 saves six in ten second forward passes and costs 0.0006
    nats on held-out rows. Long training makes networks overconfident: there it would cost 0.002 nats.
    `augment` is what changes images besides horizontal flips, where the user gives nothing and the data set declares
    flips to be harmless.
    """

    settings: dict[str, Any]
    optimizer: Optimizer
    learning_rate: float
    batch_size: int
    epochs: float
    steps: int
    tta_threshold: float = 1.0
    augment: tuple[str, ...] = ()


_CONV_OPTIMIZER = Optimizer(name="adam", betas=(0.85, 0.98), weight_decay=0.02)
_RECIPES: dict[tuple[str, str], _Recipe] = {
    ("conv", "fast"): _Recipe({"width": 64, "stem": 32}, _CONV_OPTIMIZER, 7e-3, 256, 4, 400, tta_threshold=0.99),
    ("conv", "balanced"): _Recipe({"width": 96, "stem": 32}, _CONV_OPTIMIZER, 6e-3, 256, 16, 800, augment=("cutout",)),
    ("conv", "best"): _Recipe({"width": 128, "stem": 32}, _CONV_OPTIMIZER, 6e-3, 256, 40, 1600, augment=("cutout",)),
    ("mlp", "fast"): _Recipe({"hidden": (256,)}, Optimizer(), 3e-3, 128, 12, 2000),
    ("mlp", "balanced"): _Recipe({"hidden": (512,)}, Optimizer(), 2e-3, 128, 25, 4000),
    ("mlp", "best"): _Recipe({"hidden": (512, 512)}, Optimizer(), 1e-3, 128, 50, 8000),
    # What is not known of a network cannot be tuned: small steps that suit most.
    ("custom", "fast"): _Recipe({}, Optimizer(weight_decay=0.01), 2e-3, 128, 10, 600),
    ("custom", "balanced"): _Recipe({}, Optimizer(weight_decay=0.01), 1e-3, 128, 30, 2000),
    ("custom", "best"): _Recipe({}, Optimizer(weight_decay=0.01), 1e-3, 128, 100, 6000),
    ("linear", "fast"): _Recipe({}, Optimizer(), 3e-3, 256, 10, 2000),
    ("linear", "balanced"): _Recipe({}, Optimizer(), 2e-3, 256, 20, 4000),
    ("linear", "best"): _Recipe({}, Optimizer(), 1e-3, 256, 40, 8000),
}
_CONV_48 = _Recipe({"width": 48, "stem": 24}, _CONV_OPTIMIZER, 8e-3, 256, 4, 400, tta_threshold=0.99)
_CONV_32 = _Recipe({"width": 32, "stem": 24}, _CONV_OPTIMIZER, 8e-3, 256, 4, 400, tta_threshold=0.99)
_CONV_80 = _Recipe({"width": 80, "stem": 32}, _CONV_OPTIMIZER, 6e-3, 256, 12, 800, augment=("cutout",))
_BY_TIME = (
    (_CONV_32, 0.0),
    (_CONV_48, 1.5),
    (_RECIPES["conv", "fast"], 2.0),
    (_CONV_80, 5.0),
    (_RECIPES["conv", "balanced"], 12.0),
    (_RECIPES["conv", "best"], 12.0),
)
"""What a conv net can be when time is limited, and how many passes over the rows it must have time for: a wider net
learns more from each, but on held-out rows only so many of them made up for their price."""
_AVERAGE_FRACTION = 0.2  # on held-out rows: the same accuracy and NLL, probabilities that need less correction
SMALL = 5_000
"""Below so many rows there is time for a training per fold, and overfitting is the danger: see `_SMALL_TABLES`."""
_SMALL_TABLES: dict[tuple[str, str, str], _Recipe] = {
    ("classification", "mlp", "fast"): _Recipe(
        {"hidden": (128,), "activation": "gelu"}, Optimizer(weight_decay=1.0), 2e-2, 64, 12, 150
    ),
    ("classification", "mlp", "balanced"): _Recipe(
        {"hidden": (256,), "activation": "gelu"}, Optimizer(weight_decay=1.0), 1e-2, 64, 30, 400
    ),
    ("classification", "mlp", "best"): _Recipe(
        {"hidden": (512,), "activation": "gelu"}, Optimizer(weight_decay=1.0), 1e-2, 64, 60, 800
    ),
    ("classification", "linear", "fast"): _Recipe({}, Optimizer(weight_decay=0.1), 1e-1, 64, 20, 200),
    ("classification", "linear", "balanced"): _Recipe({}, Optimizer(weight_decay=0.1), 1e-1, 64, 40, 600),
    ("classification", "linear", "best"): _Recipe({}, Optimizer(weight_decay=0.1), 1e-1, 64, 80, 1200),
    # A curve has more bends than a boundary: a second layer, longer training, less decay.
    ("regression", "mlp", "fast"): _Recipe({"hidden": (64, 64)}, Optimizer(weight_decay=0.3), 2e-2, 64, 15, 600),
    ("regression", "mlp", "balanced"): _Recipe({"hidden": (64, 64)}, Optimizer(weight_decay=0.3), 1e-2, 64, 30, 1500),
    ("regression", "mlp", "best"): _Recipe({"hidden": (128, 128)}, Optimizer(weight_decay=0.3), 1e-2, 64, 60, 3000),
    ("regression", "linear", "fast"): _Recipe({}, Optimizer(), 3e-2, 64, 20, 600),
    ("regression", "linear", "balanced"): _Recipe({}, Optimizer(), 3e-2, 64, 40, 1500),
    ("regression", "linear", "best"): _Recipe({}, Optimizer(), 3e-2, 64, 80, 3000),
}

_PENALTIES = (1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-4)
"""In units of v / n, with v the mean variance of an input and n the rows: the k-th is scikit-learn's C = 1 / k for
standardized inputs. On held-out rows steps of a factor 3 in place of 10 gained nothing."""
_PASSES = {"fast": 15, "balanced": 40, "best": 80}
_WORK = 6.5e9
"""Products of a number of the input with a parameter that L-BFGS may take, if that is more than `_PASSES` of them."""
_FEW_PASSES = 100
_PENALTIES_OF_LARGE = _PENALTIES[1:]
"""Where there is time for fewer passes, the rows are so many that the strongest penalty is none that they need."""
_MOST_NUMBERS = 2e8
"""Of inputs that are held prepared, 800 MB in float32; larger data are descended on, batch by batch."""


def choose_plan(
    config: RunConfig,
    *,
    row_shape: tuple[int, ...],
    n_rows: int,
    n_outputs: int,
    task: str,
    hflip: bool,
    overrides: Overrides = NO_OVERRIDES,
    seconds: float | None = None,
) -> Plan:
    """The plan for training on `n_rows` rows of shape `row_shape`; what the configuration says comes first.

    Small data gets smaller batches and more epochs, so that the number of steps suffices. A conv net of the preset
    "fast" whose time is limited is as wide as pays in that time, which takes a moment to measure.

    Args:
        config: what the user asked for.
        row_shape: (h, w), (h, w, 3) or (d,) of one stored row.
        n_rows: rows to train on.
        n_outputs: classes, or targets.
        task: "classification" or "regression".
        hflip: whether the data set declares that images may be flipped.
        overrides: what the user brings.
        seconds: what this training may take, if that is limited.
    Raises:
        ConfigError: if the network does not fit the data.
        EngineError: if the engine cannot train the network.
    """
    images = len(row_shape) > 1
    kind = _network_name(config, images, overrides)
    small_table = n_rows < SMALL and not images and kind != CUSTOM
    recipe = _SMALL_TABLES[task, kind, config.preset] if small_table else _RECIPES[kind, config.preset]
    epochs = config.epochs
    if (
        seconds is not None
        and epochs is None
        and overrides == NO_OVERRIDES
        and (kind, config.preset) == ("conv", "fast")
    ):
        recipe, epochs = _for_seconds(seconds, config, row_shape, n_rows, n_outputs)
    settings = dict(recipe.settings)
    if kind == "conv":
        settings["stride"] = _stride(config, row_shape)
    if overrides.start is not None and overrides.start.network == kind:
        # Older files do not store the stride: they were made when it was always 2.
        settings |= ({"stride": 2} if kind == "conv" else {}) | _settings_of(overrides.start)
    n_inputs = 1
    if kind in ("mlp", "linear"):
        side = config.pad_to
        for size in (side, side, *row_shape[2:]) if side and images else row_shape:
            n_inputs *= size
        if kind == "mlp":
            hidden = config.hidden or settings["hidden"]
            activation = config.activation or settings.get("activation") or ("sigmoid" if images else "relu")
            settings = {"sizes": [n_inputs, *hidden, n_outputs], "activation": activation}
        else:
            settings = {"n_inputs": n_inputs, "n_outputs": n_outputs}
    batch_size, _, full_length = _length(recipe, config, n_rows, least=32 if small_table else 16)
    epochs = epochs or full_length
    optimizer: Optimizer | MakeOptimizer = recipe.optimizer
    if config.optimizer is not None and config.optimizer != optimizer.name:
        optimizer = replace(Optimizer(name=config.optimizer), momentum=0.9 if config.optimizer == "sgd" else 0.0)
    usual_rate = 0.1 if optimizer.name == "sgd" else recipe.learning_rate
    learning_rate = config.learning_rate
    if overrides.optimizer is not None:
        optimizer, usual_rate = overrides.optimizer, None
    elif learning_rate is None:
        learning_rate = usual_rate
    begins_anew = overrides.start is None and overrides.optimizer is None and not config.freeze
    exact = task == "regression" and kind == "linear" and config.engine == "auto" and begins_anew
    solvable = (task, kind, config.head, config.loss) == ("classification", "linear", "softmax", "cross_entropy")
    passes = _passes(config, overrides, n_rows, n_inputs, n_outputs) if solvable and begins_anew else 0
    engine: EngineName = "numpy" if config.engine == "auto" else config.engine
    if config.engine == "auto" and (
        kind in ("conv", CUSTOM) or config.device == "cuda" or overrides.optimizer is not None or config.freeze
    ):
        engine = "torch"
    in_channels = images and kind in ("conv", CUSTOM)
    augment = config.augment if overrides.augment is None else overrides.augment
    harmless = recipe.augment if hflip and in_channels else ()
    if augment is not None:
        _check_augment(augment, in_channels)
    return Plan(
        network=overrides.network or create_network(kind, settings),
        layout="channels_first" if in_channels else "rows",
        head=config.head if task == "classification" else "identity",
        loss=config.loss if task == "classification" else "squared_error",
        engine=engine,
        optimizer=optimizer,
        learning_rate=learning_rate,
        warmup=0.15,
        batch_size=batch_size,
        epochs=epochs,
        hflip=hflip and in_channels if augment is None else "hflip" in augment,
        # What is linear stays linear in the user's own units, and so do the inputs of curves, which often are.
        power_transform=task == "classification" and kind == "mlp" and not images,
        tta_threshold=recipe.tta_threshold if task == "classification" and epochs <= 2 * recipe.epochs else 1.0,
        # What may be mirrored, clothes and the like, is known by its shape: a square of it may be missing.
        augment=tuple(part for part in (harmless if augment is None else augment) if part != "hflip"),
        start=overrides.start,
        freeze=config.freeze,
        average_fraction=_AVERAGE_FRACTION if kind == "conv" else 0.0,
        exact=exact,
        usual_rate=usual_rate,
        penalties=() if not passes else _PENALTIES if passes >= _FEW_PASSES else _PENALTIES_OF_LARGE,
        passes=passes,
        precision=config.precision if kind == "conv" or (kind, config.precision) == (CUSTOM, "bfloat16") else "float32",
    )


def _passes(config: RunConfig, overrides: Overrides, n_rows: int, n_inputs: int, n_outputs: int) -> int:
    """Over the rows that a convex problem may take; 0 where it is descended on.

    Whoever sets a number of the descent wants one, and changed images have no fixed objective.
    """
    asked = (
        config.optimizer,
        config.learning_rate,
        config.batch_size,
        config.epochs,
        overrides.augment,
        config.augment,
    )
    if any(setting is not None for setting in asked) or n_rows * n_inputs > _MOST_NUMBERS:
        return 0
    return max(_PASSES[config.preset], int(_WORK / (n_rows * n_inputs * n_outputs)))


def _network_name(config: RunConfig, images: bool, overrides: Overrides) -> NetworkName:
    if overrides.network is not None:
        given = [name for name in ("hidden", "activation") if getattr(config, name) is not None]
        if given:
            raise ConfigError(
                f"{given[0]} must come with the network 'mlp'; got a custom network. The factory says what its "
                f"layers are. Try to leave out {given[0]}."
            )
        if config.engine in ("numpy", "jax"):
            raise EngineError(
                f"The {config.engine} engine trains the networks 'mlp' and 'linear'; got a custom network, "
                "which is a torch module. Try engine='torch'."
            )
        return "custom"
    if config.network == "auto":
        return "conv" if images and config.engine in ("auto", "torch") else "mlp"
    if config.network == "conv" and not images:
        raise ConfigError(
            "The conv network must have images to look at; got rows of numbers. "
            "Try network='mlp', or image_shape=(height, width) if each row is an image."
        )
    if config.network == "conv" and config.engine in ("numpy", "jax"):
        raise EngineError(
            f"The {config.engine} engine trains the networks 'mlp' and 'linear'; got network='conv', "
            "which is a torch module. Try engine='torch'."
        )
    return config.network


def _for_seconds(
    seconds: float, config: RunConfig, row_shape: tuple[int, ...], n_rows: int, n_outputs: int
) -> tuple[_Recipe, float]:
    """The widest conv net that pays in this time, and for how many epochs; steps of it are timed here and now."""
    from likely.engines.by_torch.rates import step_seconds

    prepare = ImagePreprocessor(row_shape, config.pad_to, "channels_first", config.dtype)
    chosen, step = None, 0.0
    for recipe, least in _BY_TIME:
        batch_size, steps_per_epoch, most = _length(recipe, config, n_rows, least=16)
        if chosen is None or recipe.settings != chosen[0].settings:
            network = create_network("conv", {**recipe.settings, "stride": _stride(config, row_shape)})
            X = np.random.default_rng(0).integers(0, 256, (min(batch_size, n_rows), *row_shape), dtype=np.uint8)
            step = step_seconds(network, X, prepare, n_outputs, config.device, config.precision, config.dtype)
        epochs = seconds / (step * steps_per_epoch)
        if chosen is not None and epochs < least * most / recipe.epochs:
            break
        # The clock ends the run; the length only bounds it.
        chosen = recipe, min(most, 1.5 * epochs)
    assert chosen is not None
    return chosen


def _stride(config: RunConfig, row_shape: tuple[int, ...]) -> int:
    """That of the first layer: about 28 x 28 patches at most, so that large images cost little more than small."""
    height, width = (config.pad_to,) * 2 if config.pad_to else row_shape[:2]
    doublings = math.ceil(math.log2(math.sqrt(height * width) / 28))
    # A patch has twice the side, and must fit into the image.
    return 2 ** max(1, min(doublings, int(math.log2(min(height, width) / 2))))


def _settings_of(start: Start) -> dict[str, Any]:
    """The settings of the network that the parameters come from, as a recipe has them."""
    settings = dict(start.settings or {})
    return {**settings, "hidden": tuple(settings["sizes"][1:-1])} if start.network == "mlp" else settings


def _check_augment(augment: Sequence[Any], in_channels: bool) -> None:
    named = [part for part in augment if isinstance(part, str)]
    if named and not in_channels:
        raise ConfigError(
            f"augment={named[0]!r} must come with a network that sees images; got rows of numbers. In a row no pixel "
            "has neighbors. Try network='conv', image_shape=(height, width), or a function."
        )


def _length(recipe: _Recipe, config: RunConfig, n_rows: int, least: int) -> tuple[int, int, float]:
    """Rows per step, steps per epoch, and the epochs that make enough steps, where nobody says otherwise."""
    batch_size = config.batch_size or _batch_size(recipe.batch_size, n_rows, least)
    steps_per_epoch = max(1, n_rows // batch_size)
    return batch_size, steps_per_epoch, max(recipe.epochs, recipe.steps / steps_per_epoch)


def _batch_size(largest: int, n_rows: int, least: int) -> int:
    """A power of two of about a twentieth of the rows, between `least` and `largest`."""
    size = least
    while size < largest and size * 40 <= n_rows:
        size *= 2
    return size
