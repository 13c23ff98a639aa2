"""Run proofs in full: `make prove`, or `make prove PART=name`. Finished draws are kept in runs/prove, not repeated."""

import importlib
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# The environment may hold another package of the name "tests", which must not be found in place of this one.
sys.modules["tests"] = TESTS = ModuleType("tests")
TESTS.__path__ = [str(ROOT / "tests")]

from tests.guarantees.proof import Check, Figures, Kept, Proof, fingerprint  # noqa: E402


def all_proofs() -> dict[str, tuple[Proof, Path]]:
    """Every proof by its name, with the file that it stands in."""
    found: dict[str, tuple[Proof, Path]] = {}
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.guarantees.{path.stem}")
        for value in vars(module).values():
            if isinstance(value, Proof) and value.name not in found:
                found[value.name] = value, path
    return found


def _draw(module: str, name: str, seed: int) -> Figures:
    values = vars(importlib.import_module(module)).values()
    proof = next(value for value in values if isinstance(value, Proof) and value.name == name)
    return proof.draw(seed)


def prove(proof: Proof, path: Path, progress: Progress, workers: int) -> tuple[list[Check], float]:
    """All draws that are not yet done, then the checks; and the seconds that it took now."""
    package = [*(ROOT / "src" / "likely").rglob("*.py"), path, *HERE.glob("[!t]*.py")]
    kept = Kept(ROOT / "runs" / "prove" / f"{proof.name}.jsonl", fingerprint(package))
    missing = [seed for seed in proof.seeds if seed not in kept.draws]
    bar = progress.add_task(proof.name, total=proof.draws, completed=proof.draws - len(missing))
    start = time.perf_counter()
    # New processes, not forked ones: a forked copy of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        waiting = {pool.submit(_draw, f"tests.guarantees.{path.stem}", proof.name, seed): seed for seed in missing}
        try:
            for future in as_completed(waiting):
                kept.add(waiting[future], future.result())
                progress.advance(bar)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return proof.checks([kept.draws[seed] for seed in proof.seeds]), time.perf_counter() - start


def main(part: str | None) -> int:
    """Print a table of what was proved; 0 if all of it holds."""
    console = Console()
    found = all_proofs()
    chosen = [name for name in found if part in (None, "", name) or name.startswith(f"{part}-")]
    if not chosen:
        console.print(f"PART must be one of the proofs; got {part!r}. Try one of: {', '.join(found)}.")
        return 2
    table = Table("proof", "draws", "what", "figure", "must be", "holds", "seconds")
    workers = int(os.environ.get("WORKERS", os.cpu_count() or 1))
    good = True
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for name in chosen:
            proof, path = found[name]
            checks, seconds = prove(proof, path, progress, workers)
            for number, check in enumerate(checks):
                good &= check.ok
                head = (name, str(proof.draws)) if number == 0 else ("", "")
                tail = f"{seconds:.0f}" if number == 0 else ""
                table.add_row(*head, check.what, f"{check.figure:.4g}", check.must, "yes" if check.ok else "NO", tail)
    console.print(table)
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else None))
    except KeyboardInterrupt:
        print("Stopped; finished draws are kept, and the same command goes on from here.", file=sys.stderr)
        sys.exit(130)
