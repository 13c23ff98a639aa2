"""What an engine differentiates: the mean loss of a network with a head over a batch."""

from dataclasses import dataclass

from likely.arrays import Array, Params, namespace
from likely.config.registry import HEADS, LOSSES
from likely.errors import ConfigError, ShapeError
from likely.functional.losses import Loss
from likely.networks.network import Network


def mean_loss(head: str, loss: str | Loss, Y: Array, scores: Array, weights: Array | None = None) -> Array:
    """The mean of the losses of a batch, or the weighted mean sum_i w_i L_i / sum_i w_i.

    Raises:
        ShapeError: if there is not one weight per row.
    """
    values = LOSSES.named(loss).values(head, Y, scores)
    xp = namespace(values)
    if weights is None:
        return xp.mean(values)
    if tuple(weights.shape) != tuple(values.shape):
        raise ShapeError(
            f"weights must have one number per row, shape {tuple(values.shape)}; got {tuple(weights.shape)}. "
            "Try weights.ravel()."
        )
    return xp.sum(weights * values) / xp.sum(weights)


@dataclass(frozen=True)
class Objective:
    """The mean loss over a batch as a function of the parameters.

    L(theta, X, Y) = 1/n sum_i loss(y_i, head(f(x_i, theta)))

    Args:
        network: a pure network f.
        head: "softmax", "l1", "sigmoid", or "identity" for regression.
        loss: "cross_entropy" or "squared_error".
    Raises:
        ConfigError: if a name does not exist, or the loss cannot follow the head.
    Example:
        >>> from likely.networks.linear import Linear
        >>> objective = Objective(Linear(2, 2))
        >>> theta = {"layer0": np.zeros((3, 2))}
        >>> objective(theta, np.ones((1, 2)), np.array([[1.0, 0.0]])).round(4)
        np.float64(0.6931)
    """

    network: Network
    head: str = "softmax"
    loss: str = "cross_entropy"

    def __post_init__(self) -> None:
        head, loss = HEADS.named(self.head), LOSSES.named(self.loss)
        if loss.of_distributions and not head.on_simplex:
            raise ConfigError(
                f"The loss {self.loss!r} must follow one of the heads {', '.join(loss.heads)}; "
                f"got {self.head!r}, whose outputs are not distributions. Try loss='squared_error'."
            )

    def __call__(self, theta: Params, X: Array, Y: Array, weights: Array | None = None) -> Array:
        """The mean loss, a scalar of the arrays' library.

        Raises:
            ShapeError: if theta, X, Y and weights do not fit each other, or there is no row.
        """
        self.check_rows(X, Y)
        return mean_loss(self.head, self.loss, Y, self.network.apply(theta, X), weights)

    def check_rows(self, X: Array, Y: Array) -> None:
        """Raise a ShapeError if X and Y differ in length, or there is no row."""
        if len(X) != len(Y) or len(X) == 0:
            raise ShapeError(
                f"X and Y must have as many rows, at least one; got {len(X)} and {len(Y)}. Each row needs its answer. "
                "Try the rows of one data set."
            )
