"""A convolution of small maps has torch's answers, and torch's gradients of maps and filters."""

import pytest
import torch
from torch import nn

from likely.networks.small_maps import convolve

SIDES = [(3, 3), (1, 1), (1, 9), (4, 2), (2, 5), (5, 5)]


def example(rows: int, sides: tuple[int, int], dtype: torch.dtype) -> tuple[nn.Conv2d, torch.Tensor, torch.Tensor]:
    """A convolution of 4 channels to 6, maps, and a gradient with respect to what comes of them."""
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3, padding=1, bias=False).to(dtype)
    x = torch.randn(rows, 4, *sides, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
    return conv, x, torch.randn(rows, 6, *sides, dtype=dtype)


@pytest.mark.parametrize("rows", [1, 2, 50])
@pytest.mark.parametrize("sides", SIDES)
def test_answers_and_gradients_are_those_of_torch(sides: tuple[int, int], rows: int) -> None:
    conv, x, slopes = example(rows, sides, torch.float64)
    found, expected = convolve(conv, x), conv(x)
    torch.testing.assert_close(found, expected)
    ours, theirs = (torch.autograd.grad(y, [x, conv.weight], slopes) for y in (found, expected))
    torch.testing.assert_close(ours, theirs)


def test_gradients_are_those_of_differences() -> None:
    conv, x, _ = example(2, (3, 2), torch.float64)

    def y(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return convolve(_with(conv, weight), x)

    assert torch.autograd.gradcheck(y, (x, conv.weight))


@pytest.mark.parametrize("sides", SIDES)
def test_in_bfloat16_filters_get_gradients_of_their_own_precision(sides: tuple[int, int]) -> None:
    conv, x, slopes = example(50, sides, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = convolve(conv, x), conv(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected)
    ours, theirs = (torch.autograd.grad(y, [x, conv.weight], slopes.bfloat16()) for y in (found, expected))
    assert [each.dtype for each in ours] == [torch.float32, torch.float32]
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0.01 * float(other.abs().max()))


def test_filters_that_do_not_learn_get_no_gradient() -> None:
    conv, x, slopes = example(5, (3, 3), torch.float64)
    conv.weight.requires_grad_(False)
    convolve(conv, x).backward(slopes)
    expected = x.grad
    x.grad = None
    conv(x).backward(slopes)
    assert conv.weight.grad is None
    torch.testing.assert_close(x.grad, expected)


def test_maps_that_need_no_gradient_get_none() -> None:
    conv, x, slopes = example(5, (3, 3), torch.float64)
    x = x.detach()
    convolve(conv, x).backward(slopes)
    found, conv.weight.grad = conv.weight.grad, None
    conv(x).backward(slopes)
    assert x.grad is None
    torch.testing.assert_close(found, conv.weight.grad)


def _with(conv: nn.Conv2d, weight: torch.Tensor) -> nn.Conv2d:
    """The convolution with other filters, which may be in the midst of a graph."""
    made = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=1, bias=False)
    del made.weight
    made.weight = weight
    return made
