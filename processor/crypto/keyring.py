"""Every key of a function, derived from one root per key version.

A key is HKDF-SHA256 (RFC 5869) over the root with the purpose and the domain as `info`: the keys of two
purposes, two domains or two versions tell nothing about each other, and none is stored anywhere.

Most functions take a person's `secret` (32 random bytes, from the subjects table): with it the output is that
person's own, and dies with the secret. Empty means the domain's key alone.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from processor.crypto.envelope import DataKey
from processor.crypto.ff1 import TextCipher, length_floor
from processor.crypto.pan import PanCipher
from processor.crypto.tokens import TokenCipher, person_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOMAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""A domain stands in clear in tokens, between dots."""

ROOT_BYTES_MIN = 32
TOKEN_KEY_BYTES = 64  # AES-SIV with two AES-256 keys
PSEUDONYM_KEY_BYTES = 32
DATA_KEY_BYTES = 32
FPE_KEY_BYTES = 32  # AES-256
HASH_KEY_BYTES = 32
SHIFT_KEY_BYTES = 32
SECRET_BYTES = 32
WRAPPING = "data_key"
PSEUDONYM_BYTES = 16  # of the HMAC's 32: no two of 2^40 people collide but with a chance of 2^-49


class OneWay(Protocol):
    """From a value, and the secret of the person it is of, to what only the same two give again."""

    def __call__(self, plaintext: bytes, secret: bytes = b"") -> str:
        """The name of the plaintext."""


class KeyRing:
    """The keys of every version: the newest makes tokens, all of them open.

    Args:
        roots: key version (from 1) to at least 32 bytes of secret root material; `kms:GenerateMac` with
            HMAC_512 gives 64.

    Raises:
        ValueError: a programmer's error: no root, a version below 1, a root too short.
    """

    __slots__ = ("_roots",)

    def __init__(self, roots: Mapping[int, bytes]) -> None:
        if not roots:
            raise ValueError("a key ring needs at least one root")
        if min(roots) < 1:
            raise ValueError("key versions count from 1")
        if any(len(root) < ROOT_BYTES_MIN for root in roots.values()):
            raise ValueError(f"a root needs at least {ROOT_BYTES_MIN} bytes")
        self._roots = dict(roots)

    def __repr__(self) -> str:
        return "KeyRing(…)"  # never the bytes

    def __reduce__(self) -> str:
        raise TypeError("a key ring is not for pickling")

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions on the ring, newest first."""
        return tuple(sorted(self._roots, reverse=True))

    @property
    def previous(self) -> KeyRing | None:
        """The ring as it was before the newest version; None if there was none."""
        before = {version: self._roots[version] for version in self.versions[1:]}
        return KeyRing(before) if before else None

    def tokens(self, domain: str, data_class: str = "") -> TokenCipher:
        """The cipher of one domain and class of field: fields that share both get tokens that join."""
        keys = {version: self._key("token", domain, version, TOKEN_KEY_BYTES) for version in self._roots}
        return TokenCipher(domain, keys, data_class)

    def pseudonyms(self, domain: str, *, version: int | None = None) -> OneWay:
        """The function from a value and a secret to its keyed one-way name in one domain.

        The name is `psn.<domain>.<version>.<22 characters>`, under the newest key unless another is said.
        """
        version = self._held(version)
        key = self._key("pseudonym", domain, version, PSEUDONYM_KEY_BYTES)
        prefix = f"psn.{domain}.{version}."
        digest = hmac.digest

        def pseudonym(plaintext: bytes, secret: bytes = b"") -> str:
            mac = digest(person_key(key, secret) if secret else key, plaintext, "sha256")[:PSEUDONYM_BYTES]
            # Without the padding: 16 bytes always end in two signs of it.
            return prefix + urlsafe_b64encode(mac)[:-2].decode()

        return pseudonym

    def names(self, domain: str) -> Callable[[bytes], tuple[str, ...]]:
        """The function from a value to its pseudonyms under every version, newest first.

        A person is kept under these: a rotation must not make somebody a stranger.
        """
        pseudonyms = [self.pseudonyms(domain, version=version) for version in self.versions]
        return lambda plaintext: tuple(pseudonym(plaintext) for pseudonym in pseudonyms)

    def stand_ins(self) -> Callable[[str], bytes]:
        """The function from a person's name to a secret, where there is no table: nobody is forgotten."""
        key = self._key("person", "stand_in", max(self._roots), SECRET_BYTES)
        return lambda name: hmac.digest(key, name.encode(), "sha256")

    def hashes(self, domain: str) -> OneWay:
        """The function from a value and a secret to its keyed hash in one domain, under the newest key.

        It is the whole HMAC-SHA256, 64 hex digits: a keyed cryptographic hash (PCI DSS 4.0, 3.5.1.1).
        """
        key = self._key("hash", domain, max(self._roots), HASH_KEY_BYTES)
        digest = hmac.digest

        def hashed(plaintext: bytes, secret: bytes = b"") -> str:
            return digest(person_key(key, secret) if secret else key, plaintext, "sha256").hex()

        return hashed

    def fpe(
        self, domain: str, alphabet: str, *, version: int | None = None, secret: bytes = b""
    ) -> TextCipher:
        """The format-preserving cipher of texts of one alphabet in one domain.

        It refuses texts too short for the standard's floor. Its output names no key: without `version` the
        newest, which is the one to encrypt with; to decrypt, say which it was.
        """
        key = self._key("fpe", domain, self._held(version), FPE_KEY_BYTES)
        key = person_key(key, secret) if secret else key
        tweak = f"{domain}:{alphabet}".encode()
        return TextCipher(key, alphabet, tweak, length_min=length_floor(len(alphabet)))

    def pans(
        self,
        domain: str,
        *,
        keep_first: int,
        keep_last: int,
        version: int | None = None,
        secret: bytes = b"",
    ) -> PanCipher:
        """The cipher of card numbers in one domain; `version` as for `fpe`."""
        key = self._key("pan", domain, self._held(version), FPE_KEY_BYTES)
        key = person_key(key, secret) if secret else key
        return PanCipher(key, domain, keep_first, keep_last)

    def offsets(self, domain: str, most: int) -> Callable[[bytes], int]:
        """The function from a person's secret to an offset, under the oldest key: `-most` to `most`, never 0.

        The oldest, so that a rotation moves nobody's dates apart before that key retires.

        All 2 · `most` are equally likely: what a remainder of 256 bits favours is beyond notice. One person
        has one offset wherever domain and `most` are the same, and unrelated ones elsewhere.
        """
        if most < 1:
            raise ValueError("an offset needs room: at least 1")
        key = self._key("shift", domain, min(self._roots), SHIFT_KEY_BYTES)
        prefix = b"%d:" % most
        digest = hmac.digest

        def offset(secret: bytes) -> int:
            drawn = int.from_bytes(digest(key, prefix + secret, "sha256")) % (2 * most)
            return drawn - most if drawn < most else drawn - most + 1

        return offset

    def data_key(self) -> DataKey:
        """A data key that the ring wraps, where there is no KMS: whoever has the ring opens its values."""
        key = self._key("data", WRAPPING, max(self._roots), DATA_KEY_BYTES)
        return DataKey(key, self._wrapping().seal(key).encode())

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key of what `data_key` wrapped.

        Raises:
            InvalidToken: this ring wrapped no such thing.
        """
        return self._wrapping().open(wrapped.decode("ascii", "replace"))

    def _wrapping(self) -> TokenCipher:
        """A cipher that no policy's domain leads to."""
        keys = {version: self._key("wrap", WRAPPING, version, TOKEN_KEY_BYTES) for version in self._roots}
        return TokenCipher(WRAPPING, keys)

    def _held(self, version: int | None) -> int:
        if version is None:
            return max(self._roots)
        if version not in self._roots:
            raise ValueError(f"the ring holds no key of version {version}")
        return version

    def _key(self, purpose: str, domain: str, version: int, length: int) -> bytes:
        if not DOMAIN.fullmatch(domain):
            raise ValueError("a domain is a letter, then up to 63 letters, digits, hyphens and underscores")
        info = f"tidegate/{purpose}/v1/{domain}".encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._roots[version])
