"""Losses and heads against torch.nn.functional and scipy.special."""

import numpy as np
import pytest
import scipy.special
import torch
from torch.nn import functional

import likely
from likely.arrays import one_hot
from likely.config.registry import LOSSES
from likely.engines.by_torch.autograd import gradient_of
from likely.functional.heads import log_softmax, softmax
from likely.functional.losses import softmax_cross_entropy, squared_error

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(200, 7)) * np.geomspace(1e-3, 300, 200)[:, None]
CLASSES = RNG.integers(0, 7, 200)
ONE_HOT = np.eye(7)[CLASSES]
SOFT = RNG.dirichlet(np.ones(7), 200)


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax(axis: int) -> None:
    np.testing.assert_allclose(softmax(SCORES, axis=axis), scipy.special.softmax(SCORES, axis=axis), rtol=1e-12)
    np.testing.assert_allclose(
        log_softmax(SCORES, axis=axis), scipy.special.log_softmax(SCORES, axis=axis), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        log_softmax(SCORES, axis=axis), functional.log_softmax(torch.asarray(SCORES), axis), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("labels", [ONE_HOT, SOFT], ids=["certain", "soft"])
def test_cross_entropy_is_that_of_torch(labels: np.ndarray) -> None:
    expected = functional.cross_entropy(torch.asarray(SCORES), torch.asarray(labels), reduction="none")
    np.testing.assert_allclose(softmax_cross_entropy(labels, SCORES), expected, rtol=1e-12, atol=1e-14)


def test_class_numbers_as_one_hot() -> None:
    expected = functional.cross_entropy(torch.asarray(SCORES), torch.asarray(CLASSES), reduction="none")
    found = softmax_cross_entropy(one_hot(CLASSES, 7), SCORES)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("labels", [ONE_HOT, SOFT], ids=["certain", "soft"])
def test_the_fused_form_is_the_cross_entropy_of_softmax(labels: np.ndarray) -> None:
    # Beyond 700 nats softmax rounds to 0 and only the fused form still knows the cost.
    mild = SCORES[np.ptp(SCORES, axis=1) < 500]
    expected = likely.cross_entropy(labels[: len(mild)], softmax(mild))
    assert len(mild) > 100
    np.testing.assert_allclose(softmax_cross_entropy(labels[: len(mild)], mild), expected, rtol=1e-12, atol=1e-14)


def test_cross_entropy_is_divergence_plus_the_entropy_of_the_labels() -> None:
    mild = SCORES[:150]
    probs = softmax(mild)
    labels = SOFT[:150]
    divergence = scipy.special.rel_entr(labels, probs).sum(axis=1)
    entropy = scipy.special.entr(labels).sum(axis=1)
    np.testing.assert_allclose(softmax_cross_entropy(labels, mild), divergence + entropy, rtol=1e-10)
    np.testing.assert_allclose(likely.kl_divergence(labels, probs), divergence, rtol=1e-10, atol=1e-14)
    # Labels that are certain have no entropy: there cross-entropy is the divergence.
    certain = scipy.special.rel_entr(ONE_HOT[:150], probs).sum(axis=1)
    np.testing.assert_allclose(softmax_cross_entropy(ONE_HOT[:150], mild), certain, rtol=1e-10, atol=1e-14)


def test_the_dropped_term_has_no_gradient() -> None:
    labels, scores = torch.asarray(SOFT[:20]), SCORES[:20]

    def divergence(x: torch.Tensor) -> torch.Tensor:
        return functional.kl_div(functional.log_softmax(x, -1), labels, reduction="sum")

    expected = gradient_of(divergence, scores)
    _, found = LOSSES["cross_entropy"].with_gradient("softmax", SOFT[:20], scores)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_squared_error_is_that_of_torch() -> None:
    expected = functional.mse_loss(torch.asarray(SCORES), torch.asarray(SOFT), reduction="none").sum(dim=1)
    np.testing.assert_allclose(squared_error(SOFT, SCORES), expected, rtol=1e-13)
