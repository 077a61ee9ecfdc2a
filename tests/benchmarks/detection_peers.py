"""The peers' side of the benchmark of detection, for their own interpreter: nothing of the project is there.

Reads from stdin {"timed": {name: texts}, "labelled": texts, "regions": [], "rounds": 5}; answers on stdout,
by peer, its version, µs per text and the spans that it finds in the labelled texts.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import spacy
import tldextract
from datafog.engine import scan
from presidio_analyzer import AnalyzerEngine, predefined_recognizers
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.recognizer_registry import RecognizerRegistry
from spacy.language import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Spans = list[tuple[str, int, int, float]]

SIX = ("CreditCard", "UsSsn", "Email", "Phone", "Iban", "Ip")
# What Presidio's own configuration has on for English, less the model of names.
DEFAULT = (
    *("UsBank", "UsLicense", "UsItin", "UsPassport", "Nhs", "Crypto", "Date", "MedicalLicense", "MacAddress"),
    *("Uuid", "Url"),
)
# Those that are off, or meant for other languages, and recognise what we do too.
COUNTERPARTS = (
    *(
        "UsMbi",
        "UsNpi",
        "AbaRouting",
        "UkNino",
        "UkPostcode",
        "UkPassport",
        "InAadhaar",
        "InPan",
        "InPassport",
    ),
    *("AuAbn", "AuAcn", "AuTfn", "AuMedicare", "EsNif", "EsNie", "EsPassport", "ItFiscalCode", "ItPassport"),
    *("DePassport", "PlPesel", "SgFin", "CaSin"),
)


@Language.component("words_as_lemmas")
def words_as_lemmas(doc: Any) -> Any:
    """Give each word as its own lemma: a blank pipeline has none, and Presidio's context words need them."""
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class BlankEngine(SpacyNlpEngine):  # type: ignore[misc]  # untyped here
    """Tokens alone: no model to load, no names to find. The fastest that Presidio can be."""

    def __init__(self, *, lemmas: bool) -> None:
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}
        if lemmas:
            self.nlp["en"].add_pipe("words_as_lemmas")


def presidio(names: Sequence[str], *, regions: Sequence[str], lemmas: bool) -> Callable[[str], Spans]:
    """Presidio with these recognisers, all made to listen to English."""
    registry = RecognizerRegistry(supported_languages=["en"])
    for name in names:
        kind = getattr(predefined_recognizers, f"{name}Recognizer")
        options = {"supported_regions": regions} if name == "Phone" and regions else {}
        registry.add_recognizer(kind(supported_language="en", **options))
    engine = AnalyzerEngine(
        registry=registry, nlp_engine=BlankEngine(lemmas=lemmas), supported_languages=["en"]
    )
    return lambda text: [
        (one.entity_type, one.start, one.end, one.score) for one in engine.analyze(text, language="en")
    ]


def datafog(*, locales: Sequence[str] | None) -> Callable[[str], Spans]:
    """Datafog's regular expressions."""
    options = {"engine": "regex", "locales": list(locales) if locales else None}
    return lambda text: [
        (one.type, one.start, one.end, one.confidence) for one in scan(text, **options).entities
    ]


def us_per_text(find: Callable[[str], Spans], texts: Sequence[str], rounds: int) -> float:
    """The best of several warm rounds over all texts."""
    best = float("inf")
    for _ in range(rounds + 1):
        start = time.perf_counter()
        for text in texts:
            find(text)
        best = min(best, time.perf_counter() - start)
    return best / len(texts) * 1e6


def main() -> None:
    """Measure what stdin asks for."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    # The list of public suffixes that comes with it: no request to the network, for which it would wait.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    asked = json.load(sys.stdin)
    kinds = {"six": SIX, "default": SIX + DEFAULT, "all": SIX + DEFAULT + COUNTERPARTS}

    def times(find: Callable[[str], Spans]) -> dict[str, float]:
        return {name: us_per_text(find, texts, asked["rounds"]) for name, texts in asked["timed"].items()}

    judge = presidio(kinds["all"], regions=asked["regions"], lemmas=True)
    fog = datafog(locales=["de"])
    answer = {
        "presidio": {
            "version": version("presidio-analyzer"),
            "us": {kind: times(presidio(names, regions=(), lemmas=False)) for kind, names in kinds.items()},
            "spans": [judge(text) for text in asked["labelled"]],
        },
        "datafog": {
            "version": version("datafog"),
            "us": {"default": times(datafog(locales=None))},
            "spans": [fog(text) for text in asked["labelled"]],
        },
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
