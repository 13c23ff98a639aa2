"""`likely bench`: what this machine can do."""

from typing import Annotated

import typer

from likely.cli.options import option
from likely.cli.terminal import aligned, console, print_json, printable, styled


def bench(
    images: Annotated[int, typer.Option(min=256, help="How many images the short run trains on.")] = 10_240,
    as_json: Annotated[bool, typer.Option("--json", help="All measurements as JSON.")] = False,
    device: Annotated[str | None, option("device")] = None,
) -> None:
    """Measure this machine: its speed, how long each preset should take, and a short run of `fast`.

    The speeds are those of a matrix product and of a convolution, forward and backward, each the best of several
    rounds. The expected times are those of a timed step of each; the short run shows the speed of actual training.
    """
    from likely.cli.progress import watch
    from likely.config.durations import duration
    from likely.training.benchmark import Size, benchmark

    with watch() as watcher:
        found = benchmark(device or "auto", Size(trained_on=images), watcher.loading, watcher.record)
    if as_json:
        print_json(found.to_json(), indent=2)
        return
    screen = console()
    cpu, run = printable(found.hardware["cpu"]), found.run
    where = f"{cpu}, {found.threads} threads" if found.device == "cpu" else f"{found.device}, with {cpu}"
    screen.print(styled((where, "bold"), f", torch {found.versions['torch']}\n"))
    rates = [[rate.work, rate.precision, f"{rate.gflops:,.0f}"] for rate in found.rates]
    screen.print(aligned([["", "in", "GFLOP/s"], *rates], right=True))
    screen.print()
    presets = [
        [entry.preset, f"{entry.epochs:g}", f"{1000 * entry.gflop_per_image:.0f}", duration(entry.seconds)]
        for entry in found.presets
    ]
    heading = ["preset", "epochs", "MFLOP per image", "expected training on Fashion-MNIST"]
    screen.print(aligned([heading, *presets], right=True))
    screen.print(
        f"\nTrained fast on {run.images:,} images ({run.data}) in {duration(run.seconds)}: "
        f"{run.images_per_second:,.0f} per second, {run.share_of_convolution:.0%} of the convolution's rate."
    )
