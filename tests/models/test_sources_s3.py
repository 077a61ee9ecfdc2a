"""Data in S3: everything under a prefix, and errors that say which object and what to do."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer

from models.sources import bucket, open_sources
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = "created_at,amount\n"


def quiet(_step: str, _done: int) -> None:
    pass


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client


def put(s3: Any, **objects: bytes) -> None:
    for key, body in objects.items():
        s3.put_object(Bucket="lake", Key=key, Body=body)


def amounts(url: str) -> list[float]:
    found = open_sources([url], time="created_at", wanted=["amount"]).changes(quiet)
    return [one.after["amount"] for one in found if one.after]


def rows(*values: int) -> bytes:
    return (HEAD + "".join(f"{value},{value}\n" for value in values)).encode()


def test_everything_under_a_prefix_is_read(s3: Any) -> None:
    put(
        s3,
        **{
            "days/b.csv": rows(3),
            "days/a/c.csv.gz": gzip.compress(rows(1, 4)),
            "days/a/d.jsonl": b'{"created_at": 2, "amount": 2}\n',
            "days/a/_SUCCESS": b"",
            "days/": b"",
            "days2/e.csv": rows(9),
            "days.csv": rows(8),
        },
    )
    assert amounts("s3://lake/days") == amounts("s3://lake/days/") == [1, 2, 3, 4]
    assert amounts("s3://lake/days.csv") == [8]
    assert amounts("s3:/lake/days2") == [9], "as a path it has lost a slash"
    assert amounts("s3://lake/days2/e") == [9]


def test_a_large_object_is_read_as_it_comes(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "SMALL", 100)
    put(s3, **{"a.csv": rows(1), "b.csv": rows(*range(2, 500)), "c.csv": rows(500)})
    data = open_sources(["s3://lake"], time="created_at", wanted=["amount"])
    assert [one.time for one in data.changes(quiet)] == list(range(1, 501))
    assert data.bytes == sum(len(rows(*values)) for values in ([1], range(2, 500), [500]))


@pytest.mark.slow
def test_more_than_a_page_of_objects(s3: Any) -> None:
    for at in range(1, 1_004):
        s3.put_object(Bucket="lake", Key=f"many/{at:05}.csv", Body=rows(at))
    assert amounts("s3://lake/many/") == list(range(1, 1_004))


def test_an_error_names_bucket_and_key_and_not_the_contents(s3: Any) -> None:
    put(s3, **{"bad/a.jsonl": b'{"created_at": 1, "amount": 2}\nsecret\n'})
    with pytest.raises(ModelError, match=r"s3://lake/bad/a\.jsonl:2: is no JSON") as told:
        amounts("s3://lake/bad")
    assert "secret" not in str(told.value)


def test_what_is_not_there(s3: Any) -> None:
    with pytest.raises(ModelError, match=r"s3://none/x: cannot be listed: it is not there \(NoSuchBucket\)"):
        amounts("s3://none/x")
    with pytest.raises(ModelError, match="s3://lake/x: there is nothing under this prefix"):
        amounts("s3://lake/x")
    with pytest.raises(ModelError, match="should be s3://bucket/prefix"):
        amounts("s3://")
    put(s3, **{"gone.csv": rows(1)})
    data = open_sources(["s3://lake/gone.csv"], time="created_at", wanted=["amount"])
    s3.delete_object(Bucket="lake", Key="gone.csv")
    with pytest.raises(ModelError, match=r"s3://lake/gone\.csv: cannot be read: it is not there"):
        data.changes(quiet)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "you are not allowed to: it takes s3:GetObject"),
        ("ExpiredToken", r"the credentials are not accepted \(ExpiredToken\): log in"),
        ("InvalidObjectState", "S3 says InvalidObjectState"),
    ],
)
def test_what_s3_refuses_is_said_in_words(s3: Any, code: str, said: str) -> None:
    put(s3, **{"a.csv": rows(1)})
    data = open_sources(["s3://lake/a.csv"], time="created_at", wanted=["amount"])
    (found,) = data._files

    def refuse(**_: Any) -> None:
        raise bucket_error(code)

    found.client.meta.events.register("before-parameter-build.s3.GetObject", refuse)
    with pytest.raises(ModelError, match=rf"s3://lake/a\.csv: cannot be read: {said}") as told:
        data.changes(quiet)
    assert "secret" not in str(told.value)


def bucket_error(code: str) -> Exception:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "GetObject")


@pytest.mark.usefixtures("s3")
def test_without_credentials_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ModelError, match=r"s3://lake/x: cannot be listed: ProfileNotFound: log in"):
        amounts("s3://lake/x")


@pytest.mark.slow
def test_the_endpoint_of_the_environment_is_the_one_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        put(s3, **{"days/a.csv": rows(2), "days/b.csv.gz": gzip.compress(rows(1))})
        assert amounts("s3://lake/days") == [1, 2]
    finally:
        server.stop()
