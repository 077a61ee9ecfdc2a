"""The browser, its major version and the system that a User-Agent header names (RFC 9110, 10.1.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.policy.actions.action import Transform
    from processor.policy.notes import Record

USER_AGENT_CHARACTERS_MAX: Final = 1_000

# The first that is there counts: nearly all claim to be Safari, and most Chrome, beside what they are.
# Only names of this table leave: an application's own could be a person's.
PRODUCTS: Final = {
    "Edge": r"Edg(?:e|A|iOS)?/",
    "Opera": r"(?:OPR|OPiOS|OPT|Opera)/",
    "Samsung Internet": r"SamsungBrowser/",
    "Vivaldi": r"Vivaldi/",
    "Yandex": r"YaBrowser/",
    "UC Browser": r"UCBrowser/",
    "DuckDuckGo": r"(?:DuckDuckGo|Ddg)/",
    "Firefox": r"(?:Firefox|FxiOS)/",
    "Googlebot": r"Googlebot/",
    "Bingbot": r"bingbot/",
    "Chrome": r"(?:Chrome|CriOS|Chromium|HeadlessChrome)/",
    "Safari": r"Version/(?=\S+(?: Mobile/\S+)? Safari/)",
    "Internet Explorer": r"(?:MSIE |Trident/.{0,100}?rv:)",
    "curl": r"curl/",
    "Wget": r"Wget/",
    "okhttp": r"okhttp/",
    "python-requests": r"python-requests/",
    "Go-http-client": r"Go-http-client/",
    "Postman": r"PostmanRuntime/",
    "Java": r"Java/",
    "Dalvik": r"Dalvik/",
    "CFNetwork": r"CFNetwork/",
}
# Android says Linux too, and an iPhone Mac OS X.
SYSTEMS: Final = {
    "Android": r"Android",
    "iOS": r"iPhone|iPad|iPod",
    "Windows": r"Windows",
    "ChromeOS": r"CrOS",
    "macOS": r"Macintosh|Mac OS X",
    "Linux": r"Linux|X11",
}


def user_agent() -> Transform:
    """The transform to `Firefox/121 Windows`; the system stays out where none is named."""
    products = [(name, re.compile(rf"\b{form}([0-9]{{1,4}})\b").search) for name, form in PRODUCTS.items()]
    systems = [(name, re.compile(rf"\b(?:{form})\b").search) for name, form in SYSTEMS.items()]

    def apply(value: Any, _record: Record) -> Any:
        if type(value) is not str or len(value) > USER_AGENT_CHARACTERS_MAX:
            raise Mismatch
        for name, search in products:
            if found := search(value):
                product = f"{name}/{found[1]}"
                break
        else:
            raise Mismatch
        system = next((name for name, search in systems if search(value)), None)
        return f"{product} {system}" if system else product

    return apply
