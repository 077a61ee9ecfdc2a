"""Who calls: a proof is good for one request at one function, now, and only as whoever signed it."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from processor.aws import connect
from processor.cli.functions import Functions
from processor.errors import Transient
from processor.local.aws import embedded_aws
from processor.proof import (
    ALLOWED,
    BODY,
    Answer,
    Callers,
    Refused,
    ask_sts,
    host_of,
    principal,
    request_digest,
)
from tests.callers import ACCOUNT, ARN, ENDPOINT, Sts, callers, signed, with_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "tidegate-dev-detokenize"
REQUEST = {"policy": "payments", "tokens": [{"field": "email", "token": "tok.é"}], "ticket": "T-1"}


def who(request: Any, *, now: float | None = None, sts: Any = None) -> str:
    return callers(NAME, lambda: time.time() if now is None else now, sts).who(request)


def refusal(request: Any, **how: Any) -> str:
    sts = how.setdefault("sts", Sts())
    with pytest.raises(Refused) as caught:
        who(request, **how)
    # Only what nothing is wrong with but the signature is worth a question.
    assert sts.asked == [] or "STS does not know" in str(caught.value)
    return str(caught.value)


def test_the_caller_is_whom_sts_says() -> None:
    sts = Sts()
    assert who(with_proof(REQUEST, NAME), sts=sts) == ARN
    assert sts.asked == [f"{ENDPOINT}/"]


def test_a_proof_is_for_one_function() -> None:
    assert refusal(with_proof(REQUEST, "tidegate-dev-erase")) == "the proof is for another function"


@given(st.sampled_from(sorted(REQUEST)), st.text(max_size=3))
def test_a_proof_is_for_one_request(part: str, other: str) -> None:
    proven = with_proof(REQUEST, NAME)
    assert refusal({**proven, part: other}) == "the proof is for another request"
    assert refusal({**proven, f"{part} ": other}) == "the proof is for another request"
    del proven[part]
    assert refusal(proven) == "the proof is for another request"


def test_a_request_that_has_no_one_form_is_refused() -> None:
    for odd in (float("nan"), "\ud800"):
        proven = {**with_proof(REQUEST, NAME), "ticket": odd}
        assert refusal(proven) == "the request is not a document of JSON in UTF-8"


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_proof_ages(seconds: int) -> None:
    assert "over 300 seconds off" in refusal(with_proof(REQUEST, NAME), now=time.time() + seconds)
    assert who(with_proof(REQUEST, NAME), now=time.time() + 290) == ARN


@pytest.mark.parametrize("header", sorted(ALLOWED - {"content-type", "content-length", "authorization"}))
def test_what_binds_a_proof_is_under_its_signature(header: str) -> None:
    proven = with_proof(REQUEST, NAME)
    headers = proven["proof"]["headers"]
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert header in names
    left = ";".join(name for name in names if name != header)
    headers["authorization"] = headers["authorization"].replace(";".join(names), left)
    assert refusal(proven) == f"the proof's signature leaves out {header}"


@pytest.mark.parametrize(
    ("header", "value", "why"),
    [
        ("host", "sts.us-east-1.amazonaws.com", "must be signed for sts.eu-west-1.amazonaws.com"),
        ("host", "evil.example", "must be signed for sts.eu-west-1.amazonaws.com"),
        ("content-type", "application/json", "content-type must be"),
        ("content-length", "44", "content-length must be 43"),
        ("x-amz-date", "yesterday", "is no date"),
        ("authorization", "Bearer x", "is no signature for STS"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKID/20261125/eu-west-1/s3/aws4_request",
            "no signature",
        ),
        ("x-forwarded-for", "10.0.0.1", "has the headers"),
        ("host", "sts.eu-west-1.amazonaws.com\r\nx-more: 1", "no plain text"),
        ("x-amz-security-token", "t" * 16_385, "no plain text"),
        ("host", 1, "no plain text"),
    ],
)
def test_other_headers_are_refused(header: str, value: Any, why: str) -> None:
    proven = with_proof(REQUEST, NAME)
    proven["proof"]["headers"][header] = value
    assert why in refusal(proven)


@pytest.mark.parametrize("header", ["host", "authorization", "x-amz-date", "x-tidegate-request"])
def test_a_missing_header_is_refused_and_so_is_one_given_twice(header: str) -> None:
    proven = with_proof(REQUEST, NAME)
    twice = with_proof(REQUEST, NAME)
    twice["proof"]["headers"][header.upper()] = twice["proof"]["headers"][header]
    del proven["proof"]["headers"][header]
    assert "has the headers" in refusal(proven)
    assert "has the headers" in refusal(twice)


@pytest.mark.parametrize(
    "proof", [None, "x", {}, {"headers": []}, {"headers": {}, "url": "https://evil.example"}]
)
def test_no_proof_and_any_other_form_is_refused(proof: Any) -> None:
    assert "needs a proof" in refusal({**REQUEST, "proof": proof})


def test_whom_sts_does_not_know_is_refused() -> None:
    stranger = Credentials("AKIDEXAMPLE1", "another key", "a session token")
    assert "STS does not know" in refusal(with_proof(REQUEST, NAME, keys=stranger))


@pytest.mark.parametrize(
    "answer",
    [Answer(200, "<Arn>nonsense</Arn>"), Answer(200, f"<Arn>{ARN}</Arn><Arn>{ARN}x</Arn>"), Answer(302, ARN)],
)
def test_an_answer_that_names_nobody_is_refused(answer: Answer) -> None:
    with pytest.raises(Refused):
        callers(NAME, time.time, lambda *_: answer).who(with_proof(REQUEST, NAME))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_sts_in_trouble_is_for_later(status: int) -> None:
    with pytest.raises(Transient, match=f"HTTP {status}"):
        callers(NAME, time.time, lambda *_: Answer(status, "")).who(with_proof(REQUEST, NAME))


@pytest.mark.parametrize(
    "arn", ["arn:aws:sts::210987654321:assumed-role/Disputes/ann", "arn:aws:iam::210987654321:user/ann"]
)
def test_who_is_of_another_account_is_refused_and_named(arn: str) -> None:
    with pytest.raises(Refused, match=f"of the AWS account 210987654321; only those of {ACCOUNT}") as caught:
        who(with_proof(REQUEST, NAME), sts=Sts(arn))
    assert caught.value.who == arn


def test_a_role_is_one_caller_whatever_its_sessions() -> None:
    assert principal(ARN) == "arn:aws:sts::123456789012:assumed-role/Disputes"
    for name in ("one", "two"):
        federated = f"arn:aws:sts::123456789012:federated-user/{name}"
        assert principal(federated) == "arn:aws:sts::123456789012:federated-user"
    assert principal("arn:aws:iam::123456789012:user/a/b") == "arn:aws:iam::123456789012:user/a/b"


def test_the_order_of_parts_does_not_count_and_types_do() -> None:
    assert request_digest({"a": 1, "b": 2}) == request_digest({"b": 2, "a": 1, "proof": 3})
    assert request_digest({"a": 1}) != request_digest({"a": "1"})


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"),
        ("https://sts.example:443/", "sts.example"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000"),
    ],
)
def test_the_host_is_the_one_botocore_signs(endpoint: str, host: str) -> None:
    assert host_of(endpoint) == host


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A server that sends everybody elsewhere, and what it was asked."""
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.path} {self.rfile.read(int(self.headers['content-length'])).decode()}")
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_no_redirection_is_followed(redirecting: tuple[str, list[str]]) -> None:
    endpoint, asked = redirecting
    answer = ask_sts()(f"{endpoint}/", signed(REQUEST, NAME, endpoint=endpoint))
    assert answer.status == 307
    assert asked == [f"/ {BODY}"]


def test_an_sts_that_does_not_answer_is_for_later() -> None:
    with pytest.raises(Transient, match=r"^sts:GetCallerIdentity of the caller: EndpointConnectionError$"):
        ask_sts()("http://127.0.0.1:9/", signed(REQUEST, NAME))


@pytest.mark.slow
def test_motos_sts_knows_a_user_and_a_role_by_their_signatures() -> None:
    with embedded_aws() as aws:
        role = aws.client("iam").create_role(RoleName="Disputes", AssumeRolePolicyDocument="{}")["Role"][
            "Arn"
        ]
        session = aws.credentials_of(role)
        aws.enforce_iam(enforced=True)
        asked = Callers(endpoint=aws.endpoint, function=NAME, account=ACCOUNT, ask=ask_sts(), clock=time.time)

        def proven(keys: Any, secret: str | None = None) -> dict[str, Any]:
            credentials = Credentials(
                keys.access_key_id, secret or keys.secret_access_key, keys.session_token
            )
            return with_proof(REQUEST, NAME, endpoint=aws.endpoint, keys=credentials)

        assert asked.who(proven(aws.administrator)).endswith(":user/administrator")
        assert asked.who(proven(session)).endswith(":assumed-role/Disputes/lambda")
        for keys in (aws.administrator, session):
            with pytest.raises(Refused, match="STS does not know"):
                asked.who(proven(keys, "another secret"))
        forged = proven(session)
        forged["proof"]["headers"]["x-amz-security-token"] = "another"
        with pytest.raises(Refused, match="STS does not know"):
            asked.who(forged)


@pytest.mark.slow
def test_the_commands_signature_is_taken_by_motos_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded_aws() as aws:
        aws.enforce_iam(enforced=True)
        for name, value in aws.environ().items():
            monkeypatch.setenv(name, value)
        (sts,) = connect("sts")
        asked = Callers(
            endpoint=sts.meta.endpoint_url, function=NAME, account=ACCOUNT, ask=ask_sts(), clock=time.time
        )
        proof = {"headers": Functions("dev")._proof(NAME, REQUEST)}
        assert asked.who({**REQUEST, "proof": proof}).endswith(":user/administrator")
