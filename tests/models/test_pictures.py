"""Pictures: well-formed, the same each time, small, complete, inside their frame, safe with any name."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from models import pictures
from models.drift import Baseline
from models.evaluation import measured

SVG = "{http://www.w3.org/2000/svg}"
RECORDS = 20_000
NAMES = [f"customer_amount_mean_{at}d" for at in range(25)]


def world():
    random = np.random.default_rng(3)
    fraud = random.random(RECORDS) < 0.02
    raw = random.normal(size=RECORDS) + 2 * fraud
    return np.argsort(np.argsort(raw)) / RECORDS, fraud


def draw() -> dict[str, str]:
    scores, fraud = world()
    matrix = np.random.default_rng(4).gamma(2, 3e4, (RECORDS, 25)).astype(np.float32)
    matrix[:5000, 3] = np.nan
    weights = {name: float(at) for at, name in enumerate(NAMES)}
    return {
        "precision_recall": pictures.precision_recall(scores, fraud),
        "score_histogram": pictures.score_histogram(scores, fraud),
        "calibration": pictures.calibration(
            measured(scores, fraud, np.arange(RECORDS, dtype=float))["calibration"]["bins"]
        ),
        "importance": pictures.importance(weights),
        "drift_baseline": pictures.drift_baseline(Baseline.learn(NAMES, matrix, scores)),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return draw()


def texts(svg: str) -> list[str]:
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 # our own


def test_the_same_figures_give_the_same_bytes_with_no_date_in_them(drawn):
    assert draw() == drawn
    assert not re.search(r"20\d\d-", "".join(drawn.values()).replace("http://www.w3.org/2000/svg", ""))


def test_every_picture_is_small_and_reads_itself_aloud(drawn):
    for name, svg in drawn.items():
        root = ET.fromstring(svg)  # noqa: S314 # our own
        assert root.get("role") == "img", name
        assert root.find(f"{SVG}title").text, name
        assert len(svg.encode()) < 40_000, name
        assert not {element.tag.removeprefix(SVG) for element in root.iter()} - {
            *("svg", "title", "style", "text", "rect", "path", "circle"),
        }, name


def test_every_shape_is_inside_its_frame(drawn):
    for name, svg in drawn.items():
        root = ET.fromstring(svg)  # noqa: S314 # our own
        width, height = map(float, root.get("viewBox").split()[2:])
        for element in root.iter():
            x, y = (float(element.get(at) or element.get(f"c{at}") or 0) for at in "xy")
            across, down = (float(element.get(size) or 0) for size in ("width", "height"))
            assert 0 <= x <= x + across <= width, (name, element.attrib)
            assert 0 <= y <= y + down <= height, (name, element.attrib)


def test_the_curve_passes_its_budgets(drawn):
    scores, fraud = world()
    root = ET.fromstring(drawn["precision_recall"])  # noqa: S314 # our own
    path = next(element.get("d") for element in root.iter(f"{SVG}path") if element.get("class") == "curve")
    points = np.array([[float(at) for at in point.split()] for point in path[1:].split("L")])
    dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in root.iter(f"{SVG}circle")]
    assert len(dots) == 3
    for x, y in dots:
        assert np.hypot(points[:, 0] - x, points[:, 1] - y).min() < 6
    assert points[-1][0] == pictures.WIDTH - pictures.RIGHT
    assert scores[fraud].mean() > 0.8


def test_bars_are_as_high_as_their_shares():
    scores = np.repeat([0.2, 0.9], 500)
    svg = pictures.score_histogram(scores, scores > 0.5)
    root = ET.fromstring(svg)  # noqa: S314 # our own
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.get("class") in {"honest", "fraud"}]
    high = [bar.get("class") for bar in bars if float(bar.get("height")) > 100]
    assert high == ["honest", "fraud"]


def test_the_strongest_features_come_first_and_the_rest_is_counted(drawn):
    shown = [text for text in texts(drawn["importance"]) if text in NAMES]
    assert shown == NAMES[:-16:-1]
    assert any("15 strongest of 25" in text for text in texts(drawn["importance"]))


def test_what_is_missing_is_told(drawn):
    assert "25 %" in texts(drawn["drift_baseline"])


def test_a_name_cannot_break_a_picture():
    svg = pictures.importance({'<a href="x">&': 1.0, "a" * 80: 0.5, "none": 0.0})
    assert '<a href="x">&' in texts(svg)
    assert max(map(len, texts(svg)[2:])) <= pictures.MOST_LETTERS


def test_little_to_draw_is_drawn_all_the_same():
    scores, fraud = np.array([0.5, 0.5]), np.array([True, False])
    assert "0.1 % alerts" in texts(pictures.precision_recall(scores, fraud))
    assert texts(pictures.importance({}))
    assert texts(pictures.importance({"one": 0.0}))
    assert texts(pictures.drift_baseline(Baseline.learn(["one"], np.full((3, 1), np.nan), np.ones(3))))
    bins = measured(scores, fraud, np.zeros(2))["calibration"]["bins"]
    assert "none" in texts(pictures.calibration(bins))


@pytest.mark.parametrize(("most", "step"), [(1, 0.2), (0.5, 0.1), (0.09, 0.02), (0.012, 0.0025), (0.3, 0.1)])
def test_ticks_are_round(most, step):
    assert pictures._step(most) == pytest.approx(step)
