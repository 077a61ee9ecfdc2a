"""The browser, its major version and the system that a User-Agent header names (RFC 9110, 10.1.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.policy.actions.action import Transform
    from processor.policy.notes import Record

USER_AGENT_CHARACTERS_MAX: Final = 1_000

# By the header's own word. The first that is there counts: nearly all claim to be Safari, and most Chrome,
# beside what they are. Only names of this table leave: an application's own could be a person's.
PRODUCTS: Final = {
    "Edg": "Edge",
    "EdgA": "Edge",
    "EdgiOS": "Edge",
    "Edge": "Edge",
    "OPR": "Opera",
    "OPiOS": "Opera",
    "OPT": "Opera",
    "Opera": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Vivaldi": "Vivaldi",
    "YaBrowser": "Yandex",
    "UCBrowser": "UC Browser",
    "DuckDuckGo": "DuckDuckGo",
    "Ddg": "DuckDuckGo",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Googlebot": "Googlebot",
    "bingbot": "Bingbot",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Chromium": "Chrome",
    "HeadlessChrome": "Chrome",
    "MSIE": "Internet Explorer",
    "rv": "Internet Explorer",
    "curl": "curl",
    "Wget": "Wget",
    "okhttp": "okhttp",
    "python-requests": "python-requests",
    "Go-http-client": "Go-http-client",
    "PostmanRuntime": "Postman",
    "Java": "Java",
    "Dalvik": "Dalvik",
    "CFNetwork": "CFNetwork",
    # What Safari puts after its name is the version of its engine.
    "Version": "Safari",
}
# Android says Linux too, and an iPhone Mac OS X.
SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iOS",
    "iPod": "iOS",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Macintosh": "macOS",
    "Linux": "Linux",
    "X11": "Linux",
}

_PRODUCT: Final = re.compile(r"\b([A-Za-z][A-Za-z-]*)/([0-9]{1,4})(?![0-9])")
_EXPLORER: Final = re.compile(r"\b(MSIE |rv:)([0-9]{1,2})\b")


def user_agent() -> Transform:
    """The transform to `Firefox/121 Windows`; the system stays out where none is named."""

    def apply(value: Any, _record: Record) -> Any:
        if type(value) is not str or len(value) > USER_AGENT_CHARACTERS_MAX:
            raise Mismatch
        versions = dict(_PRODUCT.findall(value))
        if "MSIE " in value or "Trident" in versions:
            # The one that does not write its version with a slash.
            versions |= {word.strip(" :"): version for word, version in _EXPLORER.findall(value)}
        product = next((word for word in PRODUCTS if word in versions), None)
        if product is None:
            raise Mismatch
        named = f"{PRODUCTS[product]}/{versions[product]}"
        system = next((word for word in SYSTEMS if word in value), None)
        return f"{named} {SYSTEMS[system]}" if system else named

    return apply
