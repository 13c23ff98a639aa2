"""What trees, and mixtures with them, cannot be told: settings of a descent over parameters, and images.

Who says nothing of these has a mixture for tables.
"""

import math

from likely.config import RunConfig
from likely.data.dataset import Dataset
from likely.data.test_part import LEAST
from likely.errors import ConfigError
from likely.training.plan import NO_OVERRIDES, Overrides

MANY_COLUMNS, MOST_NUMBERS = 500, 2_000_000
"""More columns are pixels, spectra, expressions of genes or counts of words: several learners take part if rows times
columns are at most so many."""
MOST_LABELS = 100
"""Of more there are no trees, since each round grows one of each, and the folds of what is left take long."""


def refuse_for_trees(config: RunConfig, overrides: Overrides, *, images: bool) -> None:
    """Refuse settings that mean nothing to trees.

    Raises:
        ConfigError: naming the first one.
    """
    why = "Trees have no parameters to descend on: they are grown round by round, on the CPU, on the usual loss"
    _refuse("trees", why, config, overrides, images=images)


def refuse_for_mixture(config: RunConfig, overrides: Overrides, *, images: bool) -> None:
    """Refuse settings that would mean something else to each learner of a mixture.

    Raises:
        ConfigError: naming the first one.
    """
    why = "Several learners are trained as suits each, for as long as is best on held-out rows"
    if overrides.network is None:
        _refuse(
            "mixture", why, config, overrides, images=images, epochs=config.epochs, learning_rate=config.learning_rate
        )


def decides(config: RunConfig, overrides: Overrides, dataset: Dataset) -> bool:
    """Whether out-of-fold loss decides among networks and trees where nobody has named one: for tables of some rows.

    Not for images or many rows of very many columns, and not for who sets what only one network can be told. A time
    limit is met by one training.
    """
    X = dataset.train.X
    table = X.ndim == 2 and (X.shape[1] <= MANY_COLUMNS or math.prod(X.shape) <= MOST_NUMBERS)
    table = table and len(X) >= LEAST and len(dataset.labels) <= MOST_LABELS
    told = (config.epochs, config.learning_rate, config.hidden, config.activation, config.time_limit)
    free = overrides == NO_OVERRIDES and told == (None,) * len(told) and not config.early_stopping
    free = free and config.tune == "head"
    return table and free and config.network == "auto" and all(v is None for v in _given(config, overrides).values())


def _refuse(
    network: str, why: str, config: RunConfig, overrides: Overrides, *, images: bool, **more: float | None
) -> None:
    if images:
        raise ConfigError(
            f"The network {network!r} needs rows of a table; got images. Trees ask about one column at a time, and a "
            "single pixel says little. Try network='conv'."
        )
    for name, value in {**more, **_given(config, overrides)}.items():
        if value is not None:
            got = value if isinstance(value, str | int | float) else "one"
            raise ConfigError(
                f"{name} must be omitted with the network {network!r}; got {got!r}. {why}. Try omitting {name}, or "
                "network='mlp'."
            )


def _given(config: RunConfig, overrides: Overrides) -> dict[str, object]:
    """The settings that only a network by descent can be told; None where one is not set."""
    return {
        "engine": config.engine if config.engine != "auto" else None,
        "device": "cuda" if config.device == "cuda" else None,
        "optimizer": config.optimizer or overrides.optimizer,
        "batch_size": config.batch_size,
        "augment": config.augment or overrides.augment,
        "init_from": config.init_from or overrides.start,
        "freeze": config.freeze or None,
        "loss": config.loss if config.loss != "cross_entropy" else overrides.loss,
        "head": config.head if config.head != "softmax" else None,
    }
