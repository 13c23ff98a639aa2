"""Torch in a forked process: the threads of its parent are not there, and OpenMP would wait for them for ever."""

import os
from functools import cache

import torch


@cache
def alone_after_fork() -> None:
    """From now on let every process that is forked from this one compute with one thread."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))
