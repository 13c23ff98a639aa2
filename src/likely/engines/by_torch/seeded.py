"""torch's one generator of random numbers, lent to one thread at a time, and given back as it was."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import torch

_lent = threading.RLock()


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Generator[None]:
    """Draw from this seed, in this thread alone: fits in several threads draw what each would draw by itself.

    With a device the numbers are drawn there; None seeds all devices.
    """
    with _lent, torch.random.fork_rng(devices=[device] if device is not None and device.type == "cuda" else []):
        if device is not None and device.type == "cpu":
            # `torch.manual_seed` also seeds the GPUs, and until they are used it notes the stack each time: up to 3 ms.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)
        yield
