"""From a preset, the task and the size of the data to a plan: network, optimizer, learning rate, batch size, length."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.config.registry import LOSSES, NETWORKS, PRESETS
from likely.engines import module_needs_torch
from likely.engines.protocol import MakeOptimizer, Optimizer
from likely.errors import ConfigError
from likely.functional.losses import Loss
from likely.learners.boosting import Boosting
from likely.model.card import MIXTURE
from likely.model.init_from_file import Start
from likely.networks import create_network
from likely.networks.custom import CUSTOM
from likely.networks.linear import Linear
from likely.networks.mlp import MLP
from likely.networks.patches import patch_side
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.training.plan import NO_OVERRIDES, Overrides, Plan
from likely.training.presets import AVERAGED, BY_TIME, SGD_MOMENTUM, SGD_RATE, WARMUP, Recipe
from likely.training.refuse_for_tables import refuse_for_trees
from likely.training.task import Task

_PENALTIES = (1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-4)
"""In units of v / n, with v the mean variance of an input and n the rows: the k-th is scikit-learn's C = 1 / k for
standardized inputs. On held-out rows steps of a factor 3 in place of 10 gained nothing."""
_WORK = 6.5e9
"""Products of a number of the input with a parameter that L-BFGS may take, if that is more than the preset's passes."""
_FEW_PASSES, _ENOUGH_ROWS = 100, 20
"""Where there is time for fewer passes, rows are so many that they need no penalty as strong as the first, if they are
so many for each input: 20,000 rows of 5,000 categories lost 0.622 nats with it, 0.641 without."""
_OF_PHOTOGRAPHS = (("hflip",), ("hflip", "crop", "color"))
"""How color images may be changed where held-out ones say that it pays."""
_MOST_NUMBERS = 2e8
"""Of inputs that are held prepared, 800 MB in float32; larger data are descended on, batch by batch."""


def choose_plan(
    config: RunConfig,
    *,
    row_shape: tuple[int, ...],
    n_rows: int,
    n_outputs: int,
    task: Task,
    hflip: bool,
    overrides: Overrides = NO_OVERRIDES,
    seconds: float | None = None,
    recipe: Recipe | None = None,
    decide: Callable[[Callable[[], Any]], Any] = lambda value: value(),
) -> Plan:
    """The plan for training on `n_rows` rows of shape `row_shape`; what the configuration says comes first.

    Small data gets smaller batches and more epochs, so that the number of steps suffices. A conv net of the preset
    "fast" whose time is limited is as wide as pays in that time, which takes a moment to measure.

    Args:
        config: what the user asked for.
        row_shape: (h, w), (h, w, 3) or (d,) of one stored row.
        n_rows: rows to train on.
        n_outputs: classes, or targets.
        task: what is learned.
        hflip: whether the data set declares that images may be flipped.
        overrides: user-supplied objects.
        seconds: what this training may take, if that is limited.
        recipe: of the network; None takes the preset's.
        decide: asked for what is measured, with what measures it: a run that was killed decides as it did before.
    Raises:
        ConfigError: if the network does not fit the data.
        EngineError: if the engine cannot train the network.
    """
    images = len(row_shape) > 1
    kind = _network_name(config, images, overrides)
    if kind == "trees":
        refuse_for_trees(config, overrides, images=images)
    makes_module = kind == CUSTOM or hasattr(NETWORKS[kind], "build")
    table = not images and not makes_module
    recipe = recipe or PRESETS[config.preset].recipe(kind, task.name, table=table)
    epochs = config.epochs
    if (
        seconds is not None
        and epochs is None
        and overrides == NO_OVERRIDES
        and (kind, config.preset) == ("conv", "fast")
    ):
        number: int
        number, epochs = decide(partial(_for_seconds, seconds, config, row_shape, n_rows, n_outputs))
        recipe = BY_TIME[min(number, len(BY_TIME) - 1)][0]
    settings = dict(recipe.settings)
    if kind == "conv":
        settings = _first_layer(settings, config, row_shape)
    if overrides.start is not None and overrides.start.network == kind:
        # Older files do not store the stride or the depth: they were made when both were always 2. `fine` is stored
        # where it is not 0.
        settings |= ({"stride": 2, "depth": 2, "fine": 0} if kind == "conv" else {}) | _settings_of(overrides.start)
    side = config.pad_to if images else None
    n_inputs = math.prod((side, side, *row_shape[2:]) if side else row_shape)
    if kind == "mlp":
        hidden = config.hidden or settings["hidden"]
        activation = config.activation or settings.get("activation") or ("sigmoid" if images else "relu")
        settings = {"sizes": [n_inputs, *hidden, n_outputs], "activation": activation}
    elif not makes_module and kind != "trees":
        settings = {"n_inputs": n_inputs, "n_outputs": n_outputs}
    batch_size, _, full_length = _length(recipe, config, n_rows, least=32 if table else 16)
    epochs = epochs or full_length
    optimizer, usual_rate = _optimizer(recipe, config, overrides)
    head, loss = task.head_and_loss(config)
    loss = loss if overrides.loss is None else overrides.loss
    from_scratch = overrides.start is None and overrides.optimizer is None and not config.freeze
    # Who sets a number of the descent wants one.
    free = (config.optimizer, config.learning_rate, config.batch_size, config.epochs) == (None,) * 4
    exact = (kind, head, loss) == ("linear", "identity", "squared_error") and config.engine == "auto"
    exact &= from_scratch and free
    solvable = (kind, head, loss) == ("linear", "softmax", "cross_entropy")
    passes = _passes(config, overrides, n_rows, n_inputs, n_outputs) if solvable and from_scratch else 0
    few_rows = n_rows < _ENOUGH_ROWS * n_inputs
    in_channels = images and makes_module
    reduced = kind == "conv" or (makes_module and config.precision == "bfloat16")
    augment = config.augment if overrides.augment is None else overrides.augment
    harmless = recipe.augment if hflip and in_channels else ()
    if augment is not None:
        _check_augment(augment, in_channels)
    _refuse_unheeded(config, kind, images=images, makes_module=makes_module)
    photographs = kind == "conv" and len(row_shape) == 3 and not hflip
    freer = None
    if recipe.freer is not None and seconds is None and _may_be_freer(config, overrides, head, loss):
        freer = choose_plan(
            config,
            row_shape=row_shape,
            n_rows=n_rows,
            n_outputs=n_outputs,
            task=task,
            hflip=hflip,
            overrides=overrides,
            recipe=recipe.freer,
        )
    return Plan(
        network=overrides.network or (Boosting.of_rows(n_rows) if kind == "trees" else create_network(kind, settings)),
        layout="channels_first" if in_channels else "rows",
        head=head,
        loss=loss,
        engine=_engine(kind, loss, config, overrides),
        optimizer=optimizer,
        learning_rate=usual_rate if config.learning_rate is None else config.learning_rate,
        warmup=WARMUP,
        batch_size=batch_size,
        epochs=epochs,
        hflip=hflip and in_channels if augment is None else "hflip" in augment,
        # What is linear stays linear in the user's own units, and so do the inputs of curves, which often are.
        power_transform=task.symmetric_inputs and kind == "mlp" and not images,
        tta_threshold=recipe.tta_threshold if task.has_confidence and epochs <= 2 * recipe.epochs else 1.0,
        # What may be flipped, such as clothes, is known by its shape: a square of it may be missing.
        augment=tuple(part for part in (harmless if augment is None else augment) if part != "hflip"),
        start=overrides.start,
        freeze=config.freeze,
        may_augment=_OF_PHOTOGRAPHS if photographs and augment is None and seconds is None else (),
        average_fraction=AVERAGED if kind == "conv" else 0.0,
        exact=exact,
        usual_rate=usual_rate,
        penalties=() if not passes else _PENALTIES if passes >= _FEW_PASSES or few_rows else _PENALTIES[1:],
        passes=passes,
        precision=config.precision if reduced else "float32",
        freer=freer,
    )


def _refuse_unheeded(config: RunConfig, kind: str, *, images: bool, makes_module: bool) -> None:
    """Refuse settings that this network has no use for."""
    unheeded = {
        "hidden": ("the network 'mlp'", kind != "mlp" and config.hidden is not None),
        "activation": ("the network 'mlp'", kind != "mlp" and config.activation is not None),
        "pad_to": ("images", not images and config.pad_to is not None),
        "precision": ("the network 'conv'", not makes_module and config.precision == "bfloat16"),
    }
    for name, (needs, is_unheeded) in unheeded.items():
        if is_unheeded:
            raise ConfigError(
                f"{name} must come with {needs}; got {getattr(config, name)!r}, and the network is {kind!r}. Try "
                f"omitting {name}, or network='mlp' for hidden layers."
            )


def _may_be_freer(config: RunConfig, overrides: Overrides, head: str, loss: str | Loss) -> bool:
    """Whether another recipe may be tried: not for who sets a number of the descent, or begins with parameters.

    The loss of training rows must be what held-out rows are evaluated by, or the two could not be compared.
    """
    settings = (config.optimizer, config.learning_rate, config.batch_size, config.epochs, config.augment)
    comparable = (head, loss) in (("softmax", "cross_entropy"), ("identity", "squared_error"))
    return comparable and overrides == NO_OVERRIDES and not config.freeze and settings == (None,) * len(settings)


def _optimizer(
    recipe: Recipe, config: RunConfig, overrides: Overrides
) -> tuple[Optimizer | MakeOptimizer, float | None]:
    """The optimizer and the learning rate that is usual for it; a custom one brings its own."""
    if overrides.optimizer is not None:
        return overrides.optimizer, None
    optimizer = recipe.optimizer
    if config.optimizer is not None and config.optimizer != optimizer.name:
        optimizer = Optimizer(config.optimizer, momentum=SGD_MOMENTUM if config.optimizer == "sgd" else 0.0)
    return optimizer, SGD_RATE if optimizer.name == "sgd" else recipe.learning_rate


def _engine(kind: str, loss: str | Loss, config: RunConfig, overrides: Overrides) -> str:
    if kind == "trees":
        return "scikit-learn"
    if config.engine != "auto":
        return config.engine
    by_hand = kind != CUSTOM and NETWORKS[kind] in (Linear, MLP) and LOSSES.named(loss).with_gradient is not None
    needs_torch = config.device == "cuda" or overrides.optimizer is not None or bool(config.freeze)
    return "numpy" if by_hand and not needs_torch else "torch"


def _passes(config: RunConfig, overrides: Overrides, n_rows: int, n_inputs: int, n_outputs: int) -> int:
    """Over the rows that a convex problem may take; 0 where it is descended on.

    Who sets a number of the descent wants one, and changed images have no fixed objective.
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
    return max(PRESETS[config.preset].passes, int(_WORK / (n_rows * n_inputs * n_outputs)))


def _network_name(config: RunConfig, images: bool, overrides: Overrides) -> str:
    kind = config.network if overrides.network is None else CUSTOM
    given = [name for name in ("hidden", "activation") if getattr(config, name) is not None]
    if kind == MIXTURE:
        raise ConfigError(
            "The network 'mixture' learns from folds of its own, and cannot be trained as one network. Try "
            "network='trees', or network='mlp'."
        )
    if kind == "auto":
        return "conv" if images and config.engine in ("auto", "torch") else "mlp"
    if kind == CUSTOM and given:
        raise ConfigError(
            f"{given[0]} must come with the network 'mlp'; got a custom network. The factory defines its layers. Try "
            f"omitting {given[0]}."
        )
    if kind == "conv" and not images:
        raise ConfigError(
            "The conv network needs images; got rows of numbers. Try network='mlp', or image_shape=(height, width) if "
            "each row is an image."
        )
    if kind in ("conv", CUSTOM) and config.engine not in ("auto", "torch"):
        raise module_needs_torch(config.engine, kind)
    return kind


def _for_seconds(
    seconds: float, config: RunConfig, row_shape: tuple[int, ...], n_rows: int, n_outputs: int
) -> tuple[int, float]:
    """Which of `BY_TIME` is the widest conv net that pays in this time, and for how many epochs; its steps are timed
    here and now."""
    from likely.engines.by_torch.rates import step_seconds
    from likely.networks.convnet import ConvNet

    prepare = ImagePreprocessor(row_shape, config.pad_to, "channels_first", config.dtype)
    chosen, step, settings = (0, 0.0), 0.0, None
    for number, (recipe, least) in enumerate(BY_TIME):
        batch_size, steps_per_epoch, most = _length(recipe, config, n_rows, least=16)
        if recipe.settings != settings:
            settings = recipe.settings
            network = ConvNet(**_first_layer(settings, config, row_shape))
            X = np.random.default_rng(0).integers(0, 256, (min(batch_size, n_rows), *row_shape), dtype=np.uint8)
            step = step_seconds(network, X, prepare, n_outputs, config.device, config.precision, config.dtype)
        epochs = seconds / (step * steps_per_epoch)
        if number > 0 and epochs < least * most / recipe.epochs:
            break
        # The clock ends the run; the length only bounds it.
        chosen = number, min(most, 1.5 * epochs)
    return chosen


def _first_layer(settings: dict[str, Any], config: RunConfig, row_shape: tuple[int, ...]) -> dict[str, Any]:
    """The settings with a stride that leaves at most 28 x 28 patches, of a network at full resolution 32 x 32, so that
    large images cost little more than small ones; and no more filters than a patch has directions, in both signs."""
    height, width = (config.pad_to,) * 2 if config.pad_to else row_shape[:2]
    most = 32 if settings["stride"] == 1 else 28
    doublings = math.ceil(math.log2(math.sqrt(height * width) / most))
    # A patch has twice the side, and must fit into the image.
    stride = max(settings["stride"], 2 ** max(0, min(doublings, int(math.log2(min(height, width) / 2)))))
    channels = math.prod(row_shape[2:])
    stem = min(settings["stem"], 2 * channels * patch_side(stride) ** 2)
    fine = min(settings["fine"], 2 * channels * patch_side(1) ** 2) if stride == 2 else 0
    return {**settings, "stride": stride, "stem": stem, "fine": fine}


def _settings_of(start: Start) -> dict[str, Any]:
    """The settings of the network that the parameters come from, as a recipe has them."""
    settings = dict(start.settings or {})
    return {**settings, "hidden": tuple(settings["sizes"][1:-1])} if start.network == "mlp" else settings


def _check_augment(augment: Sequence[Any], in_channels: bool) -> None:
    named = [part for part in augment if isinstance(part, str)]
    if named and not in_channels:
        raise ConfigError(
            f"augment={named[0]!r} needs a network for images; got rows of numbers. Try network='conv', "
            "image_shape=(height, width), or a function."
        )


def _length(recipe: Recipe, config: RunConfig, n_rows: int, least: int) -> tuple[int, int, float]:
    """Rows per step, steps per epoch, and the epochs that make enough steps, where nobody says otherwise."""
    batch_size = config.batch_size or _batch_size(recipe.batch_size, n_rows, least)
    steps_per_epoch = max(1, n_rows // batch_size)
    return batch_size, steps_per_epoch, max(recipe.epochs, recipe.steps / steps_per_epoch)


def _batch_size(largest: int, n_rows: int, least: int) -> int:
    """A power of two of about a twentieth of the rows, at least `least`, or `largest` if that is less."""
    size = least
    while size < largest and size * 40 <= n_rows:
        size *= 2
    return min(size, largest)
