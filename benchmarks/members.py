"""What members buy: several networks whose mean answers, against one, and against a larger one at equal cost.

5,000 of the 60,000 training images of Fashion-MNIST are drawn (seed 0) and set aside; each plan learns from the other
55,000, holds out what it needs, and is judged on the 5,000 with its calibrated probabilities. The test part is not
touched. A plan is PRESET:MEMBERS or PRESET:MEMBERS:EPOCHS; the third number makes a larger network cost as much as
several small ones. Seconds are those of the whole training with its calibration, on the clock and of the processor.

Each judged plan is a line of members.jsonl in the current folder: a run that was cut short goes on, and several plans
may be judged one day, others the next. The table is the mean over the seeds of all lines there are.

    python benchmarks/members.py [--seeds N] [PLAN...]
        (default 3 seeds of fast:1 fast:3 fast:5 balanced:1; a seed takes 9 trainings of fast and one of balanced)
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import likely
from likely.config import RunConfig
from likely.metrics import accuracy, log_loss
from likely.training.fit import learn
from likely.trust.abstention import confidence, error_at_coverage

PLANS = ("fast:1", "fast:3", "fast:5", "balanced:1")
JUDGED = 5_000
LINES = Path("members.jsonl")
FIGURES = ("accuracy", "nll", "error_at_90", "seconds", "processor_seconds")


def main() -> None:
    arguments = sys.argv[1:]
    seeds = 3
    if "--seeds" in arguments:
        at = arguments.index("--seeds")
        seeds = int(arguments[at + 1])
        arguments[at : at + 2] = []
    plans = arguments or PLANS
    data = likely.open_dataset("fashion-mnist")
    order = np.random.default_rng(0).permutation(len(data.train))
    judged = data.train.take(np.sort(order[:JUDGED]))
    rest = replace(data, train=data.train.take(np.sort(order[JUDGED:])), test=None)
    done = [json.loads(line) for line in LINES.read_text().splitlines()] if LINES.exists() else []
    for seed in range(seeds):
        for plan in plans:
            if not any((line["plan"], line["seed"]) == (plan, seed) for line in done):
                done.append({"plan": plan, "seed": seed, **judge(plan, seed, rest, judged)})
                print(done[-1], file=sys.stderr, flush=True)
                with LINES.open("a") as lines:
                    print(json.dumps(done[-1]), file=lines)
    print("| plan | seeds | accuracy | NLL (nats) | error at 90% answered | time | processor time |")
    print("|---|---|---|---|---|---|---|")
    for plan in plans:
        rows = [[line[name] for name in FIGURES] for line in done if line["plan"] == plan]
        share, nll, error, seconds, used = np.mean(rows, axis=0)
        print(f"| {plan} | {len(rows)} | {share:.2%} | {nll:.4f} | {error:.2%} | {seconds:.0f} s | {used:.0f} s |")


def judge(plan: str, seed: int, data: Any, judged: Any) -> dict[str, float]:
    """The figures of one plan on the images that were set aside, and what its training took."""
    preset, members, *epochs = plan.split(":")
    settings: dict[str, Any] = {"epochs": float(epochs[0])} if epochs else {}
    began, used = time.perf_counter(), time.process_time()
    config = RunConfig(data="fashion-mnist", preset=preset, members=int(members), seed=seed, **settings)
    predictor: Any = learn(data, config).predictor
    took = time.perf_counter() - began, time.process_time() - used
    log_probs = predictor.predict_log_proba(judged.X)
    wrong = log_probs.argmax(axis=1) != judged.y
    found = (
        accuracy(np.exp(log_probs), judged.y),
        log_loss(np.exp(log_probs), judged.y),
        error_at_coverage(confidence(log_probs), wrong, 0.9),
        *took,
    )
    return {name: float(value) for name, value in zip(FIGURES, found, strict=True)}


if __name__ == "__main__":
    main()
