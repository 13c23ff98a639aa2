import base64
import io
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn.metrics
from PIL import Image
from tests.report.conftest import CARD

from likely.atomic import write_text
from likely.errors import OutputError, ShapeError
from likely.metrics import Estimate
from likely.metrics.classification import evaluate_classification
from likely.metrics.evaluation import Evaluation
from likely.metrics.regression import evaluate_regression
from likely.model.card import Card
from likely.report.examples import least_certain, most_confidently_wrong
from likely.report.report import render
from likely.report.report_data import ReportData
from likely.report.statements import entropies

VOID = {"meta", "img", "br", "link", "input", "hr"}
HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes\" and 'quotes'",
    "a & b &amp; c",
    "日本語 ズボン",
    "</style></svg><img src=x onerror=alert(1)>",
    '" onload="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac{1}{2}$",
    "]]>--><!--",
    "x" * 200,
)


class Page(HTMLParser):
    """Every element with its attributes and text; raises where tags do not nest."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, (self.open[-1], tag)
        self.open.pop()

    def handle_data(self, data):
        for _, _, text in self.open:
            text.append(data)

    def find(self, tag, cls=None):
        return [
            (attrs, "".join(text).strip())
            for name, attrs, text in self.elements
            if name == tag and (cls is None or cls in (attrs.get("class") or "").split())
        ]

    def texts(self, tag, cls=None):
        return [text for _, text in self.find(tag, cls)]


@pytest.fixture(scope="module")
def html(digits):
    return render(digits)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def check_page(html):
    """What must hold for any report: it nests, loads nothing, runs nothing, and its ids are unique."""
    page = Page(html)
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)
    for tag, attrs, _ in page.elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "audio", "video", "source"}
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}:
                assert value.startswith(("data:image/png;base64,", "#")), value[:80]
                assert not value.startswith("#") or value[1:] in ids
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    for svg in re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL):
        ElementTree.fromstring(svg)
    return page


def test_the_page_is_whole_and_keeps_to_itself(html):
    page = check_page(html)
    assert len(page.find("svg", "figure")) == 3
    [policy] = [a["content"] for a, _ in page.find("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert page.elements[2][:2] == ("meta", {"charset": "utf-8"})
    assert all(attrs.get("alt") for attrs, _ in page.find("img"))
    assert all(attrs.get("aria-label") for attrs, _ in page.find("svg"))


def test_headline_figures_are_the_metrics(digits, page):
    values, intervals = page.texts("dd", "value"), page.texts("dd", "interval")
    m = digits.evaluation
    assert values == [
        f"{m.accuracy.value:.2%}",
        f"{m.nll.value:.4f}",
        f"{m.brier.value:.4f}",
        f"{m.ece.value:.2%}",
    ]
    assert intervals[0] == f"95%: {m.accuracy.low:.2%} to {m.accuracy.high:.2%}"
    assert intervals[1] == f"95%: {m.nll.low:.4f} to {m.nll.high:.4f}"
    right = int(sklearn.metrics.accuracy_score(digits.y, digits.probs.argmax(axis=1), normalize=False))
    assert (
        f"Of 897 test images that the model had never seen, it named {right} correctly." in page.texts("p", "lead")[0]
    )


def test_the_confusion_matrix_is_scikit_learns(digits, page):
    cells = [int(text) for cls in ("on", "off", "zero") for text in page.texts("td", cls)]
    in_order = [int("".join(t)) for tag, a, t in page.elements if tag == "td" and "--s" in a.get("style", "")]
    assert sum(cells) == len(digits.y)
    theirs = sklearn.metrics.confusion_matrix(digits.y, digits.probs.argmax(axis=1))
    np.testing.assert_array_equal(np.array(in_order).reshape(10, 10), theirs)
    assert [int(text) for text in page.texts("td", "on")] == np.diag(theirs).tolist()


def test_the_class_table_is_scikit_learns(digits, html):
    table = Page(
        html[html.index('<table class="classes">') : html.index("</table>", html.index('class="classes"'))] + "</table>"
    )
    cells = [text for text in table.texts("td") if text]
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        digits.y, digits.probs.argmax(axis=1)
    )
    expected = []
    for i in range(10):
        expected += [str(i + 1), f"{support[i]:,}", f"{precision[i]:.3f}", f"{recall[i]:.3f}", f"{f1[i]:.3f}"]
    assert cells == expected


def test_the_examples_are_the_right_ones_with_their_own_images(digits, page):
    wrong = most_confidently_wrong(digits.y, digits.probs, 24)
    unsure = least_certain(entropies(digits.probs), 24)
    assert page.texts("p", "name") == [f"no. {i}" for i in [*wrong, *unsure]]
    images = [attrs for attrs, _ in page.find("img")]
    for i, attrs in zip([*wrong, *unsure], images, strict=True):
        content = base64.b64decode(attrs["src"].partition(",")[2], validate=True)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content), formats=["PNG"])), digits.images[i])
        assert attrs["alt"] == (f"Test image no. {i}: digit {digits.y[i]}, named digit {digits.probs[i].argmax()}")
        assert attrs["class"] == "pixelated"


def test_the_choice_of_examples(digits):
    answers, confidence = digits.probs.argmax(axis=1), digits.probs.max(axis=1)
    wrong = most_confidently_wrong(digits.y, digits.probs, 24)
    assert (answers[wrong] != digits.y[wrong]).all()
    assert (np.diff(confidence[wrong]) <= 0).all()
    assert len(wrong) == 24
    left_out = np.setdiff1d(np.flatnonzero(answers != digits.y), wrong)
    assert len(left_out) > 0
    assert confidence[left_out].max() <= confidence[wrong].min()
    doubt = entropies(digits.probs)
    unsure = least_certain(doubt, 24)
    assert doubt[unsure].min() >= np.delete(doubt, unsure).max()


def test_probability_bars_show_the_probabilities(digits, page):
    first = most_confidently_wrong(digits.y, digits.probs, 1)[0]
    bars = page.texts("ul", "bars")[0]
    assert f"{digits.probs[first].max():.1%}" in bars
    assert f"digit {digits.y[first]}" in bars
    widths = [float(re.fullmatch(r"width:([\d.]+)%", a["style"])[1]) for a, _ in page.find("span", "bar")]
    assert 0 <= min(widths) <= max(widths) <= 100


def test_how_it_was_made(digits, page):
    [command] = page.texts("code")
    assert command == "likely fit digits --seed 12345"
    text = page.texts("section")[-1]
    for expected in ("12345", "0123456789abcdef" * 4, "3.12.0", "cross_entropy", "800", "thresholds", "2026-01-02"):
        assert expected in text
    assert "calibrated by a temperature of 1.250, fitted on 50 held-out rows" in page.texts("p", "lead")[0]
    assert not page.find("p", "notice")


def test_names_from_folders_are_only_text(digits):
    found = evaluate_classification(digits.probs, digits.y, HOSTILE)
    names = [f"/data/<img src=x onerror=alert(1)>/{i}.png" for i in range(len(digits.y))]
    training = digits.card.training.model_copy(update={"command": "likely fit '<script>' & rm"})
    data = digits.card.data.model_copy(update={"name": "<b>"})
    card = digits.card.model_copy(update={"training": training, "data": data, "versions": {"<i>": "</dd>"}})
    data = replace(digits, title="<script>t</script>", labels=HOSTILE, evaluation=found, names=names, card=card)
    html = render(data)
    page = check_page(html)
    assert "<script" not in html.lower()
    assert len(page.find("style")) == 1
    shown = page.texts("bdi")
    assert set(HOSTILE) == set(shown)
    assert page.texts("h1") == ["<script>t</script>"]
    assert page.texts("code") == ["likely fit '<script>' & rm"]
    assert "<img src=x onerror=alert(1)>/" in page.texts("p", "name")[0]


def test_hostile_names_in_the_descriptions_of_figures(digits):
    many = tuple(HOSTILE[0] + str(i) for i in range(25))
    probs = np.full((50, 25), 0.5 / 24)
    probs[:, 3] = 0.5
    y = np.full(50, 7)
    page = check_page(render(ReportData("t", CARD, [], Evaluation(n=len(y)), many, y, probs, None, None)))
    [label] = [a["aria-label"] for a, _ in page.find("svg") if "Confusion" in a["aria-label"]]
    assert f"{many[7]} taken for {many[3]} (50 of 50)" in label


def test_names_that_utf8_cannot_say(digits, tmp_path):
    labels = ("bad\udc80\x00\u202ename", *digits.labels[1:])
    write_text(tmp_path / "report.html", render(replace(digits, labels=labels)))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "bad���name" in text
    check_page(text)


def test_the_same_data_give_the_same_page(digits, html):
    assert render(digits) == html


def test_the_file_is_the_page(digits, html, tmp_path):
    write_text(tmp_path / "report.html", render(digits))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OutputError):
        write_text(tmp_path / "missing" / "report.html", render(digits))


@pytest.mark.parametrize("key", ["versions", "hardware", "temperature", "created"])
def test_a_card_may_lack_what_has_a_default(digits, key):
    empty = Card.model_fields[key].get_default(call_default_factory=True)
    check_page(render(replace(digits, card=digits.card.model_copy(update={key: empty}))))


def test_an_empty_history_and_no_figures(digits):
    page = check_page(render(replace(digits, history=[], evaluation=Evaluation(n=897))))
    assert "No record of the training came with this model." in page.texts("section")[0]
    assert not page.find("dd", "value")
    assert not page.find("p", "notice")


def test_a_model_that_was_not_calibrated_says_so(digits):
    page = check_page(render(replace(digits, card=digits.card.model_copy(update={"temperature": None}))))
    assert "not calibrated" in page.texts("p", "notice")[0]


@pytest.mark.parametrize(("n", "k"), [(1, 2), (2, 2), (5, 3), (40, 20), (40, 21), (300, 1000)])
def test_sizes(n, k):
    rng = np.random.default_rng(n)
    probs = rng.dirichlet(np.ones(k), size=n)
    y = rng.integers(0, k, n)
    labels = tuple(f"class {i}" for i in range(k))
    html = render(ReportData("t", CARD, [], evaluate_classification(probs, y, labels), labels, y, probs, None, None))
    page = check_page(html)
    assert len(page.find("table", "confusion")) == (k <= 20)
    assert sum("Confusion matrix" in a["aria-label"] for a, _ in page.find("svg")) == (k > 20)
    rows = [a for a, _ in page.find("th") if a.get("scope") == "row"]
    assert len(rows) >= k
    assert not page.find("img")


def test_a_model_that_is_always_right():
    y = np.arange(30) % 3
    found = evaluate_classification(np.eye(3)[y], y, "abc")
    page = check_page(render(ReportData("t", CARD, [], found, ("a", "b", "c"), y, np.eye(3)[y], None, None)))
    text = " ".join(page.texts("section"))
    assert "No row was taken for another class." in text
    assert "No wrong answer among 30 rows." in text


def test_large_color_images_are_shrunk(digits):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (len(digits.y), 60, 120, 3), dtype=np.uint8)
    page = check_page(render(replace(digits, images=images)))
    attrs = page.find("img")[0][0]
    content = base64.b64decode(attrs["src"].partition(",")[2])
    assert Image.open(io.BytesIO(content), formats=["PNG"]).size == (96, 48)
    assert "class" not in attrs


def test_a_page_of_ten_thousand_images_stays_small():
    rng = np.random.default_rng(0)
    probs, y = rng.dirichlet(np.ones(10), size=10_000), rng.integers(0, 10, 10_000)
    images = rng.integers(0, 256, (10_000, 28, 28), dtype=np.uint8)
    labels = tuple("abcdefghij")
    records = [{"step": s, "loss": 1 / s, "held_out": None} for s in range(1, 5000)]
    found = evaluate_classification(probs, y, labels)
    assert len(render(ReportData("t", CARD, records, found, labels, y, probs, images, None))) < 1_500_000


def test_regression(diabetes):
    page = check_page(render(diabetes))
    m = diabetes.evaluation
    values = [float(text.replace(",", "")) for text in page.texts("dd", "value")]
    np.testing.assert_allclose(values, [m.mse.value, m.mae.value, m.r2.value], rtol=1e-4)
    errors = np.abs(diabetes.probs[:, 0] - diabetes.y)
    worst = int(errors.argmax())
    rows = page.texts("tr")
    assert rows[1].startswith(f"no. {worst}")
    assert len(rows) == 21
    assert not page.find("p", "notice")
    assert len(page.find("svg")) == 4
    assert "Held-out loss fell from 4 to 0.138" in page.texts("p", "finding")[0]
    assert "Training loss went from 3 to 0.103 in 29 steps." in page.texts("p", "finding")[1]


def test_regression_on_one_row(diabetes):
    y = diabetes.y[:1]
    check_page(
        render(replace(diabetes, history=[], y=y, probs=y[:, None] + 1, evaluation=evaluate_regression(y, y + 1)))
    )


def test_other_figures_with_intervals_are_shown(digits):
    unknown = Estimate(math.nan, math.nan, math.nan)
    found = replace(digits.evaluation, mae=Estimate(1.25, 1.2, 1.3), r2=unknown)
    page = check_page(render(replace(digits, evaluation=found)))
    assert page.texts("dd", "value")[-1] == "1.2500"
    assert "R²" not in page.texts("dl", "stats")[0]


@pytest.mark.parametrize(
    "change",
    [
        {"y": np.zeros(3, dtype=np.int64)},
        {"y": np.zeros(0, dtype=np.int64), "probs": np.zeros((0, 10)), "images": None},
        {"labels": ("one", "two")},
        {"images": np.zeros((2, 8, 8), dtype=np.uint8)},
        {"names": ["one"]},
    ],
)
def test_what_does_not_fit_is_refused(digits, change):
    with pytest.raises(ShapeError, match="must be"):
        replace(digits, **change)
