"""The page of labels in doubt: what it shows, and that nothing in it comes alive."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from likely.data.dataset import Dataset, Part
from likely.report import label_page
from likely.report.label_page import render_label_page
from likely.training.label_check import LabelCheck
from likely.trust.wrong_labels import LabelIssues

HOSTILE = '<script>alert("1")</script>\u202e&'


def checked(X: np.ndarray, labels: tuple[str, ...] = ("boot", "bag"), paths: list[str] | None = None) -> LabelCheck:
    n = len(X)
    probabilities = np.tile([[0.0625, 0.9375]], (n, 1))
    issues = LabelIssues(np.arange(n), np.zeros(n, int), np.ones(n, int), np.full(n, 0.0625))
    data = Dataset(labels[0], "classification", Part(X, np.zeros(n, int), paths), labels=labels, found_at="d")
    return LabelCheck(data, issues, probabilities, 3)


def test_each_row_stands_with_both_labels_and_its_image() -> None:
    page = render_label_page(checked(np.zeros((3, 8, 8), np.uint8)))
    assert page.count("data:image/png;base64,") == 3
    assert page.count("6.2%") == page.count("93.8%") == 3
    assert "row <bdi>2</bdi>" in page
    assert "3 folds" in page


def test_texts_from_the_data_are_escaped() -> None:
    page = render_label_page(checked(np.zeros((1, 4, 4, 3), np.uint8), (HOSTILE, "=b"), [f"d/{HOSTILE}.png"]))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert "path <bdi>" in page


def test_it_loads_nothing_and_is_well_formed() -> None:
    page = render_label_page(checked(np.zeros((2, 4, 4), np.uint8)))
    assert not re.search(r"https?://|<script|<link|url\(", page)
    open_tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "img"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Checker().feed(page)
    assert open_tags == []


def test_rows_of_numbers_have_no_image_and_no_doubt_is_no_list() -> None:
    assert "<img" not in render_label_page(checked(np.zeros((2, 3))))
    assert "<ol" not in render_label_page(checked(np.zeros((0, 3))))


def test_a_long_list_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_page, "N_SHOWN", 2)
    page = render_label_page(checked(np.zeros((5, 3))))
    assert page.count("<li ") == 2
    assert "3 less doubtful ones" in page
