"""The page in a real browser: every control, and the predictor's numbers for files of several kinds."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import ExifTags, Image
from tests.data.test_color_profiles import ADOBE, three_colors

from likely.errors import DataError, OutputError
from likely.export.web import runtime
from likely.export.web.example_images import example_images
from likely.export.web.runtime import Runtime, read_runtime
from likely.export.web.write_page import write_page
from likely.model import ClassifierPredictor, load
from likely.preprocessing.conversion import ProductPhoto

CHROMIUM = shutil.which("chromium")
PAGE = Path(runtime.__file__).parent / "page"
_SHARES = (
    "Object.fromEntries([...document.querySelectorAll('#bars li')].map(l => [l.dataset.label, +l.dataset.probability]))"
)


@pytest.fixture(scope="module")
def files() -> Runtime:
    try:
        return read_runtime()
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    """What starts Debian's Chromium; without it these tests are left out."""
    if CHROMIUM is None:
        pytest.skip("There is no chromium here. On Debian: apt-get install chromium.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(started: Any) -> Iterator[Any]:
    """Chromium with a camera."""
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    browser = started.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def folder(calibrated: Any, digits: Any, files: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of a conv net on digits."""

    class Part:
        X, y = digits

    found: Any = Part()
    path = tmp_path_factory.mktemp("web") / "page"
    write_page(calibrated, path, files, example_images(found, calibrated.card.labels))
    return path


@pytest.fixture(scope="module")
def page(browser: Any, folder: Path) -> Any:
    """The page, ready; whatever it asks the network for, or complains of, fails the tests."""
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    opened.said = []
    opened.on("request", lambda request: opened.said.append(request.url[:80]))
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.goto((folder / "index.html").as_uri())
    opened.wait_for_selector("html[data-ready]", timeout=120_000)
    return opened


def until(page: Any, expression: str) -> None:
    """Waits for it to be true; the page's policy forbids what Playwright would do by itself."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def answered(page: Any, name: str) -> dict[str, float]:
    """The shown probabilities, once the picture of this name is answered."""
    until(page, f"document.querySelector('#shown').ariaLabel === {json.dumps(name)}")
    until(page, "document.documentElement.dataset.busy === 'no' && document.querySelector('#bars .share').textContent")
    return page.evaluate(_SHARES)


def test_files_of_all_kinds_get_the_predictors_numbers(
    page: Any, calibrated: ClassifierPredictor, digits: Any, tmp_path: Path
) -> None:
    rng, X = np.random.default_rng(0), digits[0]
    large = Image.fromarray(X[3]).resize((90, 61))
    color = Image.fromarray(rng.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    clear = Image.fromarray(np.dstack([X[5], X[5], X[5], np.where(X[5] > 100, 255, 0).astype(np.uint8)]))
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    kept: dict[str, tuple[Image.Image, float]] = {
        "own.png": (Image.fromarray(X[1]), 1e-3),
        "large.png": (large, 1e-3),
        "color.png": (color, 1e-3),
        "clear.png": (clear, 1e-3),
        "adobe.png": (color, 1e-3),
        "photo.jpg": (large.convert("RGB"), 0.02),
        "turned.jpg": (large, 0.02),
    }
    options: dict[str, Any] = {
        "adobe.png": {"icc_profile": three_colors(ADOBE, 563 / 256)},
        "turned.jpg": {"exif": turned},
    }
    for name, (image, most) in kept.items():
        image.save(tmp_path / name, quality=95, **options.get(name, {}))
        page.set_input_files("#files", tmp_path / name)
        found = answered(page, name)
        expected = calibrated.predict_proba([tmp_path / name])[0]
        np.testing.assert_allclose(
            [found[label] for label in calibrated.card.labels], expected, atol=most, err_msg=name
        )
    assert not [text for text in page.said if not text.startswith("file:")]


def test_sets_errors_events_and_conditions(page: Any, calibrated: ClassifierPredictor, digits: Any) -> None:
    page.click("#reset")
    assert page.inner_text("#sentence") == "No image yet."
    page.click("#examples button >> nth=8")
    shares = answered(page, "Example: 8")
    row = digits[0][int(np.argmax(digits[1] == 8))][None]
    for at, coverage in ((0, 0.5), (7, 0.92), (14, 0.99)):
        page.fill("#coverage", str(at))
        until(page, "document.documentElement.dataset.busy === 'no'")
        [expected] = calibrated.predict_set(row, coverage)
        assert page.inner_text("#set") == ", ".join(map(str, expected))
        assert page.inner_text("#coverage-value") == f"{coverage:.0%}"
    errors = json.loads(page.inner_html("#facts"))["errors"]
    page.fill("#error", str(len(errors) - 1))
    until(page, "document.documentElement.dataset.busy === 'no'")
    refused = not calibrated.predict_or_abstain(row, errors[-1])[1][0]
    assert page.inner_text("#refusal") == ("Not answered" if refused else "Answered")
    page.get_by_label("8", exact=True).check()
    page.get_by_label("3", exact=True).check()
    assert page.inner_text("#event-answer").startswith("P(3 or 8) = ")
    page.get_by_label("It is one of the ticked labels").check()
    given = page.evaluate(_SHARES)
    assert given["8"] == pytest.approx(shares["8"] / (shares["8"] + shares["3"]), abs=1e-6)
    assert sum(given.values()) == pytest.approx(1)
    page.get_by_role("button", name="round").click()
    ticked = page.evaluate("[...document.querySelectorAll('#ticks input')].map(box => box.checked)")
    assert [k for k, box in enumerate(ticked) if box] == [0, 6, 8, 9]
    page.click("#reset")
    assert page.inner_text("#event-answer") == ""
    assert not page.is_checked("#given")


def test_dropping_pasting_drawing_and_the_camera(page: Any, digits: Any, tmp_path: Path) -> None:
    page.click("#reset")
    Image.fromarray(digits[0][2]).save(tmp_path / "two.png")
    given = {"good": (tmp_path / "two.png").read_bytes().hex(), "kind": ""}
    hand_over = """({good, kind}) => {
        const bytes = Uint8Array.from(good.match(/../g), (pair) => parseInt(pair, 16)), data = new DataTransfer();
        data.items.add(new File([bytes], `${kind}.png`, {type: "image/png"}));
        data.items.add(new File(["no image"], "broken.heic", {type: "image/heic"}));
        const [name, key] = kind === "dropped" ? ["drop", "dataTransfer"] : ["paste", "clipboardData"];
        const event = new (name === "drop" ? DragEvent : ClipboardEvent)(name, {[key]: data, bubbles: true});
        document.body.dispatchEvent(event);
    }"""
    for kind in ("dropped", "pasted"):
        page.evaluate(hand_over, given | {"kind": kind})
        answered(page, f"{kind}.png")
        assert "broken.heic is no image that this browser can read" in page.inner_text("#problems")
    assert page.locator("#strip button").count() == 2
    page.click("#draw")
    box = page.locator("#board").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 180, steps=5)
    page.mouse.up()
    drawn = answered(page, "Your drawing")
    assert sum(drawn.values()) == pytest.approx(1, abs=1e-5)
    page.click("#camera")
    until(page, "document.querySelector('#video').videoWidth > 0")
    page.click("#shoot")
    answered(page, "Picture of the camera")
    page.click("#camera-off")
    assert page.is_hidden("#camera-panel")
    page.click("#reset")


def test_the_button_that_pastes(page: Any, digits: Any, tmp_path: Path) -> None:
    page.click("#reset")
    page.click("#paste")  # which the browser does not allow yet
    until(page, "document.querySelector('#problems').textContent")
    assert "Press Ctrl+V" in page.inner_text("#problems")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('no image')")
    page.click("#paste")
    until(page, "document.querySelector('#problems').textContent.startsWith('There is no image to paste')")
    Image.fromarray(digits[0][2]).save(tmp_path / "two.png")
    copy = """(hex) => navigator.clipboard.write([new ClipboardItem({"image/png":
        new Blob([Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))], {type: "image/png"})})])"""
    page.evaluate(copy, (tmp_path / "two.png").read_bytes().hex())
    page.click("#paste")
    assert sum(answered(page, "The pasted image").values()) == pytest.approx(1, abs=1e-5)
    page.click("#reset")


def test_a_browser_without_web_assembly_is_told_so(folder: Path, started: Any) -> None:
    with started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--js-flags=--jitless"]) as without:
        opened = without.new_page()
        opened.goto((folder / "index.html").as_uri())
        until(opened, "document.querySelector('#loading').classList.contains('alert')")
        assert "it lacks WebAssembly. Try a current Firefox" in opened.inner_text("#loading")
        assert opened.is_disabled("#choose")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_the_rules_of_accessibility_are_kept(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.click("#reset")
    page.click("#examples button >> nth=8")
    answered(page, "Example: 8")
    page.get_by_label("8", exact=True).check()
    page.click("#draw")
    page.click("summary")
    found = Axe().run(page).response["violations"]
    assert [(violation["id"], violation["help"]) for violation in found] == []
    page.click("summary")
    page.click("#reset")
    page.set_viewport_size({"width": 1100, "height": 900})


def test_the_page_asks_for_nothing_and_runs_no_foreign_code(page: Any) -> None:
    assert page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'refused')") == "refused"
    blocked = """() => { const s = document.createElement('script'); s.textContent = 'window.ran = true';
        document.body.append(s); return window.ran === undefined }"""
    assert page.evaluate(blocked)


def test_keyboard_names_and_narrow_screens(page: Any) -> None:
    unnamed = """[...document.querySelectorAll('button:not([hidden]), input:not([hidden]), canvas, img')].filter(e =>
        !(e.textContent.trim() || e.labels?.length || e.ariaLabel || e.alt || e.querySelector?.('img[alt]')))
        .map(e => e.id)"""
    assert page.evaluate(unnamed) == []
    page.focus("#choose")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert {"paste", "camera", "draw", "coverage", "given", "reset"} <= set(reached)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1100, "height": 900})


def test_photographs_are_converted_as_in_python(browser: Any) -> None:
    blank, rng, source = browser.new_page(), np.random.default_rng(0), (PAGE / "photograph.js").read_text()
    convert = """([source, image]) => new Function('image', source + `
        return Array.from(productPhoto(image, [28, 28], image.numbers, image.columnsFirst));`)(
        {...image, data: Uint8Array.from(image.data)})"""
    from likely.export.graph.resizing import pillow_chooses

    for height, width, light in ((300, 200, 240), (90, 400, 20), (40, 31, 200), (12, 9, 250), (50, 50, 128)):
        levels = np.clip(rng.normal(light, 3, (height, width, 3)), 0, 255)
        levels[height // 5 : height // 2, width // 4 : -width // 4] = rng.integers(0, 256, (1, 1, 3))
        levels[height // 2 : -height // 6, width // 3 : -width // 3] = rng.integers(60, 120, 3)
        image = levels.astype(np.uint8)
        numbers = {"trim_tolerance": 0.05, "sharpen_radius": 1, "sharpen_sigma": 1.0}
        given = {"width": width, "height": height, "channels": 3, "data": image.ravel().tolist()}
        found = blank.evaluate(convert, [source, given | {"numbers": numbers, "columnsFirst": pillow_chooses()}])
        expected = ProductPhoto()(Image.fromarray(image), (28, 28))
        assert np.abs(np.array(found).reshape(28, 28) - expected.astype(int)).max() <= 1


def test_what_there_is_no_page_for(
    calibrated: Any, files: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = load(Path(__file__).parents[1] / "model" / "data" / "recent_table.likely")
    with pytest.raises(DataError, match="one of a table"):
        write_page(table, tmp_path / "table", files)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(OutputError, match="must be empty or new"):
        write_page(calibrated, tmp_path / "full", files)
    with pytest.raises(DataError, match=r"must hold ort\.wasm\.bundle\.min\.mjs"):
        read_runtime(tmp_path / "full")
    (tmp_path / "full" / "ort.wasm.bundle.min.mjs").write_text("another")
    with pytest.raises(DataError, match="with SHA-256"):
        read_runtime(tmp_path / "full")
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"npm must be installed .* Try --runtime FOLDER"):
        read_runtime()
