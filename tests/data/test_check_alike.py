"""Images that look the same are found, all of them and no others: compared with a search over all pairs."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from likely.data.check.near_duplicates import CONTRAST, LEVELS, look_alike, thumbnails
from likely.data.dataset import Dataset


def pairs_of_all(images: np.ndarray) -> set[tuple[int, int]]:
    """Every pair, measured one by one."""
    flat = thumbnails(images).reshape(len(images), -1).astype(np.float64)
    found = set[tuple[int, int]]()
    for i in range(len(flat)):
        for j in range(i + 1, len(flat)):
            apart = float(np.sqrt(np.mean((flat[i] - flat[j]) ** 2)))
            if apart <= LEVELS and apart <= CONTRAST * min(flat[i].std(), flat[j].std()):
                found.add((i, j))
    return found


def joined(pairs: set[tuple[int, int]], n: int) -> list[list[int]]:
    """Connected components, by hand."""
    groups = [{i} for i in range(n)]
    for i, j in pairs:
        if groups[i] is not groups[j]:
            groups[i] |= groups[j]
            for member in groups[j]:
                groups[member] = groups[i]
    unique = {id(group): group for group in groups if len(group) > 1}
    return sorted(sorted(group) for group in unique.values())


def found_in(images: np.ndarray) -> list[list[int]]:
    return [group.tolist() for group in look_alike(lambda index: images[index], len(images))]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([(8, 8), (5, 13), (28, 28), (40, 33), (9, 9, 3)]))
def test_the_same_groups_as_a_search_over_all_pairs(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    originals = rng.integers(0, 256, (6, *shape))
    noise = rng.normal(size=(40, *shape)) * rng.choice([2.0, 5.8, 6.2, 20.0], 40).reshape(-1, *[1] * len(shape))
    images = np.clip(originals[rng.integers(0, 6, 40)] + noise, 0, 255).astype(np.uint8)
    assert found_in(images) == joined(pairs_of_all(images), len(images))


def test_real_images(fashion: Dataset) -> None:
    test = fashion.test
    assert test is not None
    images = np.asarray(test.X[:400])
    copies = images[:20].astype(np.int64) + 3
    everything = np.concatenate([images, np.clip(copies, 0, 255).astype(np.uint8)])
    assert found_in(everything) == joined(pairs_of_all(everything), len(everything))
    assert [0, 400] in found_in(everything)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: saved(p, 90),
        lambda p: Image.fromarray(p).resize((80, 80)),
        lambda p: np.clip(p * 1.02, 0, 255).astype(np.uint8),
    ],
    ids=["saved as JPEG", "resized", "brightened"],
)
def test_a_photograph_is_known_again_and_its_neighbors_are_not(change: object) -> None:
    from sklearn.datasets import load_sample_image

    photo = load_sample_image("flower.jpg")
    views = [photo[i * 60 : i * 60 + 120, j * 60 : j * 60 + 120] for i in range(4) for j in range(7)]
    changed = np.asarray(change(views[9]))  # type: ignore[operator]
    if changed.shape != views[9].shape:
        changed = np.asarray(Image.fromarray(changed).resize((120, 120)))
    images = np.stack([*views, changed])
    assert found_in(images) == [[9, 28]]


def saved(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_many_that_are_all_alike_are_one_group() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (1, 16, 16)) + rng.integers(0, 2, (2500, 16, 16))
    groups = found_in(np.clip(frames, 0, 255).astype(np.uint8))
    assert [len(group) for group in groups] == [2500]


def test_none_and_one() -> None:
    assert found_in(np.zeros((0, 8, 8), np.uint8)) == []
    assert found_in(np.zeros((1, 8, 8), np.uint8)) == []
    # Where there is nothing to see there is nothing to compare.
    assert found_in(np.arange(3, dtype=np.uint8)[:, None, None] + np.zeros((1, 8, 8), np.uint8)) == []
