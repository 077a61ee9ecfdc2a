"""Who hears the alerts: they say what is stored, of what is flagged there, each under one name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.sinks import POINTER
from tests.simulation.aws_others import BYTES_MAX, DEDUPLICATED

if TYPE_CHECKING:
    from tests.simulation.records import Name, Told
    from tests.simulation.witness import Witness

ATTRIBUTES_BYTES: Final = 2_000  # more than those of an alert here


class Subscriber:
    """Subscribed to the topic of one world."""

    def __init__(self, witness: Witness, *, fifo: bool) -> None:
        self._witness, self._fifo = witness, fifo
        self._heard: set[Name] = set()

    def hears(self, entry: dict[str, Any]) -> None:
        """A message is out.

        Raises:
            Violation: it says what is not stored.
        """
        self._witness.texts.append(json.dumps(entry))
        said = json.loads(entry["Message"])
        name = said["event_id"], said["sequence"]
        there = self._witness.where.get(name)
        if not there:
            self._wrong(f"{name} is alerted and not stored")
        text = self._witness.stored[name]
        line = json.loads(text, parse_float=Decimal)
        if not (line["fraud"] and line["fraud"]["flagged"]):
            self._wrong(f"{name} is alerted and not flagged where it is stored")
        if said["schema"] == POINTER:
            self._is_pointer(said, there[0], line, text)
        elif entry["Message"] != text:
            self._wrong(f"{name} is stored as {text} and alerted as {entry['Message']}")
        attributes = {key: value["StringValue"] for key, value in entry["MessageAttributes"].items()}
        if (Decimal(attributes["score"]), attributes["flagged"]) != (line["fraud"]["score"], "true"):
            self._wrong(f"{name} has attributes that are not its own: {attributes}")
        if self._fifo and entry[DEDUPLICATED] != line["event_id"]:
            self._wrong(f"{name} is deduplicated as {entry[DEDUPLICATED]}")
        self._heard.add(name)

    def must_know(self, one: Told) -> None:
        """Of two records with one event id, a FIFO topic passes one alert on.

        Raises:
            Violation: it is flagged, and nobody was told.
        """
        fraud = self._witness.lines[one.name]["fraud"]
        if not (fraud and fraud["flagged"]) or one.name in self._heard or (self._fifo and one.is_twin):
            return
        self._witness.violation(
            "no alert", f"record {one.index} is flagged and acknowledged, and nobody was told"
        )

    def _is_pointer(self, said: dict[str, Any], key: str, line: dict[str, Any], text: str) -> None:
        right = {
            "schema": POINTER,
            "event_id": line["event_id"],
            "sequence": line["sequence"],
            "score": float(line["fraud"]["score"]),
            "bucket": "events",
            "key": key,
        }
        if said != right:
            self._wrong(f"{said} does not point at {right}")
        if len(text) + ATTRIBUTES_BYTES < BYTES_MAX:
            self._wrong(f"{key} is pointed at, and its event would have fitted")

    def _wrong(self, what: str) -> None:
        self._witness.violation("alert", what)
