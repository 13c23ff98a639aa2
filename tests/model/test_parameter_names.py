"""`likely inspect` prints the names of parameters, and these are the names that `freeze` matches."""

import re
from pathlib import Path

import numpy as np
import pytest

from likely import Classifier, load
from likely.config import RunConfig
from likely.engines.by_torch.frozen import freeze
from likely.model.load import parameter_shapes

DATA = Path(__file__).parent / "data"
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
LABELS = np.arange(40) % 2


def _documented() -> list[str]:
    """The patterns in the descriptions of the setting."""
    field = RunConfig.model_fields["freeze"]
    texts = [str(part) for part in field.metadata] + [freeze.__doc__ or "", Classifier.__doc__ or ""]
    return re.findall(r"blocks\.[\w.*]+", " ".join(texts))


def test_documented_patterns_match_parameters_of_the_conv_net() -> None:
    patterns = [pattern.rstrip(".") for pattern in _documented()]
    assert patterns
    names = list(parameter_shapes(DATA / "recent_conv.likely"))
    assert all(any(re.fullmatch(p.replace(".", r"\.").replace("*", ".*"), name) for name in names) for p in patterns)


@pytest.mark.parametrize(("file", "some"), [("recent_conv", "blocks.0.conv1.weight"), ("recent_mlp", "layer0")])
def test_each_name_in_a_file_can_be_frozen(file: str, some: str) -> None:
    names = parameter_shapes(DATA / f"{file}.likely")
    assert some in names
    predictor = load(DATA / f"{file}.likely")
    assert set(names) <= {name.removeprefix("theta.") for name in predictor.arrays}
    clf = Classifier(network="conv" if file == "recent_conv" else "mlp", epochs=0.1, engine="torch", freeze=[some])
    assert clf.fit(IMAGES, LABELS).predictor_.card.training.freeze == (some,)
