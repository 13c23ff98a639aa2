"""Arguments and names under their former names: they work for one version, with a warning."""

import tomllib

import numpy as np
import pytest

from likely import Classifier
from likely.config import RunConfig
from likely.errors import LikelyWarning, RenamedWarning

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
LABELS = np.arange(40) % 2


def test_the_warning_is_a_deprecation_warning_that_the_command_line_shows() -> None:
    assert issubclass(RenamedWarning, DeprecationWarning)
    assert issubclass(RenamedWarning, LikelyWarning)


def test_mirror_is_hflip_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="use hflip"):
        old = Classifier(epochs=1, random_state=0, mirror=True).fit(IMAGES, LABELS)
    assert old.predictor_.card.hflip
    with pytest.warns(DeprecationWarning, match="use hflip"):
        assert not Classifier(epochs=1, random_state=0, mirror=False).fit(IMAGES, LABELS).predictor_.card.hflip


@pytest.mark.parametrize("augment", ["mirror", ["mirror", lambda batch: batch]], ids=["name", "beside a function"])
def test_the_augmentation_mirror_is_hflip_with_a_warning(augment: object) -> None:
    with pytest.warns(DeprecationWarning, match="use 'hflip'"):
        clf = Classifier(epochs=1, random_state=0, augment=augment).fit(IMAGES, LABELS)
    assert clf.predictor_.card.hflip
    assert clf.predictor_.card.training.augment[0] == "hflip"


def test_a_configuration_of_the_former_version_is_read() -> None:
    with pytest.warns(DeprecationWarning, match="use 'hflip'"):
        assert RunConfig.from_json(tomllib.loads('augment = ["mirror", "cutout"]')).augment == ("hflip", "cutout")
