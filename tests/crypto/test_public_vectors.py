"""Every case of the public vectors, in full: NIST's for FF1, Wycheproof's for what keys and tokens rest on.

Set VECTORS_DIR to a folder with the files named below, as NIST's ACVP server and C2SP's Wycheproof publish
them, compressed by gzip (ACVP's two files with ACVP-AES-FF1- before their names).

What Wycheproof calls invalid has to be refused.
"""

import gzip
import hmac
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from processor.crypto.ff1 import FF1, TextCipher

FOLDER = os.environ.get("VECTORS_DIR", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="VECTORS_DIR is unset: the public vectors were not run")

Case = dict[str, Any]
Counted = Callable[[str, list[Case]], list[Case]]

FF1_REFUSALS = {
    "InvalidKeySize": r"16, 24 or 32 bytes",
    "InvalidMessageSize": r"too short to encrypt|FF1 takes 2 to",
    "InvalidPlaintext": r"outside the alphabet|not of the radix",
}
GCM_NONCE_BYTES = range(8, 129)  # the library refuses others, as Wycheproof lets it; ours have twelve


def document(name: str) -> Any:
    return json.loads(gzip.decompress((Path(FOLDER) / f"{name}.json.gz").read_bytes()))


def cases_of(whole: Any) -> list[Case]:
    """Every case, with what its group says of it."""
    return [group | case for group in whole["testGroups"] for case in group["tests"]]


def wycheproof(name: str) -> list[Case]:
    """Every case; the file's own count shows that none is left out."""
    whole = document(name)
    cases = cases_of(whole)
    assert len(cases) == whole["numberOfTests"]
    assert {case["result"] for case in cases} == {"valid", "invalid"}  # "acceptable" would need a decision
    return cases


def unhexed(case: Case, *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def ff1_text(case: Case) -> tuple[str, str]:
    key, tweak = unhexed(case, "key", "tweak")
    cipher = TextCipher(key, case["alphabet"], tweak)
    return cipher.encrypt(case["msg"]), cipher.decrypt(case["ct"])


def ff1_list(case: Case) -> tuple[list[int], list[int]]:
    key, tweak = unhexed(case, "key", "tweak")
    cipher = FF1(key, case["radix"])
    return cipher.encrypt(case["msg"], tweak), cipher.decrypt(case["ct"], tweak)


def test_ff1_by_nist(counted: Counted) -> None:
    asked = counted("FF1 (NIST ACVP)", cases_of(document("ACVP-AES-FF1-prompt")))
    answers = {case["tcId"]: case for case in cases_of(document("ACVP-AES-FF1-expectedResults"))}
    assert {case["tcId"] for case in asked} == set(answers)
    for case in asked:
        key, tweak = unhexed(case, "key", "tweak")
        cipher = TextCipher(key, case["alphabet"], tweak)
        answer = answers[case["tcId"]]
        if case["direction"] == "encrypt":
            assert cipher.encrypt(case["pt"]) == answer["ct"], case["tcId"]
        else:
            assert cipher.decrypt(case["ct"]) == answer["pt"], case["tcId"]


@pytest.mark.parametrize(
    ("name", "both_ways"),
    [
        ("aes_ff1_base10_test", ff1_text),
        ("aes_ff1_base16_test", ff1_text),
        ("aes_ff1_base26_test", ff1_text),
        ("aes_ff1_base36_test", ff1_text),
        ("aes_ff1_base62_test", ff1_text),
        ("aes_ff1_radix10_test", ff1_list),
    ],
)
def test_ff1_by_wycheproof(name: str, both_ways: Any, counted: Counted) -> None:
    for case in counted("FF1 (Wycheproof)", wycheproof(name)):
        if case["result"] == "valid":
            assert both_ways(case) == (case["ct"], case["msg"]), case["tcId"]
        else:
            (flag,) = case["flags"]
            with pytest.raises(ValueError, match=FF1_REFUSALS[flag]):
                both_ways(case)


def test_aes_siv_by_wycheproof(counted: Counted) -> None:
    for case in counted("AES-SIV-CMAC (Wycheproof)", wycheproof("aead_aes_siv_cmac_test")):
        key, nonce, aad, message, sealed, tag = unhexed(case, "key", "iv", "aad", "msg", "ct", "tag")
        cipher, context = AESSIV(key), [aad, nonce]
        if case["result"] == "valid":
            assert cipher.encrypt(message, context) == tag + sealed, case["tcId"]
            assert cipher.decrypt(tag + sealed, context) == message, case["tcId"]
        else:
            with pytest.raises(InvalidTag):
                cipher.decrypt(tag + sealed, context)


def test_aes_gcm_by_wycheproof(counted: Counted) -> None:
    for case in counted("AES-GCM (Wycheproof)", wycheproof("aes_gcm_test")):
        key, nonce, aad, message, sealed, tag = unhexed(case, "key", "iv", "aad", "msg", "ct", "tag")
        cipher = AESGCM(key)
        if case["result"] == "valid" and len(nonce) in GCM_NONCE_BYTES:
            assert cipher.encrypt(nonce, message, aad) == sealed + tag, case["tcId"]
            assert cipher.decrypt(nonce, sealed + tag, aad) == message, case["tcId"]
        else:
            with pytest.raises(InvalidTag if len(nonce) in GCM_NONCE_BYTES else ValueError):
                cipher.decrypt(nonce, sealed + tag, aad)


def test_hkdf_by_wycheproof(counted: Counted) -> None:
    for case in counted("HKDF (Wycheproof)", wycheproof("hkdf_sha256_test")):
        material, salt, info, output = unhexed(case, "ikm", "salt", "info", "okm")
        if case["result"] == "valid":
            derived = HKDF(algorithm=SHA256(), length=case["size"], salt=salt, info=info).derive(material)
            assert derived == output, case["tcId"]
        else:
            with pytest.raises(ValueError, match="larger than 8160"):
                HKDF(algorithm=SHA256(), length=case["size"], salt=salt, info=info)


def test_hmac_by_wycheproof(counted: Counted) -> None:
    for case in counted("HMAC (Wycheproof)", wycheproof("hmac_sha256_test")):
        key, message, tag = unhexed(case, "key", "msg", "tag")
        mac = hmac.digest(key, message, "sha256")[: case["tagSize"] // 8]
        assert hmac.compare_digest(mac, tag) == (case["result"] == "valid"), case["tcId"]
