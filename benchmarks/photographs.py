"""Pictures a second through each frozen backbone, and what is learned from few pictures with and without one.

Speed: prepared pictures at the backbone's own size by ONNX Runtime, by the clock on all cores and in processor seconds,
torch for comparison, and the largest difference between their features; JPEG files of 12 megapixels, smooth shapes with
a little noise as cameras have it, read and made smaller in as many threads as there are cores. Quality: Debian's
package openclipart-png, pictures of ten folders without road signs and AIGA symbols, three folds, by pictures to train
on. Copies of one picture are in one fold and count once there: half of those that come twice lie in folders of
different kinds, and a set rarely holds the other name of a picture that was learned from. The methods:

    efficientnet-lite0, -lite2   `Classifier` with that network: a head on frozen features
    logistic                     scikit-learn's LogisticRegressionCV on the features of Lite0, standardized
    conv                         `Classifier` at 64 x 64 from nothing
    fine-tuning                  Lite0 as fastai fine-tunes it (`fine_tuning_peer.py`)

    python benchmarks/photographs.py [--speed] [--each 20 50 100] [--rows 60 200 600 0] [--methods NAME...]
        [--folds 3] [--kept FILE]
    python benchmarks/photographs.py --draws 20 [--rows 60 200 600] [--methods efficientnet-lite0] [--kept FILE]

With `--draws` there are no folds: so many times, n pictures are drawn of one of each set of copies, and the sets of all
others are counted.

With `--kept` every figure goes into that file at once, and those that are there are not computed again. Seconds are of
a processor, to learn; features of the backbone are known by then, or computed outside that time.

`--each` draws as many of each kind, which changes how often kinds come: no set is promised to survive that, so nothing
is said of sets. `--rows` draws from all alike, and 0 takes all; a draw without any picture of a kind is drawn again,
since whoever has a folder has a picture in it. A picture of more pixels than likely reads is left out.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fine_tuning_peer import fine_tune
from likely import Classifier
from likely.config.registry import BACKBONES
from likely.data.copies import find_copies
from likely.data.groups import one_per_group
from likely.data.images.decode import read_image
from likely.data.images.feature_cache import cached_features
from likely.errors import DataError, ImageError
from likely.metrics.classification import evaluate_classification
from likely.preprocessing.backbone import Backbone
from likely.preprocessing.conversion import PHOTOGRAPH

KINDS = ("animals", "buildings", "education", "food", "office", "people", "plants", "recreation", "tools")
KINDS += ("transportation",)
OTHERS = ("roadsigns", "aiga-symbols")
METHODS = ("efficientnet-lite0", "efficientnet-lite2", "logistic", "conv", "fine-tuning")
COVERAGE = 0.9


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--speed", action="store_true", help="the speed alone")
    asked.add_argument("--each", type=int, nargs="*", default=[20, 50, 100])
    asked.add_argument("--rows", type=int, nargs="*", default=[60, 200, 600, 0])
    asked.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    asked.add_argument("--folder", type=Path, default=Path("/usr/share/openclipart/png"))
    asked.add_argument("--folds", type=int, default=3, help="of three, how many are evaluated on")
    asked.add_argument("--draws", type=int, help="sets over so many draws alone")
    asked.add_argument("--kept", type=Path, help="a file of figures, to go on from")
    asked = asked.parse_args()
    figures = Figures(asked.kept)
    if asked.speed:
        speed()
    elif asked.draws:
        for method in [method for method in asked.methods if method in BACKBONES]:
            sets_over_draws(method, asked.folder, asked.rows, asked.draws, figures)
    else:
        quality(asked.folder, asked.each, asked.rows, asked.methods, asked.folds, figures)


class Figures:
    """Figures by name, each kept in a file as soon as it is known."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.known = {} if path is None or not path.exists() else dict(map(json.loads, path.read_text().splitlines()))

    def of(self, name: str, compute: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
        if name not in self.known:
            self.known[name] = compute()
            if self.path is not None:
                with self.path.open("a") as file:
                    file.write(json.dumps([name, self.known[name]]) + "\n")
        return self.known[name]


def speed(n: int = 64) -> None:
    print("| backbone | a second by the clock | in a processor's second | torch | largest difference |")
    print("|---|---|---|---|---|")
    for name in BACKBONES:
        backbone = Backbone.pretrained(name)
        side = backbone.layout.side
        X = np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)
        by_clock, fast, found = per_second(backbone, X)
        sys.modules["onnxruntime"] = None  # type: ignore[assignment]  # as if it were not installed
        _, slow, expected = per_second(Backbone.pretrained(name), X[: n // 4])
        del sys.modules["onnxruntime"]
        difference = np.abs(found[: len(expected)] - expected).max()
        print(f"| {name} | {by_clock:.0f} | {fast:.0f} | {slow:.0f} | {difference:.1e} |", flush=True)
    print("\n| JPEG of 12 megapixels | a second by the clock | in a processor's second |\n|---|---|---|")
    for quality in (75, 85, 92):
        data = camera_file(quality)
        files = [data] * 24
        began, used = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(partial(read_image, shape=(224, 224, 3), conversion=PHOTOGRAPH), files))
        took, used = time.perf_counter() - began, time.process_time() - used
        print(f"| {len(data) / 1e6:.1f} MB, quality {quality} | {24 / took:.0f} | {24 / used:.0f} |", flush=True)


def per_second(backbone: Backbone, X: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Pictures in a second by the clock, in one of a processor's time, and their features."""
    backbone.features(X[:2])
    began, used = time.perf_counter(), time.process_time()
    found = backbone.features(X)
    return len(X) / (time.perf_counter() - began), len(X) / (time.process_time() - used), found


def camera_file(quality: int) -> bytes:
    """A JPEG file of 4032 x 3024: shapes of four sizes, and noise of two gray levels."""
    rng, size = np.random.default_rng(0), (4032, 3024)
    levels = rng.normal(0, 2, (size[1], size[0], 3)).astype(np.float32)
    for side, share in ((8, 0.44), (32, 0.29), (128, 0.18), (512, 0.09)):
        coarse = rng.integers(0, 256, (side * 3 // 4, side, 3), dtype=np.uint8)
        levels += share * np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.float32)
    file = io.BytesIO()
    Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def quality(
    folder: Path, each: list[int], of_all: list[int], methods: list[str], n_folds: int, figures: Figures
) -> None:
    print("| to train on | method | folds | accuracy | NLL | ECE | in 90% sets | labels in them | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for method in methods:
        name = method if method in BACKBONES else "efficientnet-lite0"
        X, y = read(folder, 64 if method == "conv" else BACKBONES[name].layout.side)
        if method in ("logistic", *BACKBONES):
            cached_features(Backbone.pretrained(name), X)
        learner = {"logistic": logistic(name), "fine-tuning": fine_tuning}.get(method) or classifier(method)
        draws = [(f"{n} of each kind", partial(of_each, n=n)) for n in each]
        draws += [(f"{n or 'all'}", partial(of_rows, n=n)) for n in of_all]
        for called, draw in draws:
            rows: list[tuple[float, ...]] = []
            for fold, (train, test) in list(enumerate(folds(X)))[:n_folds]:
                rows.append(
                    figures.of(
                        f"{method}, {called}, fold {fold}",
                        partial(of_fold, learner, X, y, draw(y, train, fold=fold), test),
                    )
                )
            accuracy, nll, ece, coverage, size, seconds = np.mean(rows, axis=0)
            sets = f"{coverage:.1%} | {size:.2f}" if np.isfinite(size) and draw.func is of_rows else "|"
            cells = (
                f"{called} | {method} | {len(rows)} | {accuracy:.1%} | {nll:.3f} | {ece:.1%} | {sets} | {seconds:.0f}"
            )
            print(f"| {cells} |", flush=True)


def sets_over_draws(method: str, folder: Path, of_all: list[int], n_draws: int, figures: Figures) -> None:
    X, y = read(folder, BACKBONES[method].layout.side)
    cached_features(Backbone.pretrained(method), X)
    groups = find_copies(X).groups
    groups = np.arange(len(X)) if groups is None else groups
    print("| to train on | draws | accuracy | in 80% sets | in 90% sets | labels in these | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for n in of_all:
        rows: list[tuple[float, ...]] = []
        for draw in range(n_draws):
            rng = np.random.default_rng([draw, n])
            drawn = rng.permutation(one_per_group(groups, rng))
            train, new = drawn[: n or None], drawn[n:]
            rows.append(figures.of(f"{method}, {n}, draw {draw}", partial(of_draw, method, X, y, train, new, draw)))
        mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(n_draws)
        sets = " | ".join(f"{mean[i]:.1%} ± {error[i]:.1%}" for i in (1, 2))
        print(f"| {n} | {n_draws} | {mean[0]:.1%} | {sets} | {mean[3]:.2f} | {mean[4]:.0f} |", flush=True)


def of_draw(
    method: str, X: np.ndarray, y: np.ndarray, train: np.ndarray, new: np.ndarray, seed: int
) -> tuple[float, ...]:
    """Accuracy, coverage of 80% and 90% sets and size of these on new rows, and seconds of a processor to learn."""
    began = time.process_time()
    learned = Classifier(network=method, random_state=seed, verbose=False).fit(X[train], y[train])
    seconds = time.process_time() - began
    model = learned.predictor_.keeping_features()
    probs, is_true = model.predict_proba(X[new]), np.asarray(model.labels) == y[new, None]
    narrow, wide = model.sets(probs, 0.8), model.sets(probs, COVERAGE)
    right = is_true[np.arange(len(new)), probs.argmax(axis=1)].mean()
    return (
        right,
        (narrow & is_true).any(axis=1).mean(),
        (wide & is_true).any(axis=1).mean(),
        wide.sum() / len(new),
        seconds,
    )


def read(folder: Path, side: int) -> tuple[np.ndarray, np.ndarray]:
    files = [
        (path, kind)
        for kind in KINDS
        for path in sorted((folder / kind).rglob("*.png"))
        if not any(other in path.parts for other in OTHERS)
    ]
    images: list[np.ndarray] = []
    kept: list[str] = []
    for path, kind in files:
        try:
            images.append(read_image(path, shape=(side, side, 3), conversion=PHOTOGRAPH))
            kept.append(kind)
        except ImageError:
            continue
    return np.stack(images), np.array(kept)


def folds(X: np.ndarray, k: int = 3) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to train on and to evaluate on: copies lie in one fold, and one of them is evaluated on."""
    rng = np.random.default_rng(0)
    groups = find_copies(X).groups
    groups = np.arange(len(X)) if groups is None else groups
    fold = rng.permutation(groups.max() + 1)[groups] % k
    kept = one_per_group(groups, rng)
    for number in range(k):
        yield np.flatnonzero(fold != number), kept[fold[kept] == number]


def of_each(y: np.ndarray, train: np.ndarray, *, n: int, fold: int) -> np.ndarray:
    """At most n rows of each kind."""
    drawn = np.random.default_rng(fold).permutation(train)
    return np.concatenate([drawn[y[drawn] == kind][:n] for kind in KINDS])


def of_rows(y: np.ndarray, train: np.ndarray, *, n: int, fold: int) -> np.ndarray:
    """n rows, or all; of each kind at least one."""
    rng = np.random.default_rng(fold)
    while len(np.unique(y[drawn := rng.permutation(train)[: n or None]])) < len(KINDS):
        pass
    return drawn


Learner = Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]]
"""(X, y) -> what gives probabilities of new rows, and sets of labels if there are any."""


def classifier(network: str) -> Learner:
    def learn(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]:
        model = Classifier(network=network, random_state=0, verbose=False).fit(X, y).predictor_.keeping_features()

        def answer(new: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            probs = model.predict_proba(new)
            try:
                return probs, model.sets(probs, COVERAGE)
            except DataError:  # too few rows are held out of kinds that the others have
                return probs, None

        return answer

    return learn


def logistic(name: str) -> Learner:
    backbone = Backbone.pretrained(name)

    def learn(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]:
        by_c = LogisticRegressionCV(Cs=np.logspace(-4, 0, 9), scoring="neg_log_loss", max_iter=300)
        model = make_pipeline(StandardScaler(), by_c).fit(cached_features(backbone, X), y)
        return lambda new: (model.predict_proba(cached_features(backbone, new)), None)

    return learn


def fine_tuning(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]:
    answer = fine_tune(X, np.searchsorted(KINDS, y))
    return lambda new: (answer(new), None)


def of_fold(learner: Learner, X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[float, ...]:
    """Accuracy, NLL, ECE, coverage and size of sets on a fold, and seconds of a processor to learn."""
    began = time.process_time()
    answer = learner(X[train], y[train])
    seconds = time.process_time() - began
    probs, sets = answer(X[test])
    numbers = np.searchsorted(KINDS, y[test])
    figures = evaluate_classification(probs, numbers, KINDS)
    assert figures.accuracy
    assert figures.nll
    coverage, size = np.nan, np.nan
    if sets is not None:
        coverage, size = sets[np.arange(len(test)), numbers].mean(), sets.sum(axis=1).mean()
    return figures.accuracy.value, figures.nll.value, figures.ece.value, coverage, size, seconds


if __name__ == "__main__":
    main()
