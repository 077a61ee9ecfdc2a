"""Every answer of detokenize costs the same work: what its time could tell, an answer must not tell apart."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

import processor.crypto.tokens
from tests.desks import ANN, PAYMENTS, World, desk_of, plan_of, token, values

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


class Work:
    """Counts derivations, decryptions and lookups."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, dynamodb: Any) -> None:
        self.done: Counter[str] = Counter()
        tokens = processor.crypto.tokens
        derive, cipher = tokens.HKDF, tokens.AESSIV
        count = self.done

        def hkdf(**options: Any) -> Any:
            count["derivations"] += 1
            return derive(**options)

        class Siv:
            def __init__(self, key: bytes) -> None:
                self._inner = cipher(key)

            def decrypt(self, *arguments: Any) -> Any:
                count["decryptions"] += 1
                return self._inner.decrypt(*arguments)

            def encrypt(self, *arguments: Any) -> Any:
                return self._inner.encrypt(*arguments)

        monkeypatch.setattr(tokens, "HKDF", hkdf)
        monkeypatch.setattr(tokens, "AESSIV", Siv)
        dynamodb.meta.events.register("before-call.dynamodb.*", self._lookup)

    def _lookup(self, model: Any, params: Any, **_more: Any) -> None:
        self.done[model.name] += 1
        if model.name == "BatchGetItem":
            (request,) = json.loads(params["body"])["RequestItems"].values()
            self.done["names"] += len(request["Keys"])


CASES = [
    {"when": "amount == 100", "action": "tokenize", "domain": "large"},
    {"when": "amount == 7", "action": "tokenize", "scope": "subject", "class": "identifier"},
    {"action": "tokenize", "class": "identifier"},
]
ALONE = PAYMENTS["fields"]["email"]


@pytest.mark.parametrize(("rule", "decryptions"), [(ALONE, 1), (CASES, 3)], ids=["alone", "cases"])
def test_every_answer_costs_the_same_work(
    world: World, monkeypatch: pytest.MonkeyPatch, rule: Any, decryptions: int
) -> None:
    fields = {**PAYMENTS["fields"], "email": rule}
    plan = plan_of(fields=fields)
    event, erased = (world.sanitised(plan, {**ANN, "customer_id": one}) for one in ("C-1001", "C-2002"))
    work = Work(monkeypatch, world.dynamodb)
    desk = desk_of(world, fields=fields)
    people = desk.books["payments"].people
    assert people is not None
    names = people.names("C-2002")
    assert names is not None
    world.subjects().erase(names)
    good = event["email"]
    altered = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    cases = {
        "opened": token(event, subject="C-1001"),
        "of another person": token(event, token=erased["email"], subject="C-1001"),
        "erased": token(erased, subject="C-2002"),
        "forged of an erased person": token(event, token=altered, subject="C-2002"),
        "unseen": token(event, subject="C-3003"),
        "altered": token(event, token=altered, subject="C-1001"),
        "of another domain": token(event, token=event["iban"], subject="C-1001"),
        "of no form": token(event, token="ann@example.com", subject="C-1001"),
        "of an unknown version": token(event, token=good.replace(".2.", ".9."), subject="C-1001"),
        "not in its one form": token(event, token=good + "=", subject="C-1001"),
        "empty inside": token(event, token="tok.email.2.AAAA", subject="C-1001"),
    }
    told, costs = {}, {}
    for case, one in cases.items():
        work.done.clear()
        (value,) = values(desk, one)
        told[case] = value.get("status", "opened")
        costs[case] = dict(work.done)
    assert Counter(told.values()) == {"opened": 1, "erased": 2, "invalid": 8}
    expected = {
        "derivations": 1, "decryptions": decryptions, "BatchGetItem": 2, "names": 4, "UpdateItem": 1,
        "PutItem": 1,
    }  # fmt: skip
    assert costs == dict.fromkeys(cases, expected)


def test_all_people_of_a_request_are_looked_up_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    event = world.sanitised(plan_of(), ANN)
    work = Work(monkeypatch, world.dynamodb)
    asked = [token(event, subject=f"C-{number}") for number in range(50)]
    values(desk_of(world), *asked)
    # The second looks for the tombstones of older names, whoever has some.
    assert (work.done["BatchGetItem"], work.done["names"]) == (2, 200)
