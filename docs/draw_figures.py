"""Draw the figures of docs/lecture.md with the library: python docs/draw_figures.py [FOLDER]

The numbers come from fixed seeds, so that the same versions give the same files. The figure that compares losses is
a measurement; benchmarks/loss_comparison.py draws it.
"""

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "likely"

import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first, or a machine without a screen fails)
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

import likely  # noqa: E402
from likely.config.registry import ACTIVATIONS  # noqa: E402
from likely.engines.gradient_descent import descent_path  # noqa: E402

DEFAULT_FOLDER = Path(__file__).parent / "images"
BLUE, ORANGE = "tab:blue", "tab:orange"


def draw_rooms(path: Path) -> None:
    """How many rooms a rental unit has: a distribution as bars. The counts are made up."""
    rooms = likely.Distribution.from_counts([1, 2, 3, 4, 5, 6], [60, 140, 160, 90, 35, 15])
    ax = rooms.plot()
    ax.set_xlabel("rooms in a rental unit")
    save(ax.figure, path)


def draw_steps(path: Path) -> None:
    """The Heaviside step and the sigmoid, and below them their derivatives."""
    z = np.linspace(-6, 6, 481)
    soft = likely.sigmoid(z)
    derivative = ACTIVATIONS["sigmoid"].derivative
    if derivative is None:
        raise TypeError("The sigmoid has a derivative.")
    figure, grid = plt.subplots(2, 2, figsize=(7.0, 3.8), sharex=True, sharey="row", layout="constrained")
    for (top, bottom), value, slope, name in (
        (grid[:, 0], likely.heaviside(z), np.zeros_like(z), "Heaviside"),
        (grid[:, 1], soft, derivative(z, soft), "sigmoid"),
    ):
        # A hard step has no value between its two: the line must not join them.
        for side in (z <= 0, z > 0) if name == "Heaviside" else (np.full(z.shape, True),):
            top.plot(z[side], value[side], color=BLUE)
            bottom.plot(z[side], slope[side], color=ORANGE)
        top.set_title(name)
        bottom.set_xlabel("z")
        top.grid(alpha=0.3)
        bottom.grid(alpha=0.3)
    grid[1, 0].plot(0, 0, "o", markerfacecolor="white", markeredgecolor=ORANGE)
    grid[1, 0].annotate("none at 0", (0, 0), (0.6, 0.05))
    grid[0, 0].set_ylabel("value")
    grid[1, 0].set_ylabel("derivative")
    grid[1, 0].set_ylim(-0.02, 0.27)
    save(figure, path)


def draw_descent(path: Path) -> None:
    """The loss (sigma(theta_0 + theta_1 x) - y)^2 over its two parameters, and two descents on it."""
    x = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    y = likely.sigmoid(0.5 - 1.5 * x)
    objective = likely.Objective(likely.Linear(1, 1), head="sigmoid", loss="squared_error")
    bias, weight = np.meshgrid(np.linspace(-5, 5, 81), np.linspace(-5, 5, 81))
    heights = [
        objective({"layer0": np.array([[b], [w]])}, x, y) for b, w in zip(bias.ravel(), weight.ravel(), strict=True)
    ]
    figure, ax = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
    surface = ax.contourf(bias, weight, np.reshape(heights, bias.shape), levels=20, cmap="viridis")
    figure.colorbar(surface, label="mean loss")
    for start, color in (((-4.0, 2.5), ORANGE), ((3.5, 4.0), "white")):
        theta = {"layer0": np.array(start).reshape(2, 1)}
        places = np.array(
            [
                step.theta["layer0"].ravel()
                for step in descent_path(objective, x, y, steps=400, learning_rate=1.0, theta=theta)
            ]
        )
        ax.plot(*places[::10].T, ".-", color=color, markersize=3, linewidth=1)
        ax.plot(*places[0], "o", color=color)
    ax.plot(0.5, -1.5, "*", color="red", markersize=12)
    ax.set_xlabel(r"$\theta_0$")
    ax.set_ylabel(r"$\theta_1$")
    save(figure, path)


def draw_simplex(path: Path) -> None:
    """Softmax of random scores on the simplex of three outcomes, in space and seen face on."""
    names = ("Shirt", "Coat", "Bag")
    rng = np.random.default_rng(0)
    figure = plt.figure(figsize=(8.2, 3.9), layout="constrained")
    space = figure.add_subplot(1, 2, 1, projection="3d")
    flat = figure.add_subplot(1, 2, 2)
    corners = np.eye(3)
    outline = np.concatenate([corners, corners[:1]])
    # Seen face on, the corners make a triangle of equal sides.
    onto_plane = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    space.plot(*outline.T, color="black")
    flat.plot(*(outline @ onto_plane).T, color="black")
    for spread, color in ((1.0, BLUE), (5.0, ORANGE)):
        probs = likely.softmax(rng.normal(0, spread, (300, 3)))
        space.scatter(*probs.T, s=4, color=color)
        flat.scatter(*(probs @ onto_plane).T, s=6, color=color, label=f"scores from N(0, {spread:g}²)")
    for corner, name in zip(onto_plane, names, strict=True):
        above = corner[1] > 0
        flat.annotate(name, corner, (0, 6 if above else -14), textcoords="offset points", ha="center")
    for axis, name in zip((space.xaxis, space.yaxis, space.zaxis), names, strict=True):
        axis.set_label_text(f"P({name})")
        axis.set_ticks([0, 0.5, 1])
    space.view_init(elev=25, azim=35)
    # Labels outside the box are cut off at the default distance.
    space.set_box_aspect((1, 1, 1), zoom=0.82)  # pyright: ignore[reportArgumentType]  (its annotation says int)
    flat.set_aspect("equal")
    flat.set_axis_off()
    flat.set_ylim(-0.12, 1.15)
    flat.legend(frameon=False, loc="upper right", fontsize=8)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure without the date, and forget it."""
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Draw every figure into the folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draw_rooms(folder / "rooms.svg")
    draw_steps(folder / "steps.svg")
    draw_descent(folder / "descent.svg")
    draw_simplex(folder / "simplex.svg")


if __name__ == "__main__":
    main()
