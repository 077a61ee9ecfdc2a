"""An account as the commands on people see it: functions that are called in this process, the rest moto's."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import boto3

from tests.callers import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.exceptions import BotoCoreError, ClientError

Answers = "Callable[[dict[str, Any]], dict[str, Any]]"


class Lambda:
    """Runs functions by name, as `invoke` does; or fails as AWS would."""

    def __init__(self, functions: Mapping[str, Callable[[Any], Any]], configured: Mapping[str, Any]) -> None:
        self.functions, self.configured = functions, configured
        self.failure: ClientError | BotoCoreError | None = None
        self.requests: list[dict[str, Any]] = []
        self.meta = boto3.client("lambda", region_name="eu-west-1").meta

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert Qualifier == "live"
        if self.failure is not None:
            raise self.failure
        request = json.loads(Payload)
        self.requests.append(request)
        try:
            answer = self.functions[FunctionName](request)
        except Exception as error:  # noqa: BLE001  Lambda does so
            answer = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(answer).encode())}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_functions"
        lambda_ = self

        class Pages:
            def paginate(self) -> list[dict[str, Any]]:
                if lambda_.failure is not None:
                    raise lambda_.failure
                return [{"Functions": [{"FunctionName": name}]} for name in lambda_.configured]

        return Pages()

    def get_function_configuration(self, *, FunctionName: str, Qualifier: str) -> dict[str, Any]:  # noqa: N803
        assert Qualifier == "live"
        return {"Environment": {"Variables": self.configured[FunctionName]}}


class Session:
    """What `boto3.Session` gives, with this Lambda in it."""

    def __init__(self, lambda_: Lambda) -> None:
        self._lambda = lambda_

    def client(self, service: str, **_options: Any) -> Any:
        if service == "lambda":
            return self._lambda
        return boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]

    def get_credentials(self) -> Any:
        return Keys()


class Keys:
    def get_frozen_credentials(self) -> Any:
        return KEYS
