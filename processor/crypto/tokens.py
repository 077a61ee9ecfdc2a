"""Tokens: AES-SIV (RFC 5297), deterministic and authenticated: equal values join, forged ones never open."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = b"tidegate.token/1"
TOKEN_CHARACTERS_MAX = 1_000_000  # a DynamoDB item holds 400 KB: its longest value makes 550,000
PARTS = 4


class InvalidToken(TidegateError):  # noqa: N818  the name is the contract's
    """Not a token of this domain, altered, or of a key version not on the ring. Says no more, on purpose."""

    def __init__(self) -> None:
        super().__init__("this is not a token that these keys can open")


class TokenCipher:
    """Seals values of one domain into tokens `tok.<domain>.<version>.<base64url>` and opens them.

    The domain and the key version are associated data, so a token moved to another domain or relabelled does
    not open.
    """

    __slots__ = ("_ciphers", "_context", "_newest", "_prefix", "domain")

    def __init__(self, domain: str, keys: Mapping[int, bytes]) -> None:
        """`keys`: key version to 64 bytes. The newest seals."""
        newest = max(keys)
        self.domain = domain
        self._ciphers = {str(version): AESSIV(key) for version, key in keys.items()}
        self._newest = self._ciphers[str(newest)]
        self._context = self._associated(str(newest))
        self._prefix = f"tok.{domain}.{newest}."

    def __repr__(self) -> str:
        return f"TokenCipher({self.domain!r})"

    def seal(self, plaintext: bytes) -> str:
        """The token of a non-empty plaintext: always the same one under the same key."""
        sealed = urlsafe_b64encode(self._newest.encrypt(plaintext, self._context))
        return self._prefix + sealed.rstrip(b"=").decode()

    def open(self, token: str) -> bytes:
        """The plaintext of a token made under any version on the ring.

        Raises:
            InvalidToken: for anything else, in constant words.
        """
        parts = token.split(".") if len(token) <= TOKEN_CHARACTERS_MAX else []
        if (
            len(parts) != PARTS
            or parts[0] != "tok"
            or parts[1] != self.domain
            or parts[2] not in self._ciphers
        ):
            raise InvalidToken
        try:
            sealed = urlsafe_b64decode(parts[3] + "=" * (-len(parts[3]) % 4))
            # Decoders are lenient (stray characters, loose last bits); one plaintext has one token only.
            if urlsafe_b64encode(sealed).rstrip(b"=").decode() != parts[3]:
                raise InvalidToken
            return self._ciphers[parts[2]].decrypt(sealed, self._associated(parts[2]))
        except (ValueError, InvalidTag):
            raise InvalidToken from None

    def _associated(self, version: str) -> list[bytes]:
        return [FORMAT, self.domain.encode(), version.encode()]
