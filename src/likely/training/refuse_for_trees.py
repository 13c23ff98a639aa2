"""What trees cannot be told: settings of a descent over parameters, and images."""

from likely.config import RunConfig
from likely.errors import ConfigError
from likely.training.plan import Overrides


def refuse_for_trees(config: RunConfig, overrides: Overrides, *, images: bool) -> None:
    """Refuse settings that mean nothing to trees.

    Raises:
        ConfigError: naming the first one.
    """
    if images:
        raise ConfigError(
            "The network 'trees' needs rows of a table; got images. Trees ask about one column at a time, and a single "
            "pixel says little. Try network='conv'."
        )
    given = {
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
            got = value if isinstance(value, str | int) else "one"
            raise ConfigError(
                f"{name} must be omitted with the network 'trees'; got {got!r}. Trees have no parameters to descend "
                f"on: they are grown round by round, on the CPU, by the cross-entropy or the squared error. Try "
                f"omitting {name}, or network='mlp'."
            )
