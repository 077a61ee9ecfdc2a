from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from processor.errors import Transient
from processor.receipts import Signer, canonical, is_authentic
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

RECEIPT = {
    "schema": "tidegate.receipt/1",
    "subjects": ["psn.customer.1.x"],
    "reason": "Fall für Zoë",
    "again": False,
}


@pytest.fixture(scope="module")
def kms() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture(scope="module")
def arn(kms: Any) -> str:
    return str(kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"])


def test_anybody_with_the_public_key_can_check_a_receipt(kms: Any, arn: str) -> None:
    signed = Signer(kms, arn).signed(RECEIPT)
    assert {name: part for name, part in signed.items() if name != "signature"} == RECEIPT
    assert signed["signature"]["algorithm"] == "ECDSA_SHA_256"
    assert signed["signature"]["key"] == arn
    public = kms.get_public_key(KeyId=arn)["PublicKey"]
    assert is_authentic(signed, public)
    assert is_authentic(dict(reversed(signed.items())), public)
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    assert not is_authentic(signed, kms.get_public_key(KeyId=other)["PublicKey"])


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "Fall fur Zoë"},
        {"again": 0},
        {"more": None},
        {"signature": None},
        {"signature": {}},
        {"signature": {"algorithm": "ECDSA_SHA_256", "value": "AAAA"}},
        {"signature": {"algorithm": "ECDSA_SHA_256", "value": "…"}},
    ],
)
def test_a_changed_receipt_is_none(kms: Any, arn: str, change: dict[str, Any]) -> None:
    signed = Signer(kms, arn).signed(RECEIPT)
    assert not is_authentic(signed | change, kms.get_public_key(KeyId=arn)["PublicKey"])


def test_a_receipt_of_any_length_is_signed() -> None:
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    class Kms:
        def sign(self, *, Message: bytes, MessageType: str, **_call: Any) -> dict[str, bytes]:  # noqa: N803
            """As KMS does; moto takes a digest for a message."""
            assert len(Message) <= 4096
            hashed = Prehashed(SHA256()) if MessageType == "DIGEST" else SHA256()
            return {"Signature": key.sign(Message, ECDSA(hashed))}

    for names in (1, 60, 70, 1000):
        assert is_authentic(Signer(Kms(), "arn").signed({**RECEIPT, "names": ["p" * 60] * names}), public)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abé", max_size=2), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.text("abé", max_size=2), JSON), st.randoms())
def test_the_canonical_form_is_one(document: dict[str, Any], random: Any) -> None:
    shuffled = list(document.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(document)


def test_the_canonical_form_is_what_is_documented() -> None:
    assert (
        canonical({"b": [1, "ü"], "a": {"d": None, "c": True}})
        == '{"a":{"c":true,"d":null},"b":[1,"ü"]}'.encode()
    )


def test_what_has_no_canonical_form_is_named_without_it() -> None:
    deep: Any = "secret"
    for _ in range(200_000):
        deep = [deep]
    for odd in (float("inf"), "secret\ud800", deep):
        with pytest.raises(ValueError, match=r"^not a document of JSON in UTF-8$") as caught:
            canonical({"a": odd})
        assert caught.value.__suppress_context__


def test_a_pen_without_ink_is_for_later() -> None:
    class Denied:
        def sign(self, **_call: Any) -> None:
            raise refusal("AccessDeniedException", "Sign")

    with pytest.raises(Transient, match=r"kms:Sign of a receipt: AccessDeniedException"):
        Signer(Denied(), "arn").signed(RECEIPT)
