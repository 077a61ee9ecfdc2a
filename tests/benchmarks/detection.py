"""What looking for personal data costs, in µs per text, and how much is found, beside Presidio and datafog.

python -m tests.benchmarks.detection [--json]

The peers run on their own in `.build/bench` (requirements.bench.lock), started from here, in the same minutes
on the same texts. Presidio runs as fast as it can: a blank pipeline of tokens, pattern recognisers alone, its
own choice of telephone regions. How well it finds is measured with more: words as lemmas, so that its words
of context work, and the regions of the texts' locales. Of overlapping findings the surest and longest counts,
as its anonymizer resolves them.

Absolute times are this machine's and drift; compare columns. Texts are 180 to 220 characters long.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from processor.policy.detection import ENTITIES, finder
from tests.labelled.quality import Found, Tally, tallies
from tests.labelled.texts import LOCALES, SEED, Labelled, labelled_texts, sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".build" / "bench" / "bin" / "python"
HOW_TO = (
    "The peers are not installed. To compare: python -m venv .build/bench && "
    ".build/bench/bin/python -m pip install --require-hashes -r requirements.bench.lock"
)

SIX = ("card", "ssn", "email", "phone", "iban", "ip")
CHARACTERS = range(180, 221)
TIMED = 100  # texts of each kind
ROUNDS = 5
PEERS_S = 900  # of waiting for them
# Presidio's findings are told by how sure it is; 0 is its default, 0.4 is where its telephone numbers begin.
THRESHOLDS = (0.0, 0.4)

# Our names for what the peers find.
PRESIDIO = {
    "CREDIT_CARD": "card",
    "US_SSN": "ssn",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "URL": "url",
    "MAC_ADDRESS": "mac",
    "DATE_TIME": "date",
    "CRYPTO": "crypto_wallet",
    "US_ITIN": "us_itin",
    "ABA_ROUTING_NUMBER": "us_aba",
    "US_NPI": "us_npi",
    "US_MBI": "us_mbi",
    "US_PASSPORT": "us_passport",
    "US_DRIVER_LICENSE": "us_driver_license",
    "UK_NHS": "gb_nhs",
    "UK_NINO": "gb_nino",
    "UK_POSTCODE": "gb_postcode",
    "IN_AADHAAR": "in_aadhaar",
    "IN_PAN": "in_pan",
    "AU_ABN": "au_abn",
    "AU_ACN": "au_acn",
    "AU_TFN": "au_tfn",
    "AU_MEDICARE": "au_medicare",
    "ES_NIF": "es_nif",
    "ES_NIE": "es_nie",
    "IT_FISCAL_CODE": "it_fiscal_code",
    "PL_PESEL": "pl_pesel",
    "SG_NRIC_FIN": "sg_nric",
    "CA_SIN": "ca_sin",
    "UK_PASSPORT": "passport",
    "DE_PASSPORT": "passport",
    "ES_PASSPORT": "passport",
    "IT_PASSPORT": "passport",
    "IN_PASSPORT": "passport",
}
DATAFOG = {
    "CREDIT_CARD": "card",
    "SSN": "ssn",
    "EMAIL": "email",
    "PHONE": "phone",
    "DE_IBAN": "iban",
    "IP_ADDRESS": "ip",
    "DATE": "date",
}


def timed_texts(texts: Sequence[Labelled]) -> dict[str, list[str]]:
    """Texts of the usual length: with personal data, with what only looks so, and with neither."""
    fitting = [labelled for labelled in texts if len(labelled.text) in CHARACTERS]
    return {
        "personal": [text for _, text, labels in fitting if labels][:TIMED],
        "alike": [text for _, text, labels in fitting if not labels][:TIMED],
        "plain": plain_texts(Random(SEED)),
    }


def plain_texts(rng: Random) -> list[str]:
    """Sentences without a number or a name, in the locales' languages."""
    texts: list[str] = []
    while len(texts) < TIMED:
        pool = [line for line in sentences(rng.choice(tuple(LOCALES)))["plain"] if "{" not in line]
        text = " ".join(rng.choices(pool, k=8))[: CHARACTERS[-1]]
        if len(text) in CHARACTERS:
            texts.append(text)
    return texts


def us_per_text(find: Callable[[str], Any], texts: Sequence[str]) -> float:
    """The best of many warm rounds over all texts: what is above it is the machine's noise."""
    best = float("inf")
    for _ in range(ROUNDS * 10):
        start = time.perf_counter()
        for text in texts:
            find(text)
        best = min(best, time.perf_counter() - start)
    return best / len(texts) * 1e6


def peers(timed: Mapping[str, list[str]], texts: Sequence[Labelled]) -> dict[str, Any]:
    """What the peers' side answers (`detection_peers.py`); nothing if they are not there."""
    if not PEERS.exists():
        return {}
    asked = {
        "timed": timed,
        "labelled": [labelled.text for labelled in texts],
        "regions": sorted({locale[-2:] for locale in LOCALES}),
        "rounds": ROUNDS,
    }
    script = Path(__file__).with_name("detection_peers.py")
    ran = subprocess.run(
        [PEERS, script], input=json.dumps(asked), capture_output=True, text=True, timeout=PEERS_S, check=True
    )
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def named(spans: Sequence[Sequence[Any]], names: Mapping[str, str], least: float) -> list[Found]:
    """A peer's spans by our names, sure enough, without those that lie within one that is as sure."""
    sure = [span for span in spans if span[3] >= least]
    return [
        Found(names[entity], start, end)
        for entity, start, end, score in dict.fromkeys(map(tuple, sure))
        if entity in names and not _is_covered(sure, entity, start, end, score)
    ]


def _is_covered(spans: Sequence[Sequence[Any]], entity: str, start: int, end: int, score: float) -> bool:
    return any(
        first <= start
        and end <= last
        and ((surer > score) or (surer == score and last - first > end - start))
        for other, first, last, surer in spans
        if (other, first, last) != (entity, start, end)
    )


def measure() -> dict[str, Any]:
    """Times and quality of ours, and of the peers if they are there."""
    texts = labelled_texts()
    timed = timed_texts(texts)
    every = finder(tuple(ENTITIES))
    ours = {"six": finder(SIX), f"all {len(ENTITIES)}": every}
    before, answer, after = times_of(ours, timed), peers(timed, texts), times_of(ours, timed)
    # Measured on both sides of the peers, the better counts: so a slow minute is nobody's.
    us = {
        f"tidegate, {name}": {kind: min(before[name][kind], after[name][kind]) for kind in timed}
        for name in ours
    }
    quality = {
        "tidegate": tallies(texts, [[Found(*span[:3]) for span in every(text)] for _, text, _ in texts])
    }
    for peer, told in answer.items():
        us |= {f"{peer} {told['version']}, {name}": times for name, times in told["us"].items()}
        names, thresholds = (PRESIDIO, THRESHOLDS) if peer == "presidio" else (DATAFOG, (0.0,))
        for least in thresholds:
            spans = [named(one, names, least) for one in told["spans"]]
            quality[f"{peer} ≥ {least}" if len(thresholds) > 1 else peer] = tallies(texts, spans)
    shared = {"tidegate": set(ENTITIES), "presidio": set(PRESIDIO.values()), "datafog": set(DATAFOG.values())}
    return {
        "texts": len(texts),
        "us": us,
        "ratios": ratios(us),
        "quality": {
            tool: {name: figures(by_entity[name]) for name in sorted(shared[tool.split()[0]])}
            for tool, by_entity in quality.items()
        },
    }


def times_of(
    finds: Mapping[str, Callable[[str], Any]], timed: Mapping[str, list[str]]
) -> dict[str, dict[str, float]]:
    """µs per text: by what is looked for, by the kind of text."""
    return {
        name: {kind: us_per_text(find, texts) for kind, texts in timed.items()}
        for name, find in finds.items()
    }


def ratios(us: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """How many times as long a peer takes: for the six as we for the six, for more as we for everything."""
    six, every = (times for tool, times in us.items() if tool.startswith("tidegate"))
    return {
        tool: {kind: took / (six if tool.endswith("six") else every)[kind] for kind, took in times.items()}
        for tool, times in us.items()
        if not tool.startswith("tidegate")
    }


def figures(tally: Tally) -> dict[str, float]:
    """Of one entity, what a table shows."""
    return {
        "labels": tally.found + len(tally.missed),
        "recall": round(tally.recall, 4),
        "precision": round(tally.precision, 4),
    }


def main() -> None:
    """Measure and print."""
    results = measure()
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    console = Console()
    console.print(_times(results), _quality(results))
    if not PEERS.exists():
        console.print(HOW_TO)


def _times(results: Mapping[str, Any]) -> Table:
    table = Table(title="µs per text of about 200 characters (times longer than ours)")
    us, ratios_of = results["us"], results["ratios"]
    kinds = tuple(next(iter(us.values())))
    table.add_column("")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for tool, times in us.items():
        longer = {kind: f"  {ratio:.1f}x" for kind, ratio in ratios_of.get(tool, {}).items()}
        table.add_row(tool, *(f"{times[kind]:,.1f}{longer.get(kind, '')}" for kind in kinds))
    return table


def _quality(results: Mapping[str, Any]) -> Table:
    table = Table(title=f"recall / precision on {results['texts']:,} labelled texts")
    table.add_column("entity")
    table.add_column("labels", justify="right")
    for tool in results["quality"]:
        table.add_column(tool, justify="right")
    ours = results["quality"]["tidegate"]
    for entity in sorted(ours):
        cells = [
            f"{row['recall']:.2f} / {row['precision']:.2f}" if (row := by_entity.get(entity)) else ""
            for by_entity in results["quality"].values()
        ]
        table.add_row(entity, f"{ours[entity]['labels']:,}", *cells)
    return table


if __name__ == "__main__":
    main()
