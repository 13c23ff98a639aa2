"""How well strange images are told from clothes: AUROC of five scores, on images that nothing was fitted to.

For each run folder (written by `likely fit fashion-mnist --seed N --out RUN`) the 10,000 test images stand against
images of other kinds, 28 x 28, gray:

    digits      scikit-learn's 1,797 handwritten digits, 8 x 8, enlarged (bicubic)
    uniform     2,000 images of independent pixels, uniform on 0..255
    gaussian    2,000 images of independent pixels, mean 128, deviation 64, clipped
    textures    2,000 pieces of scikit-image's brick, grass and gravel
    photographs 2,000 pieces of scikit-learn's and scikit-image's sample photographs
    upside down, turned, half size
                2,000 test images, mirrored at the middle row, turned by 90 degrees, or at half their size on black

The score "distance and energy" is what familiarity was before it looked at the feature map, standardized on the test
images.

The last two need scikit-image's images (pip install scikit-image); without it photographs are scikit-learn's alone.
With --left-out, ten networks more are trained (2 epochs), each without one kind of clothes, which is then the strange
one; its test images stand against those of the other nine.

    python benchmarks/familiarity.py [--left-out] RUN...
"""

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images
from sklearn.metrics import roc_auc_score

import likely
from likely.config import RunConfig
from likely.data.dataset import Part
from likely.model.held_out_arrays import read_familiarity
from likely.training.fit import learn
from likely.trust.abstention import confidence
from likely.trust.familiarity import energy

MOST = 2_000
TEXTURES = ("brick", "grass", "gravel")
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "motorcycle_left", "rocket")


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--left-out"]
    data = likely.open_dataset("fashion-mnist")
    assert data.test is not None
    strange = {**strangers(np.random.default_rng(0)), **moved(data.test.X[:MOST])}
    print(f"| run | score | {' | '.join(strange)} | false alarms at 1% |\n|---|---|{'---|' * (len(strange) + 1)}")
    for run in arguments:
        predictor: Any = likely.load(run)
        familiar = scores(predictor, data.test.X)
        against = {kind: scores(predictor, X) for kind, X in strange.items()}
        alarms = (predictor.familiarity(data.test.X) <= 0.01).mean()
        for name, values in familiar.items():
            rates = " | ".join(f"{compared(values, other[name]):.4f}" for other in against.values())
            print(f"| {run} | {name} | {rates} | {f'{alarms:.2%}' if name == 'familiarity' else ''} |", flush=True)
    if "--left-out" in sys.argv:
        left_out(data)


def left_out(data: Any) -> None:
    found: list[list[float]] = []
    for k, label in enumerate(data.labels):
        parts = [part.take(np.flatnonzero(part.y != k)) for part in (data.train, data.test)]
        train, test = (Part(part.X, part.y - (part.y > k)) for part in parts)
        nine = replace(data, train=train, test=test, labels=tuple(other for other in data.labels if other != label))
        predictor = learn(nine, RunConfig(data="fashion-mnist", epochs=2)).predictor
        familiar, new = scores(predictor, test.X), scores(predictor, data.test.X[data.test.y == k])
        if not found:
            print(f"\n| left out | {' | '.join(familiar)} |\n|---|{'---|' * len(familiar)}")
        found.append([compared(familiar[name], new[name]) for name in familiar])
        print(f"| {label} | {' | '.join(f'{value:.3f}' for value in found[-1])} |", flush=True)
    print(f"| mean | {' | '.join(f'{value:.3f}' for value in np.mean(found, axis=0))} |")


def scores(predictor: Any, X: np.ndarray) -> dict[str, np.ndarray]:
    """Larger is stranger."""
    raw, features = predictor.scores_and_features(X)
    familiarity = read_familiarity(predictor.arrays)
    assert familiarity is not None
    return {
        "max-softmax": -confidence(predictor.predict_log_proba(X)),
        "energy": energy(raw),
        "Mahalanobis": (distance := familiarity.gaussians.distance(features[:, : len(familiarity.gaussians.shift)])),
        "distance and energy": np.stack([np.log1p(distance), energy(raw)], axis=1),
        "familiarity": familiarity.ood_scores(features, raw),
    }


def compared(familiar: np.ndarray, strange: np.ndarray) -> float:
    """The AUROC of a score, or of the sum of two parts (n, 2) in deviations of familiar images, each at least -3."""
    if familiar.ndim > 1:
        center, spread = familiar.mean(axis=0), familiar.std(axis=0)
        familiar, strange = (np.maximum((part - center) / spread, -3).sum(axis=1) for part in (familiar, strange))
    return auroc(familiar, strange)


def moved(X: np.ndarray) -> dict[str, np.ndarray]:
    """Clothes as they do not come."""
    small = np.zeros_like(X)
    for image, onto in zip(X, small, strict=True):
        onto[7:21, 7:21] = np.asarray(Image.fromarray(image).resize((14, 14), Image.Resampling.BILINEAR))
    turned = np.ascontiguousarray(np.rot90(X, 1, (1, 2)))
    return {"upside down": np.ascontiguousarray(X[:, ::-1]), "turned": turned, "half size": small}


def auroc(familiar: np.ndarray, strange: np.ndarray) -> float:
    return float(roc_auc_score(np.r_[np.zeros(len(familiar)), np.ones(len(strange))], np.r_[familiar, strange]))


def strangers(rng: np.random.Generator) -> dict[str, np.ndarray]:
    spec = find_spec("skimage")
    folder = Path(spec.submodule_search_locations[0]) / "data" if spec and spec.submodule_search_locations else None

    def samples(names: tuple[str, ...]) -> list[np.ndarray]:
        if folder is None:
            return []
        return [np.asarray(Image.open(next(folder.glob(f"{name}.*"))).convert("L")) for name in names]

    digits = [Image.fromarray((digit * 255 / 16).astype(np.uint8)) for digit in load_digits().images]
    photographs = [np.asarray(Image.fromarray(photograph).convert("L")) for photograph in load_sample_images().images]
    found = {
        "digits": np.stack([np.asarray(digit.resize((28, 28), Image.Resampling.BICUBIC)) for digit in digits]),
        "uniform": rng.integers(0, 256, (MOST, 28, 28), dtype=np.uint8),
        "gaussian": np.clip(rng.normal(128, 64, (MOST, 28, 28)), 0, 255).astype(np.uint8),
        "photographs": pieces(photographs + samples(PHOTOGRAPHS), rng),
    }
    return found if folder is None else {**found, "textures": pieces(samples(TEXTURES), rng)}


def pieces(images: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    cut = [
        image[y : y + 28, x : x + 28]
        for image in images
        for y in range(0, image.shape[0] - 27, 28)
        for x in range(0, image.shape[1] - 27, 28)
    ]
    return np.stack(cut)[rng.permutation(len(cut))[:MOST]]


if __name__ == "__main__":
    main()
