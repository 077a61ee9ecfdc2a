"""Groups of people are what the gate lets out of a field, whether it was let out already or is still raw."""

import csv
import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.rows import gather, opened
from models.simulator import simulate
from models.simulator.residents import Residents
from models.sources import Simulated
from models.sources.grouped import Grouping, labels_of, value_at
from models.spec import Spec, load_spec
from models.spec.groups import Group, read_groups
from models.spec.keys import Keys
from processor.errors import ModelError
from processor.event import SCHEMA
from processor.policy.actions.generalize import Generalize, generalize
from processor.policy.notes import REDACTED, Notes, Record

BANDS = (25, 35, 50, 65)
AGE = Group("birth_date", BANDS)
DATES = st.dates(date(1800, 1, 1), date(2025, 12, 31))
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())


def quiet(_step: str, _done: int) -> None:
    pass


def read(content: Any) -> dict[str, Group]:
    return read_groups(Keys(Path("model.yaml"), "", {"groups": content}), {"amount"})


def of_policy(value: Any, **options: Any) -> Any:
    """What the policy's rule lets out."""
    return generalize(Generalize(**options), None)(value, Record(NOON, Notes([], [])))  # type: ignore[arg-type]


def test_groups_are_read_in_each_form() -> None:
    assert read({"region": "address.country", "age": {"of": "birth_date", "bands": [30, 60]}}) == {
        "region": Group("address.country"),
        "age": Group("birth_date", (30, 60)),
    }
    assert read({"area": {"of": "address.postcode", "to": "zip3"}})["area"].to == "zip3"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (["region"], r"groups should be a map"),
        ({"the region": "country"}, r"groups\.the region should be a name"),
        ({"amount": "country"}, r"groups\.amount is the name of a field that the model reads"),
        ({"region": 5}, r"groups\.region should be a field, or"),
        ({"region": {"off": "country"}}, r"groups\.region\.off is no key here \(the nearest is of\)"),
        ({"tag": "tags[*]"}, r"groups\.tag\.of should be a field"),
        ({"age": {"of": "birth_date", "bands": []}}, r"groups\.age\.bands should be rising whole numbers"),
        ({"age": {"of": "birth_date", "bands": [50, 25]}}, r"groups\.age\.bands should be rising"),
        ({"age": {"of": "birth_date", "bands": [25], "to": "year"}}, r"groups\.age should be .*, not both"),
        ({"area": {"of": "postcode", "to": "zip4"}}, r"groups\.area\.to should be one of .*zip3"),
    ],
)
def test_what_cannot_be_a_group_is_refused_by_its_key(content: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read(content)


def test_bands_have_names_that_leave_no_age_out() -> None:
    assert labels_of(BANDS) == ["0-24", "25-34", "35-49", "50-64", "65+"]
    grouping = Grouping(AGE, sanitised=False)
    found = {age: grouping.label(str(2026 - age), 2026) for age in (0, 24, 25, 34, 35, 64, 65, 120)}
    assert found == dict(
        zip(found, ("0-24", "0-24", "25-34", "25-34", "35-49", "50-64", "65+", "65+"), strict=True)
    )


@given(DATES, st.sampled_from([None, 65, 80, 89]))
def test_a_birth_date_and_what_the_policy_lets_out_of_it_are_in_one_band(born: date, top: int | None) -> None:
    let_out = of_policy(born.isoformat(), to="year", top=top)
    raw = Grouping(AGE, sanitised=False).label(born.isoformat(), 2026)
    assert raw == Grouping(AGE, sanitised=True).label(let_out, 2026)
    assert raw == Grouping(AGE, sanitised=False).label(let_out, 2026), "an export of years is banded, too"


@given(st.from_regex(r"[0-9]{5}|[0-9]{5}-[0-9]{4}|[A-Z]{2}[0-9] [0-9][A-Z]{2}", fullmatch=True))
def test_a_raw_postcode_is_generalised_as_the_policy_would(postcode: str) -> None:
    area = Group("address.postcode", to="zip3")
    let_out = of_policy(postcode, to="zip3")
    assert Grouping(area, sanitised=False).label(postcode, 2026) == let_out
    assert Grouping(area, sanitised=True).label(let_out, 2026) == let_out


@pytest.mark.parametrize("value", [None, "", REDACTED, "soon", 5.5, [1984], {"year": 1984}, "2030", True])
def test_a_birth_date_that_says_nothing_has_no_band(value: Any) -> None:
    assert Grouping(AGE, sanitised=True).label(value, 2026) is None


def test_the_policys_oldest_group_is_told_only_if_one_band_holds_all_of_it() -> None:
    grouping = Grouping(Group("birth_date", (25, 70)), sanitised=True)
    assert grouping.label(of_policy("1930-01-01", to="year", top=89), 2026) == "70+"
    assert grouping.label(of_policy("1930-01-01", to="year", top=60), 2026) is None


def test_a_field_within_another_is_found_by_its_path() -> None:
    assert value_at({"address": {"country": "GR"}}, "address.country") == "GR"
    assert value_at({"address.country": "GR"}, "address.country") == "GR"
    assert value_at({"address": "Athens"}, "address.country") is None


@pytest.fixture(scope="module")
def grouped(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Spec:
    """The tiny spec with groups of each form, one of which has the name of a raw field."""
    content = yaml.safe_load((tiny_folder / "model.yaml").read_text())
    content["gates"].pop("disparity", None)
    content["groups"] = {
        "region": "address.country",
        "age_band": {"of": "birth_date", "bands": [*BANDS]},
        "area": {"of": "address.postcode", "to": "zip3"},
    }
    folder = tmp_path_factory.mktemp("grouped")
    (folder / "model.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return load_spec(folder)


def raw(number: int) -> dict[str, Any]:
    """A payment as the table has it, whose own column `region` is none of the gate's business."""
    return {
        "payment_id": f"p{number}",
        "created_at": f"2026-06-01T12:{number:02}:00Z",
        "customer_id": f"C{number}",
        "terminal_id": "T1",
        "merchant_category": "fuel",
        "channel": "web",
        "amount": 5.5,
        "status": "approved",
        "region": "Secret Street 5",
        "birth_date": f"19{number + 40}-07-05",
        "address": {"country": ("GR", "SE")[number % 2], "postcode": "90210", "street": "Secret Street 5"},
    }


def columns(spec: Spec, path: Path) -> dict[str, list[Any]]:
    rows = gather(spec.features, spec, opened(spec, [path]), quiet)
    return {name: rows.columns[name].tolist() for name in spec.groups}


EXPECTED: dict[str, list[Any]] = {
    "region": ["GR", "SE"] * 20,
    "age_band": [Grouping(AGE, sanitised=True).label(1940 + at, 2026) for at in range(40)],
    "area": ["902"] * 40,
}


def test_groups_of_raw_records_are_those_that_the_gate_would_let_out(grouped: Spec, tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(raw(number)) + "\n" for number in range(40)))
    assert columns(grouped, path) == EXPECTED


def test_no_raw_value_of_a_group_is_kept_once_records_are_read(grouped: Spec, tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(raw(number)) + "\n" for number in range(40)))
    images = [changed.after for changed in opened(grouped, [path]).changes(quiet)]
    assert all({"birth_date", "address", "address.postcode"}.isdisjoint(image or {}) for image in images)
    assert not any(secret in json.dumps(images) for secret in ("Secret", "90210", "-07-05"))


def test_groups_of_a_table_in_csv_are_the_same(grouped: Spec, tmp_path: Path) -> None:
    path = tmp_path / "raw.csv.gz"
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        flat: list[dict[str, Any]] = [
            {**raw(at), **{f"address.{name}": value for name, value in raw(at)["address"].items()}}
            for at in range(40)
        ]
        names = [name for name in flat[0] if name != "address"]
        writer.writerows([names, *([one[name] for name in names] for one in flat)])
    assert columns(grouped, path) == EXPECTED


def test_groups_of_the_gates_events_are_as_it_let_them_out(grouped: Spec, tmp_path: Path) -> None:
    """A field of the group's own name is not the group, and a redacted one is missing."""
    path = tmp_path / "events.jsonl"
    measured = dict.fromkeys(grouped.features.names, 1.0)
    with path.open("w") as file:
        for number in range(40):
            image = raw(number)
            let_out: dict[str, Any] = {
                **image,
                "region": "Elsewhere",
                "birth_date": of_policy(image["birth_date"], to="year", top=89),
                "address": {"country": image["address"]["country"], "postcode": "902"},
            }
            if number == 0:
                let_out["birth_date"] = REDACTED
            event = {
                "schema": SCHEMA, "event_id": f"e{number}", "sequence": str(100 + number), "type": "INSERT",
                "time": image["created_at"], "keys": {"payment_id": f"p{number}"}, "new": let_out,
                "old": None, "fraud": {"score": 0.5, "features": measured},
            }  # fmt: skip
            file.write(json.dumps(event) + "\n")
    found = columns(grouped, path)
    assert found.pop("age_band") == [None, *EXPECTED["age_band"][1:]]
    assert found == {"region": EXPECTED["region"], "area": EXPECTED["area"]}


def test_where_no_record_has_the_field_the_group_is_missing(grouped: Spec, tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    bare = [{name: value for name, value in raw(at).items() if name != "address"} for at in range(40)]
    path.write_text("".join(json.dumps(one) + "\n" for one in bare))
    found = columns(grouped, path)
    assert set(found["region"]) == {None}
    assert found["age_band"] == EXPECTED["age_band"]


def test_simulated_customers_have_a_country_and_a_year_of_birth_that_change_no_payment(spec: Spec) -> None:
    images = [changed.after for changed in Simulated(spec).changes(quiet)]
    world = simulate(spec.recipe, seed=spec.seed, start=spec.start).since(spec.burn_in_days)
    assert [image["amount"] for image in images if image] == (world.cents / 100).tolist()
    of: dict[str, set[Any]] = {}
    for image in images:
        assert image is not None
        of.setdefault(image["customer_id"], set()).add((image["address"]["country"], image["birth_date"]))
    assert {len(each) for each in of.values()} == {1}
    assert len({country for each in of.values() for country, _ in each}) == 8


def test_the_years_of_birth_of_the_simulator_are_what_the_policy_lets_out() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    residents = Residents(500, seed=7, start=start)
    years = residents.birth_years(2026)
    assert years == Residents(500, seed=7, start=start).birth_years(2026)
    assert [of_policy(year.removeprefix("<="), to="year", top=89) for year in years] == years
    assert any(year.startswith("<=") for year in years)
