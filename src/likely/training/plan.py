"""The plan of a training: everything that the loop needs to know."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from likely.engines.protocol import MakeOptimizer, Optimizer
from likely.functional.losses import Loss
from likely.learners.boosting import Boosting
from likely.learners.mixture import Mixture
from likely.model.init_from_file import Start
from likely.networks.custom import CustomNetwork
from likely.networks.network import Network, TorchNetwork
from likely.networks.trees import Trees
from likely.preprocessing.image_preprocessor import Layout


@dataclass(frozen=True)
class Overrides:
    """User-supplied objects in place of the names that a configuration knows.

    Args:
        network: a factory of modules.
        optimizer: (parameters) -> a torch optimizer.
        augment: names, functions of a prepared batch, augmentations with `draws`; None leaves it to the configuration.
        loss: what training lowers.
        start: parameters to begin with; None draws them.
    """

    network: CustomNetwork | None = None
    optimizer: MakeOptimizer | None = None
    augment: tuple[Any, ...] | None = None
    loss: Loss | None = None
    start: Start | None = None


NO_OVERRIDES = Overrides()


@dataclass(frozen=True)
class Plan:
    """Everything that the loop needs to know.

    Args:
        network: what is trained: a network, or how trees are grown.
        layout: how the network wants images: as "rows" (n, h w c) or as "channels_first" (n, c, h, w).
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
        flipped: whether features of flipped images are learned from, too; answers are those of the images themselves.
        power_transform: whether skewed columns of numbers are made symmetric before the network sees them.
        least_scale: of a column, as a share of the median one, see `ColumnPreprocessor.fit`.
        root: what is added to numbers before their square root is taken, see `ColumnPreprocessor`; None takes none.
        bins: into how many columns of numbers are divided at most, see `PiecewiseLinear`; 0 for none.
        off: the columns that the network does not see.
        encoded: the columns of categories that answers encode as numbers, see `TargetEncoding`.
        may_encode: those for which that is tried.
        tta_threshold: the probability of the first answer from which on the mirrored copy is not asked (test-time
            augmentation); 1 always asks.
        augment: what else changes training rows.
        may_augment: what is tried in its place on the first fold, "hflip" among it, one after the other.
        start: parameters to begin with.
        freeze: patterns of the names of parameters that do not learn.
        average_fraction: the share of the end of the run over which parameters are averaged; 0 keeps the last ones.
        exact: solve in closed form (linear regression) instead of descending.
        ridges: solve it so once for each of these L2 penalties, in units of the mean variance of an
            input, from strong to weak; held-out rows choose among them.
        penalties: solve a convex problem (linear classification) by L-BFGS instead of descending, once for each of
            these L2 penalties, from strong to weak; held-out rows choose among them.
        passes: over the rows that L-BFGS may take for all penalties together.
        precision: of products while a torch module is trained; "auto" asks the processor.
        freer: what is tried next where this plan fits new rows about as well as those it learned from.
    """

    network: Network | TorchNetwork | Boosting | Trees | Mixture
    layout: Layout
    head: str
    loss: str | Loss
    engine: str
    optimizer: Optimizer | MakeOptimizer
    learning_rate: float | None
    warmup: float
    batch_size: int
    epochs: float
    hflip: bool
    flipped: bool = False
    power_transform: bool = False
    least_scale: float = 0.0
    root: float | None = None
    bins: int = 0
    off: tuple[int, ...] = ()
    encoded: tuple[int, ...] = ()
    may_encode: tuple[int, ...] = ()
    tta_threshold: float = 1.0
    augment: tuple[Any, ...] = ()
    may_augment: tuple[tuple[str, ...], ...] = ()
    start: Start | None = None
    freeze: tuple[str, ...] = ()
    average_fraction: float = 0.0
    exact: bool = False
    ridges: tuple[float, ...] = ()
    penalties: tuple[float, ...] = ()
    passes: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    usual_rate: float | None = None
    freer: "Plan | None" = None

    @property
    def has_rivals(self) -> bool:
        """Whether held-out rows that are many enough decide between it and other plans."""
        return self.freer is not None or bool(self.may_encode or self.may_augment)

    def but(self, **changes: Any) -> "Plan":
        """The same plan, and those that are freer, but for these changes."""
        return replace(self, **changes, freer=None if self.freer is None else self.freer.but(**changes))
