import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from likely.metrics import confusion_matrix, reliability_bins
from likely.report import plots, statements

HOSTILE = '<script>alert("1")</script> & \' 日本語'


def all_figures(data, description="What it shows."):
    bins = statements.make_bins(reliability_bins(data.probs, data.y))
    confusion = confusion_matrix(data.probs, data.y)
    y = data.y.astype(np.float64)
    held_out = statements.curve(data.history, "held_out", "accuracy")
    return {
        "loss": plots.loss_curve(statements.curve(data.history, "loss"), held_out, description),
        "accuracy": plots.accuracy_curve(held_out, description),
        "reliability": plots.reliability_diagram(bins, "image", description),
        "confusion": plots.confusion_image(confusion, description)[0],
        "scatter": plots.prediction_scatter(y, y + 1, description),
        "residuals": plots.residual_histogram(y - 3, description),
    }


@pytest.fixture(scope="module")
def drawn(digits):
    return all_figures(digits)


def test_each_is_xml_that_keeps_to_itself(drawn):
    ids = []
    for name, svg in drawn.items():
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox")
        assert not {"width", "height"} & set(root.keys())
        own = [e.get("id") for e in root.iter() if e.get("id")]
        assert all(i.startswith(f"{name}-") for i in own)
        ids += own
        targets = re.findall(r'(?:url\(|href=")#([^)"]+)', svg)
        assert set(targets) <= set(own)
        tags = {e.tag.rpartition("}")[2] for e in root.iter()}
        assert not tags & {"script", "style", "metadata", "foreignObject", "a", "title"}
        assert re.findall(r"https?:[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert len(ids) == len(set(ids))


def test_text_is_text_in_the_fonts_and_colors_of_the_page(drawn):
    for svg in drawn.values():
        root = ElementTree.fromstring(svg)
        texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
        assert len(texts) > 3
        assert "font-family" not in svg
        assert "currentColor" in svg
        assert not re.search(r"#01020\d", svg)
    assert "var(--accent)" in drawn["reliability"]
    assert "var(--contrast)" in drawn["accuracy"]


def test_the_description_is_escaped(digits):
    for svg in all_figures(digits, HOSTILE).values():
        assert "<script" not in svg
        assert ElementTree.fromstring(svg).get("aria-label") == HOSTILE


def test_the_same_numbers_give_the_same_text_whatever_matplotlib_is_set_to(digits, drawn):
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        assert all_figures(digits) == drawn
        assert dict(mpl.rcParams) == before


def test_the_reliability_diagram_writes_the_number_of_images_in_each_bin(digits, drawn):
    root = ElementTree.fromstring(drawn["reliability"])
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    counts = reliability_bins(digits.probs, digits.y).count
    assert all(f"{count:,}" in texts for count in counts if count)


def test_a_long_history_stays_small():
    points = [(step, 1 / step) for step in range(1, 100_000)]
    assert len(plots.loss_curve(points, points[::1000], "")) < 60_000


def test_many_points_stay_few():
    y = np.random.default_rng(0).normal(size=50_000)
    svg = plots.prediction_scatter(y, y, "")
    assert 900 < svg.count("<use") < 1100


def test_many_classes_share_cells():
    svg, together = plots.confusion_image(np.diag(np.arange(1, 1002)), "")
    assert together == 5
    assert len(svg) < 60_000


def test_an_empty_row_of_the_confusion_is_no_error():
    svg, together = plots.confusion_image(np.zeros((30, 30), dtype=np.int64), "")
    assert together == 1
    ElementTree.fromstring(svg)
