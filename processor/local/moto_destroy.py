"""What moto lacks for taking down what Terraform made."""

from __future__ import annotations

from typing import Any, Final

from moto.athena.responses import AthenaResponse
from moto.s3.models import S3Backend


def _delete_named_query(response: Any) -> str:
    """Answer DeleteNamedQuery; moto makes named queries, and keeps them.

    https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteNamedQuery.html
    """
    del response.athena_backend.named_queries[response._get_param("NamedQueryId")]  # noqa: SLF001
    return "{}"


_lock = S3Backend.put_object_lock_configuration


def _lock_what_comes(backend: Any, bucket_name: str, lock_enabled: Any, *retention: Any) -> None:
    """Lock what comes from now on by mode, days and years; moto refuses that of a bucket with objects.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
    """
    bucket = backend.get_bucket(bucket_name)
    if not bucket.object_lock_enabled:
        _lock(backend, bucket_name, lock_enabled, *retention)
    else:
        bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = retention


MENDINGS: Final[tuple[tuple[Any, str, Any], ...]] = (
    (AthenaResponse, "delete_named_query", _delete_named_query),
    (S3Backend, "put_object_lock_configuration", _lock_what_comes),
)
