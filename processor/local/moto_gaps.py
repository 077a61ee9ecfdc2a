"""Where moto differs from AWS in a way the gate would notice: each difference with its mending.

Every entry holds only while `mended()` is open, so that nothing else in the process sees a changed moto.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from moto.athena.responses import AthenaResponse
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.glue.responses import GlueResponse
from moto.iam.access_control import IAMRequest, IAMRequestBase, PermissionResult
from moto.kms.responses import KmsResponse
from moto.s3.models import FakeBucket
from moto.sns.responses import SNSResponse
from moto.sqs.responses import SQSResponse

from processor.local import moto_backfill, moto_destroy, moto_kinesis, moto_queries
from processor.local.authorised import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDS_MAX: Final = 1000
ROTATION_DAYS: Final = 365  # unless KMS is told otherwise
FUNCTION_PATH: Final = re.compile(r"/2015-03-31/functions/([^/]+)")


@contextmanager
def mended() -> Iterator[None]:
    """Let moto behave as AWS does, in this process, while the context is open."""
    with ExitStack() as stack:
        for owner, name, replacement in _MENDINGS:
            stack.enter_context(patch.object(owner, name, replacement, create=True))
        yield


def _send_nothing(*_: Any) -> bool:
    """Deliver no change to a function.

    moto would run the function in Docker inside the very write that made the change, and empty the stream
    when the function succeeds. Here the mapping reads the stream, as Lambda does.
    """
    return False


def _neutral(*_: Any) -> PermissionResult:
    """Neither allow nor deny by a bucket policy.

    The policies deny requests without TLS. moto ignores the condition, so they would deny every request.
    """
    return PermissionResult.NEUTRAL


RUNNING: Final[dict[str, Callable[[Any], Any]]] = {}
"""What answers calls of functions, by name: see `EmbeddedAws.serving`."""


def _invoke_what_runs(
    backend: LambdaBackend,
    function_name: str,
    qualifier: str | None,
    body: str,
    _headers: Any,
    response_headers: dict[str, str],
) -> bytes:
    """Send a call to the function that the emulator runs. moto itself would start it in Docker.

    Whether the caller has asked for the log, moto looks afterwards.
    """
    called = backend.get_function(function_name, qualifier)
    answer = RUNNING[called.function_name](json.loads(body))
    payload = answer.payload
    response_headers["x-amz-executed-version"] = str(called.version)
    response_headers["x-amz-log-result"] = b64encode(answer.log).decode()
    if answer.error:
        response_headers["x-amz-function-error"] = "Unhandled"
        payload = {"errorType": answer.error, "errorMessage": answer.error}
    encoded = json.dumps(payload).encode()
    response_headers["Content-Length"] = str(len(encoded))
    return encoded


_invoke = LambdaResponse.invoke


def _invoke_as_named(response: Any) -> Any:
    """Call the version or alias that is named. moto looks for it under another name, and calls the newest."""
    if named := response.querystring.get("Qualifier"):
        response.querystring["qualifier"] = named
    return _invoke(response)


_make_function = LambdaFunction.__init__
_update_function = LambdaFunction.update_configuration
_function_configuration = LambdaFunction.get_configuration


def _make_with_log(function: Any, account_id: str, spec: dict[str, Any], *more: Any, **named: Any) -> None:
    _make_function(function, account_id, spec, *more, **named)
    function.logging_config = spec.get("LoggingConfig") or {}


def _update_with_log(function: Any, updates: dict[str, Any]) -> dict[str, Any]:
    function.logging_config = updates.get("LoggingConfig") or function.logging_config
    return _update_function(function, updates)


def _configuration_with_log(function: Any, **how: Any) -> dict[str, Any]:
    """What a function is, with how it logs. moto forgets that, and every plan would publish a version."""
    return _function_configuration(function, **how) | {"LoggingConfig": function.logging_config}


_configuration = EventSourceMapping.get_configuration
_mappings = LambdaBackend.list_event_source_mappings


def _configuration_as_made(mapping: EventSourceMapping) -> dict[str, Any]:
    """What a mapping is, with the alias that it calls: moto tells the version that the alias once named."""
    named = str(mapping.function_name)
    configuration: dict[str, Any] = _configuration(mapping)
    return configuration | ({"FunctionArn": named} if named.startswith("arn:") else {})


def _mappings_of(
    backend: LambdaBackend, event_source_arn: str | None, function_name: str | None
) -> list[EventSourceMapping]:
    """The mappings of a function by any name of it; moto knows the one that they were made with.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
    """
    found = _mappings(backend, event_source_arn or "", "")
    return [one for one in found if not function_name or _short(one.function_name) == _short(function_name)]


def _short(function_name: str) -> str:
    """Name and qualifier, without what is before them in an ARN, whole or partial."""
    return function_name.rpartition(":function:")[2]


_check_signature = IAMRequest.check_signature


def _check_signature_of_nothing(request: Any) -> None:
    """Check a signature over what was sent.

    Where a request has no body moto takes its headers for one, and finds every GET of Lambda's API forged.
    """
    if request._method in {"GET", "HEAD", "DELETE"}:  # noqa: SLF001
        request._data = {}  # noqa: SLF001
    _check_signature(request)


def _records_as_they_are(handler: Any) -> str:
    """Answer GetRecords with what the stream holds.

    moto's own answer takes 4 ms per record, and encodes binary values a second time.
    """
    iterator = handler._get_param("ShardIterator")  # noqa: SLF001
    limit = handler._get_param("Limit", RECORDS_MAX)  # noqa: SLF001
    return json.dumps(handler.backend.get_records(iterator, limit), default=_wire)


def _wire(value: datetime | bytes) -> float | str:
    """What JSON has no form for, in the form of AWS's JSON protocol."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value.replace(tzinfo=value.tzinfo or UTC).timestamp()


_rotate = KmsResponse.enable_key_rotation
_rotation = KmsResponse.get_key_rotation_status


def _rotate_by(response: Any) -> str:
    """Rotate a key every so many days. moto forgets how many, and every plan would change the key."""
    answer: str = _rotate(response)
    _key_of(response).rotation_days = response._get_param("RotationPeriodInDays", ROTATION_DAYS)  # noqa: SLF001
    return answer


def _rotation_by(response: Any) -> str:
    status = json.loads(_rotation(response))
    days = getattr(_key_of(response), "rotation_days", ROTATION_DAYS)
    return json.dumps(status | ({"RotationPeriodInDays": days} if status["KeyRotationEnabled"] else {}))


def _key_of(response: Any) -> Any:
    backend = response.kms_backend
    return backend.keys[backend.get_key_id(response._get_param("KeyId"))]  # noqa: SLF001


def _resource(name: Callable[[Any], str | None]) -> Callable[[Any], str]:
    """A method telling which ARN a request is about; `*` if none.

    moto asks its response classes for it, but those of these services do not say, so that a role restricted
    to an ARN would be refused everything.
    """

    def determine(response: Any) -> str:
        return name(response) or "*"

    return determine


def _table(response: Any) -> str | None:
    # A batch names its tables in the items; ours are all of one.
    name = response.body and (
        response._get_param("TableName")  # noqa: SLF001
        or response._get_param("TableArn")  # noqa: SLF001
        or response._get_param("ExportArn")  # noqa: SLF001
        or next(iter(response._get_param("RequestItems") or ()), None)  # noqa: SLF001
    )
    if not name or name.startswith("arn:"):
        return name or None
    return f"arn:aws:dynamodb:{response.region}:{response.current_account}:table/{name}"


def _stream(response: Any) -> str | None:
    # A shard iterator is the stream's ARN, a version and a secret, with bars between.
    arn = response._get_param("StreamArn") or response._get_param("ShardIterator")  # noqa: SLF001
    return arn.split("|")[0] if arn else None


def _key(response: Any) -> str | None:
    key = response._get_param("KeyId")  # noqa: SLF001
    if key and "alias/" in key:  # IAM looks at the key, whatever it is called by
        key = response.kms_backend.get_key_id_from_alias(key[key.index("alias/") :]) or key
    return response._display_arn(key) if key else None  # noqa: SLF001


def _function(response: Any) -> str | None:
    found = FUNCTION_PATH.match(unquote(urlsplit(response.uri).path))
    if found is None or found[1].startswith("arn:"):
        return found[1] if found else None
    qualifier = response._get_param("Qualifier")  # noqa: SLF001
    arn = f"arn:aws:lambda:{response.region}:{response.current_account}:function:{found[1]}"
    return f"{arn}:{qualifier}" if qualifier else arn


def _topic(response: Any) -> str | None:
    arn: str | None = response._get_param("TopicArn")  # noqa: SLF001
    return arn


def _queue(response: Any) -> str | None:
    # Who asks for a queue's address names it; moto's own answer is about addresses alone.
    name = response._get_param("QueueName") or response._get_queue_name()  # noqa: SLF001
    return f"arn:aws:sqs:{response.region}:{response.current_account}:{name}" if name else None


_MENDINGS: Final[tuple[tuple[Any, str, Any], ...]] = (
    (LambdaBackend, "send_dynamodb_items", _send_nothing),
    (LambdaBackend, "invoke", _invoke_what_runs),
    (LambdaResponse, "invoke", _invoke_as_named),
    (LambdaBackend, "list_event_source_mappings", _mappings_of),
    (EventSourceMapping, "get_configuration", _configuration_as_made),
    (LambdaFunction, "__init__", _make_with_log),
    (LambdaFunction, "update_configuration", _update_with_log),
    (LambdaFunction, "get_configuration", _configuration_with_log),
    # It lists such alarms and looks for their rule, and has no door for them.
    (CloudWatchResponse, "put_composite_alarm", CloudWatchResponse.put_metric_alarm),
    (KmsResponse, "enable_key_rotation", _rotate_by),
    (KmsResponse, "get_key_rotation_status", _rotation_by),
    (FakeBucket, "get_permission", _neutral),
    (IAMRequest, "check_signature", _check_signature_of_nothing),
    (IAMRequestBase, "check_action_permitted", checked(IAMRequestBase.check_action_permitted)),
    (DynamoDBStreamsHandler, "get_records", _records_as_they_are),
    (DynamoHandler, "_determine_resource", _resource(_table)),
    (DynamoDBStreamsHandler, "_determine_resource", _resource(_stream)),
    (KmsResponse, "_determine_resource", _resource(_key)),
    (SNSResponse, "_determine_resource", _resource(_topic)),
    (SQSResponse, "_determine_resource", _resource(_queue)),
    (LambdaResponse, "_determine_resource", _resource(_function)),
    (AthenaResponse, "_determine_resource", _resource(moto_queries.workgroup)),
    (GlueResponse, "_determine_resource", _resource(moto_queries.table)),
    *moto_backfill.MENDINGS,
    *moto_destroy.MENDINGS,
    *moto_kinesis.MENDINGS,
)
