"""What trees, and mixtures with them, cannot be told: settings of a descent over parameters, and images."""

from likely.config import RunConfig
from likely.errors import ConfigError
from likely.training.plan import Overrides


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


def _refuse(
    network: str, why: str, config: RunConfig, overrides: Overrides, *, images: bool, **more: float | None
) -> None:
    if images:
        raise ConfigError(
            f"The network {network!r} needs rows of a table; got images. Trees ask about one column at a time, and a "
            "single pixel says little. Try network='conv'."
        )
    given = {
        **more,
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
    for name, value in given.items():
        if value is not None:
            got = value if isinstance(value, str | int | float) else "one"
            raise ConfigError(
                f"{name} must be omitted with the network {network!r}; got {got!r}. {why}. Try omitting {name}, or "
                "network='mlp'."
            )
