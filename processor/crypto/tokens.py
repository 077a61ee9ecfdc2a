"""Tokens: AES-SIV (RFC 5297), deterministic and authenticated: equal values join, forged ones never open.

A token of a person is made under that person's secret besides: with the secret gone nobody opens it, and
nobody can tell that another token is of the same value.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = b"tidegate.token/2"
TOKEN_CHARACTERS_MAX = 1_000_000  # a DynamoDB item holds 400 KB: its longest value makes 550,000
PARTS = 4


PERSON = b"tidegate/person/v1"


def person_key(key: bytes, secret: bytes) -> bytes:
    """One person's own key, as long as `key`: HKDF-SHA256 (RFC 5869) with the secret as its salt.

    Whoever lacks the key or the secret cannot have it: to one without the secret it is the output of an HMAC
    under an unknown key, to one without the key an extract of unknown bytes.
    """
    return HKDF(algorithm=SHA256(), length=len(key), salt=secret, info=PERSON).derive(key)


class InvalidToken(TidegateError):  # noqa: N818  the name is the contract's
    """Not a token of this domain, altered, or of a key version not on the ring. Says no more, on purpose."""

    def __init__(self) -> None:
        super().__init__("this is not a token that these keys can open")


class TokenCipher:
    """Seals values of one domain into tokens `tok.<domain>.<version>.<base64url>` and opens them.

    Domain, class of field, key version and whether it is a person's are associated data: a token moved to
    another domain or class, relabelled, or said to be a person's when it is not, does not open.
    """

    __slots__ = ("_class", "_keys", "_newest", "_of_domain", "_of_person", "_prefix", "_shared", "domain")

    def __init__(self, domain: str, keys: Mapping[int, bytes], data_class: str = "") -> None:
        """`keys`: key version to 64 bytes. The newest seals. `data_class`: the class of the field."""
        self.domain = domain
        self._class = data_class.encode()
        self._keys = {str(version): key for version, key in keys.items()}
        self._shared = {version: AESSIV(key) for version, key in self._keys.items()}
        self._newest = newest = str(max(keys))
        self._prefix = f"tok.{domain}.{newest}."
        self._of_domain, self._of_person = self._associated(newest, b""), self._associated(newest, b"secret")

    def __repr__(self) -> str:
        return f"TokenCipher({self.domain!r})"

    def seal(self, plaintext: bytes, secret: bytes = b"") -> str:
        """The token of a non-empty plaintext, of the person whose secret it is: always the same one."""
        associated = self._of_person if secret else self._of_domain
        sealed = self._cipher(self._newest, secret).encrypt(plaintext, associated)
        return self._prefix + urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: str, secret: bytes = b"") -> bytes:
        """The plaintext of a token made under any version on the ring, with the same secret.

        Raises:
            InvalidToken: for anything else, in constant words.
        """
        parts = token.split(".") if len(token) <= TOKEN_CHARACTERS_MAX else []
        if len(parts) != PARTS or parts[0] != "tok" or parts[1] != self.domain or parts[2] not in self._keys:
            raise InvalidToken
        version = parts[2]
        try:
            sealed = urlsafe_b64decode(parts[3] + "=" * (-len(parts[3]) % 4))
            # Decoders are lenient (stray characters, loose last bits); one plaintext has one token only.
            if urlsafe_b64encode(sealed).rstrip(b"=").decode() != parts[3]:
                raise InvalidToken
            return self._cipher(version, secret).decrypt(sealed, self._associated(version, secret))
        except (ValueError, InvalidTag):
            raise InvalidToken from None

    def _cipher(self, version: str, secret: bytes) -> AESSIV:
        return AESSIV(person_key(self._keys[version], secret)) if secret else self._shared[version]

    def _associated(self, version: str, secret: bytes) -> list[bytes]:
        scope = b"subject" if secret else b"domain"
        return [FORMAT, self.domain.encode(), self._class, version.encode(), scope]
