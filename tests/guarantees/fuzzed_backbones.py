"""Model files with a backbone that were changed: a small EfficientNet-Lite, and small networks of transformers."""

import json
import random
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from tests.guarantees import fuzzed_models
from tests.guarantees.fuzzing import Target

from likely import Classifier
from likely.config.registry import BACKBONES
from likely.model import file as model_file
from likely.networks.pretrained import sha256_of

NAME = "efficientnet-lite0"


@contextmanager
def small_backbone() -> Generator[None]:
    """The real one has 3.4 million weights, which take long to change."""
    from tests.training.test_tune_all import Tiny

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setitem(BACKBONES, NAME, Tiny())
        patch.setenv("LIKELY_CACHE", folder)
        yield


@cache
def seeds() -> list[bytes]:
    """One of each family: attention, convolutions, and what phones run."""
    from tests.networks.test_transformers import tiny
    from tests.training.test_tune_all import images

    X, y = images(24)
    found = list[bytes]()
    with small_backbone(), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for family in ("dinov2", "vit", "resnet", NAME):
            network = family
            if family != NAME:
                network = f"hf:{folder}/{family}"
                for part in tiny(family):
                    part.save_pretrained(Path(folder, family))
            model = Classifier(network=network, random_state=0).fit(X, y).predictor_
            found.append(model_file.as_bytes(model.arrays, model.card.to_json()))
    return found


def mutate(content: bytes, rng: random.Random) -> bytes:
    """As any model; often with a hash of the weights that fits, too."""
    changed = fuzzed_models.mutate(content, rng)
    try:
        arrays, document = fuzzed_models.parts(changed)
        said: dict[str, Any] = document["normalization"]
        weights = {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith("backbone.")}
        layout = json.dumps(said["layout"], sort_keys=True) if "layout" in said else ""
        if rng.random() < 0.6 and said["sha256"] != (fits := sha256_of(said["backbone"], weights, layout)):
            said["sha256"] = fits
            return fuzzed_models.written(arrays, json.dumps(document))
    except (LookupError, TypeError, ValueError, AttributeError, safetensors.SafetensorError):
        pass
    return changed


def feed(path: Path) -> None:
    """As any model."""
    with small_backbone(), np.errstate(all="ignore"):
        fuzzed_models.feed(path)


BACKBONE_MODELS = Target("backbone-model", seeds, mutate, feed, ".likely")
