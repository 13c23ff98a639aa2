"""Real tables, the same rows for all: `Classifier()` and `Regressor()` against scikit-learn and LightGBM by default.

Claim: the mean NLL and the mean accuracy of likely (RMSE for numbers) are at least those of each peer, 90% sets and
intervals hold 90%.

A split draws a quarter of the rows, which test, at random; the others teach. Peers get what they need, fitted to the
training rows: `LogisticRegression` and `Ridge` standardized numbers, means for missing ones, and categories as 0 and 1;
forests the same without standardization; boosting the codes of categories, and missing values as they are. Their 90%
sets are the most probable labels whose probabilities sum to 90%; they have no intervals. likely gets the frames.
Probabilities below 1e-6 count as that.

    python benchmarks/tables.py [--tables choose|judge|NAME ...] [--splits 0 1 2] [--learners NAME ...]

benchmarks/real_tables.py has the tables. Finished fits are kept in runs/tables.jsonl (`--out`), by table, split,
learner and version, and not repeated. The version of likely is the last commit of its source; `--versions` shows
earlier ones beside it.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import sklearn
from sklearn import ensemble, linear_model
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import likely
from real_tables import JUDGES, REAL, TABLES, Source

FLOOR = 1e-6
COVERAGE = 0.9


def _encoded(X: pd.DataFrame, numbers: Any, categories: Any) -> Any:
    """A transformer of columns, numbers first."""
    is_number = [pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes]
    names = np.array(X.columns)
    return make_column_transformer((numbers, names[is_number]), (categories, names[np.logical_not(is_number)]))


def _zeros_and_ones(X: pd.DataFrame, model: Any, *, standardize: bool) -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler()) if standardize else SimpleImputer()
    return make_pipeline(_encoded(X, numbers, OneHotEncoder(handle_unknown="ignore", sparse_output=False)), model)


def _codes(X: pd.DataFrame, model: Any) -> Any:
    """Boosting, which is told which columns are categories; of more than 254 the rarest are one."""
    n_categories = sum(not pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes)
    which = list(range(X.shape[1] - n_categories, X.shape[1]))
    categories = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=254)
    encode = _encoded(X, "passthrough", categories)
    if isinstance(model, lightgbm.LGBMModel):
        return make_pipeline(encode, model.set_params(verbose=-1, categorical_feature=which, n_jobs=1))
    return make_pipeline(encode, model.set_params(categorical_features=which))


def _peer(name: str, task: str, X: pd.DataFrame, seed: int) -> Any:
    """A model at its defaults, behind what makes its inputs."""
    classifies = task == "classification"
    if name == "linear":
        model = linear_model.LogisticRegression(max_iter=1_000) if classifies else linear_model.Ridge()
        return _zeros_and_ones(X, model, standardize=True)
    if name == "forest":
        made = ensemble.RandomForestClassifier if classifies else ensemble.RandomForestRegressor
        return _zeros_and_ones(X, made(300, random_state=seed), standardize=False)
    if name == "boosting":
        made = ensemble.HistGradientBoostingClassifier if classifies else ensemble.HistGradientBoostingRegressor
        return _codes(X, made(random_state=seed))
    return _codes(X, lightgbm.LGBMClassifier() if classifies else lightgbm.LGBMRegressor())


PEERS = ("linear", "forest", "boosting", "lightgbm")
"""LogisticRegression or Ridge, RandomForest of 300 trees, HistGradientBoosting, LightGBM."""


def measure(source: Source, split: int, learner: str) -> dict[str, Any]:
    """Fit three quarters of the rows and look at the others."""
    X, y = source.rows()
    order = np.random.default_rng([split, 4]).permutation(len(y))
    test, train = np.split(order, [len(y) // 4])
    began = time.process_time()
    if learner in PEERS:
        model = _peer(learner, source.task, X, split).fit(X.iloc[train], y[train])
    else:
        made = likely.Classifier if source.task == "classification" else likely.Regressor
        network = {"likely": "auto"}.get(learner, learner)
        model = made(network=network, random_state=split).fit(X.iloc[train], y[train])
    seconds = time.process_time() - began
    figures = (_of_labels if source.task == "classification" else _of_numbers)(model, X.iloc[test], y[test])
    return {"seconds": round(seconds, 3), **figures}


def _of_labels(model: Any, X: pd.DataFrame, y: np.ndarray) -> dict[str, Any]:
    # A label without a training row is one more column, of probability 0.
    classes = np.array(sorted({*model.classes_.astype(str), *y}))
    probs = np.zeros((len(y), len(classes)))
    probs[:, np.searchsorted(classes, model.classes_.astype(str))] = model.predict_proba(X)
    truth = np.searchsorted(classes, y)
    at_truth = probs[np.arange(len(y)), truth]
    losses = -np.log(np.maximum(at_truth, FLOOR))
    if isinstance(model, likely.Classifier):
        sets = model.predict_set(X, COVERAGE)
        sizes = np.array([len(one) for one in sets])
        covered = np.array([str(label) in map(str, one) for label, one in zip(y, sets, strict=True)])
    else:
        ordered = -np.sort(-probs, axis=1)
        sizes = 1 + (np.cumsum(ordered, axis=1) < COVERAGE - 1e-9).sum(axis=1)
        covered = (probs > at_truth[:, None]).sum(axis=1) < sizes
    return {
        "losses": losses.round(5).tolist(),
        "right": (probs.argmax(axis=1) == truth).astype(int).tolist(),
        "ece": float(likely.metrics.calibration_error(probs, truth)),
        "covered": float(covered.mean()),
        "size": float(sizes.mean()),
    }


def _of_numbers(model: Any, X: pd.DataFrame, y: np.ndarray) -> dict[str, Any]:
    """Squared errors in units of the variance of the test rows' answers."""
    errors = np.square(model.predict(X) - y) / y.var()
    found: dict[str, Any] = {"losses": errors.round(6).tolist()}
    if isinstance(model, likely.Regressor):
        low, high = model.predict_interval(X, COVERAGE).T
        found |= {"covered": float(((low <= y) & (y <= high)).mean()), "size": float(np.median(high - low) / y.std())}
    return found


Found = dict[tuple[str, int, str, str], dict[str, Any]]


def _mean(found: Found, names: Iterable[str], splits: list[int], by: tuple[str, str], figure: str) -> np.ndarray:
    """A figure of each table, its mean over splits; RMSE and accuracy from the rows."""
    of: dict[str, Callable[[dict[str, Any]], float]] = {
        "nll": lambda one: float(np.mean(one["losses"])),
        "rmse": lambda one: float(np.sqrt(np.mean(one["losses"]))),
        "accuracy": lambda one: float(np.mean(one["right"])),
    }
    value = of.get(figure, lambda one: float(one.get(figure, np.nan)))
    return np.array([np.mean([value(found[name, split, *by]) for split in splits]) for name in names])


def _report(found: Found, names: list[str], splits: list[int], learners: list[tuple[str, str]], task: str) -> None:
    """Means over tables, then wins, ties and losses of the first learner against each other one, losses first."""
    error = "rmse" if task == "regression" else "nll"
    figures = [error, "covered", "size", "seconds"]
    figures[1:1] = [] if task == "regression" else ["accuracy", "ece"]
    print(f"\n## {task}: {len(names)} tables, {len(splits)} splits\n")
    heads = {"nll": "NLL (nats)", "rmse": "RMSE / deviation", "ece": "ECE", "covered": "90% holds"}
    print("| learner | " + " | ".join(heads.get(f, f) for f in figures) + " | rank | worst behind the best |")
    print("|---" * (len(figures) + 3) + "|")
    errors = np.array([_mean(found, names, splits, by, error) for by in learners])
    ranks = np.argsort(np.argsort(errors, axis=0), axis=0).mean(axis=1) + 1
    for number, by in enumerate(learners):
        cells = [f"{_mean(found, names, splits, by, figure).mean():.4f}" for figure in figures]
        behind = errors[number] - errors.min(axis=0)
        worst = f"{behind.max():.3f} ({names[int(behind.argmax())]})"
        print(f"| {_title(by)} | {' | '.join(cells)} | {ranks[number]:.2f} | {worst} |")

    first = learners[0]
    print(
        f"\n| {_title(first)} against | {error} | losses, ties, wins | lost |"
        + (" accuracy |" if task[0] == "c" else "")
    )
    print("|---|---|---|---|" + ("---|" if task[0] == "c" else ""))
    for number, by in enumerate(learners[1:], start=1):
        lost, won = list[str](), 0
        for name in names:
            gap, deviation = _gap(found, name, splits, first, by)
            if gap > 2 * deviation:
                lost.append(f"{name} {gap:+.3f}")
            won += gap < -2 * deviation
        cells = f"{len(lost)}, {len(names) - len(lost) - won}, {won} | {', '.join(lost)}"
        line = f"| {_title(by)} | {_with_error(errors[0] - errors[number])} | {cells} |"
        if task == "classification":
            gain = _mean(found, names, splits, first, "accuracy") - _mean(found, names, splits, by, "accuracy")
            line += f" {_with_error(gain)} |"
        print(line)

    print("\n| table | " + " | ".join(map(_title, learners)) + " |\n|---" + "|---" * len(learners) + "|")
    for column in np.argsort(errors.min(axis=0) - errors[0], kind="stable").tolist():
        print(f"| {names[column]} | " + " | ".join(f"{value:.3f}" for value in errors[:, column]) + " |")


def _title(by: tuple[str, str]) -> str:
    return by[0] if by[0] in PEERS else f"{by[0]} {by[1]}"


def _gap(
    found: Found, name: str, splits: list[int], first: tuple[str, str], other: tuple[str, str]
) -> tuple[float, float]:
    """How much more the first one loses, and the standard error of the paired rows of all splits."""
    one, two = (np.concatenate([found[name, split, *by]["losses"] for split in splits]) for by in (first, other))
    difference = one - two
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))


def _with_error(differences: np.ndarray) -> str:
    return f"{differences.mean():+.4f} ± {differences.std(ddof=1) / np.sqrt(len(differences)):.4f}"


def _version(learner: str) -> str:
    if learner in PEERS:
        return lightgbm.__version__ if learner == "lightgbm" else sklearn.__version__
    told = subprocess.run(["git", "log", "-1", "--format=%h", "--", "src"], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def main() -> int:
    """Fit what is missing and print what all of it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=["choose"])
    parser.add_argument("--splits", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--learners", nargs="+", default=["likely", *PEERS], help="likely, a network's name, or a peer")
    parser.add_argument("--version", help="of likely, in place of its last commit")
    parser.add_argument("--versions", nargs="*", default=[], help="earlier ones to show beside it")
    parser.add_argument("--out", type=Path, default=Path("runs/tables.jsonl"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    halves = {"judge": [name for name in REAL if name in JUDGES], "choose": [n for n in TABLES if n not in JUDGES]}
    names = [name for asked in options.tables for name in halves.get(asked, [asked])]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    found: Found = {tuple(key): figures for key, figures in map(json.loads, lines)}
    learners = [
        (learner, version)
        for learner in options.learners
        for version in ([_version(learner)] if learner in PEERS else [options.version or _version(learner)])
    ]
    learners += [(learner, version) for version in options.versions for learner, _ in learners if learner not in PEERS]
    jobs = [(name, split, *by) for split in options.splits for name in names for by in learners]
    missing = [job for job in jobs if job not in found]
    for number, job in enumerate(missing, start=1):
        name, split, learner, _ = job
        found[job] = measure(TABLES[name], split, learner)
        with options.out.open("a") as file:
            file.write(json.dumps([job, found[job]]) + "\n")
        loss, seconds = np.mean(found[job]["losses"]), found[job]["seconds"]
        print(f"{number} of {len(missing)}: {job} {loss:.4f}, {seconds:.1f} s", file=sys.stderr, flush=True)
    for task in ("classification", "regression"):
        if some := [name for name in names if TABLES[name].task == task]:
            _report(found, some, options.splits, learners, task)
    return 0


if __name__ == "__main__":
    sys.exit(main())
