"""What the page of a model says of files of many kinds, in Chromium, beside what its predictor says of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from likely.export.web.runtime import read_runtime
from likely.export.web.write_page import write_page
from likely.model import ClassifierPredictor

_ANSWERED = """(name) => document.querySelector('#shown').ariaLabel === name
    && document.documentElement.dataset.busy === 'no' && document.querySelector('#bars .share').textContent !== ''"""
_SHARES = (
    "Object.fromEntries([...document.querySelectorAll('#bars li')].map(l => [l.dataset.label, +l.dataset.probability]))"
)


def differences(predictor: ClassifierPredictor, X: np.ndarray, folder: Path) -> dict[str, float]:
    """The largest difference of probabilities over PNG and over JPEG files; NaN where there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return {"png": np.nan, "jpeg": np.nan}
    from playwright.sync_api import sync_playwright

    write_page(predictor, folder / "page", read_runtime())
    found = {".png": 0.0, ".jpg": 0.0}
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page()
        page.goto((folder / "page" / "index.html").as_uri())
        page.wait_for_selector("html[data-ready]", timeout=600_000)  # of a machine with much else to do
        for path in _files(X, predictor.image_shape or (), folder):
            page.click("#reset")
            page.set_input_files("#files", path)
            _until(page, path.name)
            shares = page.evaluate(_SHARES)
            expected = predictor.predict_proba([path])[0]
            apart = max(abs(shares[label] - p) for label, p in zip(predictor.card.labels, expected, strict=True))
            found[path.suffix] = max(found[path.suffix], float(apart))
    return {"png": found[".png"], "jpeg": found[".jpg"]}


def _until(page: Any, name: str) -> None:
    """Waits for the answer; the page's policy forbids what Playwright would do by itself."""
    for _ in range(12_000):
        if page.evaluate(_ANSWERED, name):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"no answer to {name}: {page.inner_text('#problems')}")


def _files(X: np.ndarray, shape: tuple[int, ...], folder: Path) -> Iterator[Path]:
    """Files of the model's own size and of others, gray, in color, clear, turned and compressed."""
    size, turned = (shape[1], shape[0]), Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    for number, levels in enumerate(X[:4]):
        image = Image.fromarray(levels)
        large = image.resize((3 * size[0] + number, 2 * size[1] + 5), Image.Resampling.BICUBIC)
        clear = large.convert("RGBA")
        clear.putalpha(large.convert("L").point(lambda level: 255 if level > 90 else level))
        kept: dict[str, tuple[Image.Image, dict[str, Any]]] = {
            "own.png": (image, {}),
            "large.png": (large, {}),
            "tiny.png": (image.resize((5, 3)), {}),
            "clear.png": (clear, {}),
            "palette.png": (large.convert("P"), {}),
            "turned.png": (large, {"exif": turned}),
            "gray.jpg": (large.convert("L"), {"quality": 90}),
            "color.jpg": (large.convert("RGB"), {"quality": 90}),
            "turned.jpg": (large.convert("RGB"), {"exif": turned, "quality": 80, "progressive": True}),
        }
        for name, (made, options) in kept.items():
            path = folder / f"{number}-{name}"
            made.save(path, **options)
            yield path
