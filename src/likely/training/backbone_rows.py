"""Images with the features of a frozen backbone, which are computed once and learned from in their place."""

from dataclasses import replace

from likely.config import RunConfig
from likely.data.images.choose_backbone import choose_backbone
from likely.data.images.feature_cache import cached_features
from likely.errors import ConfigError
from likely.model.init_from_file import Start
from likely.preprocessing.backbone import Backbone
from likely.training.plan import Plan
from likely.training.training_rows import Rows
from likely.training.watcher import Remarks, Watcher


def with_features(rows: Rows, config: RunConfig, n: int, remarks: Remarks, start: Start | None = None) -> Rows:
    """The rows with the features of the backbone that the configuration asks for; the same rows if it takes none.

    Args:
        rows: what is learned from.
        config: names a backbone, or leaves it to the images.
        n: how many rows the data set has in all of its parts.
        remarks: take what is chosen, and why; their watcher sees how far the features are.
        start: parameters to begin with; those of a head bring their backbone.
    """
    if start is not None and start.backbone is not None and config.network in ("auto", start.backbone.name):
        backbone = start.backbone
    else:
        choice = choose_backbone(config, rows.X.shape[1:], n, rows.X.dtype)
        for note in choice.notes:
            remarks.note(note)
        if choice.name is None:
            return rows
        backbone = Backbone.pretrained(choice.name)
    _check(config, backbone)
    return replace(rows, backbone=backbone, features=cached_features(backbone, rows.X, remarks.watcher.loading))


def with_flipped(rows: Rows, config: RunConfig, watcher: Watcher) -> Rows:
    """The rows with the features of flipped images, too, unless the configuration says that none are learned from."""
    if rows.backbone is None or config.augment is not None:
        return rows
    return replace(rows, flipped=cached_features(rows.backbone, rows.X, watcher.loading, flipped=True))


def about_flipped(plan: Plan) -> str:
    """What is said of the plan of a head that might learn from flipped images."""
    if plan.flipped:
        return "Flipped images are learned from, too: that did no harm on held-out images (--augment none does without)"
    return "Flipped images are not learned from: held-out images were answered worse"


def heads(start: Start | None) -> tuple[str, ...]:
    """The networks that may learn on features: that of parameters to begin with, or both kinds."""
    if start is not None and start.network in ("linear", "mlp"):
        return (start.network,)
    return ("linear", "mlp")


def _check(config: RunConfig, backbone: Backbone) -> None:
    """Refuse settings of a network that learns from pixels."""
    if config.members > 1:
        raise ConfigError(
            f"members must be 1 with the backbone {backbone.name!r}; got {config.members}. Members that all have its "
            "parameters, or begin with them, differ little. Try network='conv', or omitting members."
        )
    for name in ("augment", "pad_to", "freeze"):
        if getattr(config, name):
            raise ConfigError(
                f"{name} must come with a network that learns from pixels; got network={backbone.name!r}, which sees "
                f"each image once and does not learn. Try network='conv', or omit {name}."
            )
