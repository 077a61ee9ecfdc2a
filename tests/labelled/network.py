"""Values of machines: addresses of mail, hosts and pages, and the secrets that programs sign in with."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from ipaddress import IPv6Address
from json import dumps
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, hexdigits
from typing import TYPE_CHECKING
from zlib import crc32

from tests.labelled.forms import weighed

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_FIRST = (
    "anna",
    "maria",
    "john",
    "wei",
    "luca",
    "sofia",
    "tom",
    "priya",
    "hans",
    "chloe",
    "marek",
    "yuki",
    "pedro",
    "emma",
)
_LAST = (
    "smith",
    "rossi",
    "mueller",
    "garcia",
    "kowalski",
    "silva",
    "martin",
    "sharma",
    "tanaka",
    "li",
    "obrien",
    "costa",
)
_HOSTS = (
    "gmail.com",
    "outlook.com",
    "yahoo.co.uk",
    "web.de",
    "orange.fr",
    "example.com",
    "mail.example.org",
    "uol.com.br",
    "o2.pl",
    "libero.it",
    "acme-corp.co",
    "company.io",
    "cs.university.edu",
    "example.museum",
)
_SITES = (
    "example.com",
    "shop.example.org",
    "my-bank.co.uk",
    "portal.example.de",
    "cdn.example.io",
    "example.com.br",
)
_PATHS = (
    "",
    "/",
    "/login",
    "/orders/12345",
    "/a/b/c.html",
    "/search?q=refund&page=2",
    "/item#reviews",
    "/~anna/cv.pdf",
    "/reset?token=9f8e7d&lang=en",
    "/wiki/Refund_(finance)",
)
_ALNUM = ascii_letters + digits


def _signs(rng: Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def email(rng: Random, locale: str) -> str:  # noqa: ARG001  addresses have no country
    """An address of mail (RFC 5321)."""
    first, last, host = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(_HOSTS)
    locals_ = (
        f"{first}.{last}",
        f"{first}{rng.randint(1, 99)}",
        f"{first[0]}{last}",
        f"{first}_{last}",
        f"{first}-{last}",
        f"{first}+{rng.choice(('shop', 'news', 'bank'))}",
        f"{last}.{first}{rng.randint(1950, 2008)}",
        first,
    )
    written = f"{rng.choice(locals_)}@{host}"
    return rng.choice((written.upper(), written.title())) if rng.random() < 0.08 else written


def ip4(rng: Random, locale: str) -> str:  # noqa: ARG001
    """An address of version 4."""
    kind = weighed(rng, {"private": 4, "public": 6})
    if kind == "private":
        return rng.choice((f"10.{rng.randint(0, 255)}", "192.168", f"172.{rng.randint(16, 31)}")) + (
            f".{rng.randint(0, 255)}.{rng.randint(1, 254)}"
        )
    return ".".join(str(rng.randint(1, 223 if at == 0 else 254)) for at in range(4))


def ip(rng: Random, locale: str) -> str:
    """An address of version 4 or 6 (RFC 4291, 5952)."""
    if rng.random() < 0.65:
        return ip4(rng, locale)
    groups = [0x2001 if rng.random() < 0.5 else 0x2A02, *(rng.getrandbits(16) for _ in range(7))]
    zeros = rng.choice((0, 0, 2, 3, 4))
    groups[4 : 4 + zeros] = [0] * zeros
    address = IPv6Address(b"".join(group.to_bytes(2, "big") for group in groups))
    written = rng.choice((address.compressed, address.compressed, address.exploded))
    return written.upper() if rng.random() < 0.15 else written


def url(rng: Random, locale: str) -> str:  # noqa: ARG001
    """An address of a page (RFC 3986), now and then as people shorten it."""
    scheme = weighed(
        rng, {"https://": 60, "http://": 15, "www.": 10, "https://www.": 10, "HTTPS://": 2, "ftp://": 1}
    )
    port = ":8443" if scheme.startswith("https") and rng.random() < 0.06 else ""
    return f"{scheme}{rng.choice(_SITES)}{port}{rng.choice(_PATHS)}"


def mac(rng: Random, locale: str) -> str:  # noqa: ARG001
    """An EUI-48 (IEEE 802) with colons, hyphens or Cisco's dots."""
    plain = rng.randbytes(6).hex()
    form = weighed(rng, {":": 5, "-": 3, ".": 2})
    size = 4 if form == "." else 2
    written = form.join(plain[at : at + size] for at in range(0, 12, size))
    return written.upper() if rng.random() < 0.5 else written


def api_key(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A key in the form that its issuer documents; put together here, so that no file holds one."""
    return rng.choice(tuple(_KEYS.values()))(rng)


def _crc_62(body: str) -> str:
    """The check that GitHub and npm put at the end of a token: its CRC-32 in base 62."""
    number, text = crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        text = (digits + ascii_uppercase + ascii_lowercase)[digit] + text
    return text.rjust(6, "0")


def jwt(rng: Random) -> str:
    """A JSON web token (RFC 7519): two objects and a signature."""
    parts = (
        {"alg": "HS256", "typ": "JWT"},
        {"sub": _signs(rng, digits, 10), "iat": 1760000000 + rng.randint(0, 10**6)},
    )
    texts = [dumps(part, separators=(",", ":")).encode() for part in parts]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*texts, rng.randbytes(32)))


def _checked(rng: Random) -> str:
    body = _signs(rng, _ALNUM, 30)
    return body + _crc_62(body)


_KEYS: dict[str, Callable[[Random], str]] = {
    "AWS": lambda rng: rng.choice(("AKIA", "ASIA")) + _signs(rng, ascii_uppercase + "234567", 16),
    "GitHub": lambda rng: f"{rng.choice(('ghp', 'gho', 'ghs'))}_{_checked(rng)}",
    "Stripe": lambda rng: rng.choice(("sk_live_", "rk_live_", "sk_test_")) + _signs(rng, _ALNUM, 24),
    "Slack": lambda rng: (
        f"xoxb-{_signs(rng, digits, 12)}-{_signs(rng, digits, 12)}-{_signs(rng, _ALNUM, 24)}"
    ),
    "Google": lambda rng: "AIza" + _signs(rng, _ALNUM + "-_", 35),
    "OpenAI": lambda rng: rng.choice(("sk-proj-", "sk-")) + _signs(rng, _ALNUM, 48),
    "npm": lambda rng: f"npm_{_checked(rng)}",
    "GitLab": lambda rng: "glpat-" + _signs(rng, _ALNUM + "-_", 20),
    "JWT": jwt,
}


def private_key(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A block of PEM (RFC 7468) around random octets."""
    kind = rng.choice(("RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "))
    body = b64encode(rng.randbytes(rng.randint(90, 300))).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def sha(rng: Random) -> str:
    """A digest or a commit, as logs name them."""
    return _signs(rng, hexdigits[:16], rng.choice((7, 12, 32, 40, 64)))
