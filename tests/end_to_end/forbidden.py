"""Calls that IAM has to refuse, for each of those who have something to do with the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.local.stage import Stage

ZIP: Final = {"ZipFile": b""}
MAC: Final = {"Message": b"label", "MacAlgorithm": "HMAC_SHA_512"}
SIGNATURE: Final = {"Message": b"receipt", "SigningAlgorithm": "ECDSA_SHA_256"}


@dataclass(frozen=True, slots=True)
class Place:
    """The names and ARNs of what stands on a stage."""

    stage: Stage

    def object(self, bucket: str, key: str) -> dict[str, str]:
        """An object; whether it is there makes no difference to IAM."""
        return {"Bucket": self.stage.outputs["buckets"][bucket], "Key": key}

    def bucket(self, name: str) -> dict[str, str]:
        return {"Bucket": self.stage.outputs["buckets"][name]}

    def item(self, table: str, key: str, *more: str) -> dict[str, Any]:
        """A key in a table of the gate."""
        names = (key, *more)
        return {"TableName": self.table(table), "Key": {name: {"S": "x"} for name in names}}

    def table(self, name: str) -> str:
        return f"tidegate-local-{name}"

    def export(self, stream: str) -> dict[str, Any]:
        """An export of a stream's table."""
        table = self.stage.outputs["streams"][stream]["source_table"]
        arn = f"arn:aws:dynamodb:{self.stage.aws.region}:{self.stage.outputs['account_id']}:table/{table}"
        return {"TableArn": arn, "S3Bucket": self.stage.outputs["exports_bucket"]}

    def several(self, table: str, key: str) -> dict[str, Any]:
        return {"RequestItems": {self.table(table): {"Keys": [{key: {"S": "x"}}]}}}

    def data_stream(self, name: str) -> dict[str, str]:
        """The Kinesis data stream by which a table's changes come."""
        return {"StreamARN": self.stage.outputs["streams"][name]["stream_arn"]}

    def key(self, output: str) -> dict[str, str]:
        return {"KeyId": self.stage.outputs[output]}

    @property
    def token_key(self) -> dict[str, str]:
        return {"KeyId": self.stage.outputs["token_key_arns"]["1"]}

    @property
    def receipts_key(self) -> dict[str, str]:
        return {"KeyId": self.stage.outputs["receipts_key"]["arn"]}

    def function(self, name: str, **more: Any) -> dict[str, Any]:
        return {"FunctionName": self.table(name), **more}

    def call(self, name: str, **more: str) -> dict[str, Any]:
        """A call of a function, with a payload: moto finds the signature of an empty one wrong."""
        return self.function(name, Payload=b"{}", **more)

    def role(self, name: str, **more: str) -> dict[str, str]:
        return {"RoleName": self.table(name), **more}

    def queue(self, stream: str) -> dict[str, str]:
        account = self.stage.outputs["account_id"]
        return {"QueueUrl": f"{self.stage.aws.endpoint}/{account}/{self.table(stream)}-failures"}


@dataclass(frozen=True, slots=True)
class Forbidden:
    """One call that must be refused."""

    who: str
    """A function, or one of the managed policies for people."""
    what: str
    operation: str
    """Boto3's service and method."""
    arguments: Callable[[Place], dict[str, Any]]
    bounded: bool = False
    """Whether the boundary refuses it as well, whatever the role's own policy says."""

    def __str__(self) -> str:
        return f"{self.who} {self.what}".replace(" ", "-")

    def __call__(self, stage: Stage, credentials: Any) -> Any:
        service, method = self.operation.split(".")
        return getattr(stage.aws.client(service, credentials), method)(**self.arguments(Place(stage)))


FORBIDDEN: Final = (
    # --- The function on exports: sees raw records, and neither the table nor its stream ---
    Forbidden("payments-backfill", "reads the source table", "dynamodb.get_item",
              lambda at: at.item("payments", "payment_id"), bounded=True),
    Forbidden("payments-backfill", "exports the source table", "dynamodb.export_table_to_point_in_time",
              lambda at: at.export("payments"), bounded=True),
    Forbidden("payments-backfill", "writes an event of the stream", "s3.put_object",
              lambda at: at.object("events", "events/payments/dt=2026-01-01/hour=00/x")),
    Forbidden("payments-backfill", "alerts of the past", "sns.publish",
              lambda at: {"TopicArn": at.stage.outputs["alerts_topic_arn"], "Message": "x"}),
    Forbidden("payments-backfill", "learns from the past", "dynamodb.update_item",
              lambda at: at.item("profiles", "entity")),
    Forbidden("payments-backfill", "deletes an export", "s3.delete_object",
              lambda at: {"Bucket": at.stage.outputs["exports_bucket"], "Key": "AWSDynamoDB/x/data/y"},
              bounded=True),
    Forbidden("payments", "reads an export", "s3.get_object",
              lambda at: {"Bucket": at.stage.outputs["exports_bucket"], "Key": "AWSDynamoDB/x/data/y"}),
    Forbidden("backfiller", "reads an export", "s3.get_object",
              lambda at: {"Bucket": at.stage.outputs["exports_bucket"], "Key": "AWSDynamoDB/x/data/y"}),
    Forbidden("backfiller", "calls the function itself", "lambda.invoke",
              lambda at: at.call("payments-backfill", Qualifier="live")),
    # --- The function on the stream: sees raw records, and must not get at more, or undo anything ---
    Forbidden("payments", "reads a manifest", "s3.get_object",
              lambda at: at.object("audit", "manifests/payments/x"), bounded=True),
    Forbidden("payments", "lists the audit trail", "s3.list_objects_v2",
              lambda at: at.bucket("audit"), bounded=True),
    Forbidden("payments", "deletes a manifest", "s3.delete_object",
              lambda at: at.object("audit", "manifests/payments/x"), bounded=True),
    Forbidden("payments", "deletes an event", "s3.delete_object",
              lambda at: at.object("events", "events/payments/x"), bounded=True),
    Forbidden("payments", "writes an event of the other stream", "s3.put_object",
              lambda at: at.object("events", "events/customers/x")),
    Forbidden("payments", "reads an event of the other stream", "s3.get_object",
              lambda at: at.object("events", "events/customers/x")),
    Forbidden("payments", "writes a record of detokenize", "s3.put_object",
              lambda at: at.object("audit", "records/detokenize/x")),
    Forbidden("payments", "reads the quarantine", "s3.get_object",
              lambda at: at.object("quarantine", "quarantine/payments/x"), bounded=True),
    Forbidden("payments", "opens the events bucket to others", "s3.put_bucket_policy",
              lambda at: at.bucket("events") | {"Policy": "{}"}, bounded=True),
    Forbidden("payments", "reads the source table", "dynamodb.get_item",
              lambda at: at.item("payments", "payment_id"), bounded=True),
    Forbidden("payments", "writes to the source table", "dynamodb.update_item",
              lambda at: at.item("payments", "payment_id"), bounded=True),
    Forbidden("payments", "deletes an intent", "dynamodb.delete_item",
              lambda at: at.item("ledger", "stream", "intent"), bounded=True),
    Forbidden("payments", "erases a person", "dynamodb.update_item",
              lambda at: at.item("subjects", "subject")),
    Forbidden("payments", "lists all people", "dynamodb.scan",
              lambda at: {"TableName": at.table("subjects")}, bounded=True),
    Forbidden("payments", "opens the audit trail by its key", "kms.decrypt",
              lambda at: at.key("audit_key_arn") | {"CiphertextBlob": b"x"}, bounded=True),
    Forbidden("payments", "signs a receipt", "kms.sign", lambda at: at.receipts_key | SIGNATURE),
    Forbidden("payments", "has a token key deleted", "kms.schedule_key_deletion",
              lambda at: at.token_key, bounded=True),
    Forbidden("payments", "changes who may use a token key", "kms.put_key_policy",
              lambda at: at.token_key | {"PolicyName": "default", "Policy": "{}"}, bounded=True),
    Forbidden("payments", "hands on the data key", "kms.create_grant",
              lambda at: at.key("data_key_arn") | {"GranteePrincipal": "x", "Operations": ["Decrypt"]},
              bounded=True),
    Forbidden("payments", "opens a token", "lambda.invoke",
              lambda at: at.call("detokenize", Qualifier="live"), bounded=True),
    Forbidden("payments", "has somebody erased", "lambda.invoke",
              lambda at: at.call("erase", Qualifier="live"), bounded=True),
    Forbidden("payments", "changes its own code", "lambda.update_function_code",
              lambda at: at.function("payments", **ZIP), bounded=True),
    Forbidden("payments", "gives itself more", "iam.put_role_policy",
              lambda at: at.role("payments", PolicyName="more", PolicyDocument="{}"), bounded=True),
    Forbidden("payments", "drops its boundary", "iam.delete_role_permissions_boundary",
              lambda at: at.role("payments"), bounded=True),
    Forbidden("payments", "becomes erase", "sts.assume_role",
              lambda at: {"RoleArn": at.stage.outputs["erase"]["role_arn"], "RoleSessionName": "tried"},
              bounded=True),
    Forbidden("payments", "takes a report of a failure", "sqs.receive_message",
              lambda at: at.queue("payments"), bounded=True),
    Forbidden("payments", "reports a failure of the other stream", "sqs.send_message",
              lambda at: at.queue("customers") | {"MessageBody": "x"}),
    Forbidden("payments", "deletes a log", "logs.delete_log_group",
              lambda at: {"logGroupName": f"/aws/lambda/{at.table('payments')}"}, bounded=True),
    Forbidden("customers", "reads the stream of payments", "dynamodbstreams.describe_stream",
              lambda at: {"StreamArn": at.stage.outputs["streams"]["payments"]["stream_arn"]}),
    Forbidden("customers", "puts a record into its data stream", "kinesis.put_record",
              lambda at: at.data_stream("customers") | {"Data": b"x", "PartitionKey": "x"}, bounded=True),
    Forbidden("payments", "reads the data stream of the other stream", "kinesis.list_shards",
              lambda at: at.data_stream("customers")),
    Forbidden("customers", "reads profiles", "dynamodb.batch_get_item",
              lambda at: at.several("profiles", "entity")),
    Forbidden("customers", "publishes an alert", "sns.publish",
              lambda at: {"TopicArn": at.stage.outputs["alerts_topic_arn"], "Message": "x"}),
    Forbidden("customers", "writes a manifest of payments", "s3.put_object",
              lambda at: at.object("audit", "manifests/payments/x")),
    # --- detokenize: opens what is brought to it, and reads no bucket ---
    Forbidden("detokenize", "reads an event", "s3.get_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("detokenize", "writes an event", "s3.put_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("detokenize", "reads its own records", "s3.get_object",
              lambda at: at.object("audit", "records/detokenize/x"), bounded=True),
    Forbidden("detokenize", "deletes its own records", "s3.delete_object",
              lambda at: at.object("audit", "records/detokenize/x"), bounded=True),
    Forbidden("detokenize", "writes a record of erase", "s3.put_object",
              lambda at: at.object("audit", "records/erase/x")),
    Forbidden("detokenize", "lists all people", "dynamodb.scan",
              lambda at: {"TableName": at.table("subjects")}, bounded=True),
    Forbidden("detokenize", "erases a person", "dynamodb.update_item",
              lambda at: at.item("subjects", "subject")),
    Forbidden("detokenize", "forgets what a caller had", "dynamodb.delete_item",
              lambda at: at.item("ledger", "stream", "intent"), bounded=True),
    Forbidden("detokenize", "reads profiles", "dynamodb.batch_get_item",
              lambda at: at.several("profiles", "entity")),
    Forbidden("detokenize", "signs a receipt", "kms.sign", lambda at: at.receipts_key | SIGNATURE),
    Forbidden("detokenize", "has somebody erased", "lambda.invoke",
              lambda at: at.call("erase", Qualifier="live"), bounded=True),
    Forbidden("detokenize", "publishes an alert", "sns.publish",
              lambda at: {"TopicArn": at.stage.outputs["alerts_topic_arn"], "Message": "x"}),
    # --- erase: destroys what makes tokens readable, and reads no value ---
    Forbidden("erase", "reads secrets by the hundred", "dynamodb.batch_get_item",
              lambda at: at.several("subjects", "subject")),
    Forbidden("erase", "removes a tombstone", "dynamodb.delete_item",
              lambda at: at.item("subjects", "subject"), bounded=True),
    Forbidden("erase", "reads an event", "s3.get_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("erase", "writes a record of detokenize", "s3.put_object",
              lambda at: at.object("audit", "records/detokenize/x")),
    Forbidden("erase", "reads the quarantine", "s3.get_object",
              lambda at: at.object("quarantine", "quarantine/payments/x"), bounded=True),
    Forbidden("erase", "opens a token", "lambda.invoke",
              lambda at: at.call("detokenize", Qualifier="live"), bounded=True),
    Forbidden("erase", "disables the receipts key", "kms.disable_key",
              lambda at: at.receipts_key, bounded=True),
    # --- Callers: one function each ---
    Forbidden("investigator", "has somebody erased", "lambda.invoke",
              lambda at: at.call("erase", Qualifier="live")),
    Forbidden("investigator", "calls another version", "lambda.invoke", lambda at: at.call("detokenize")),
    Forbidden("investigator", "derives a token key", "kms.generate_mac", lambda at: at.token_key | MAC),
    Forbidden("investigator", "reads secrets", "dynamodb.batch_get_item",
              lambda at: at.several("subjects", "subject")),
    Forbidden("officer", "opens a token", "lambda.invoke",
              lambda at: at.call("detokenize", Qualifier="live")),
    Forbidden("officer", "erases past the function", "dynamodb.update_item",
              lambda at: at.item("subjects", "subject")),
    Forbidden("officer", "signs a receipt", "kms.sign", lambda at: at.receipts_key | SIGNATURE),
    # --- People who look ---
    Forbidden("auditor", "writes to the trail", "s3.put_object", lambda at: at.object("audit", "records/x")),
    Forbidden("auditor", "deletes from the trail", "s3.delete_object",
              lambda at: at.object("audit", "records/x")),
    Forbidden("auditor", "reads the quarantine", "s3.get_object",
              lambda at: at.object("quarantine", "quarantine/payments/x")),
    Forbidden("auditor", "opens a token", "lambda.invoke",
              lambda at: at.call("detokenize", Qualifier="live")),
    Forbidden("auditor", "moves the end of a chain", "dynamodb.update_item",
              lambda at: at.item("ledger", "stream", "intent")),
    Forbidden("steward", "derives a token key", "kms.generate_mac", lambda at: at.token_key | MAC),
    Forbidden("steward", "has a token key deleted", "kms.schedule_key_deletion", lambda at: at.token_key),
    Forbidden("steward", "reads an event", "s3.get_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("steward", "reads a record of who opened what", "s3.get_object",
              lambda at: at.object("audit", "records/detokenize/x")),
    # --- Who replays ---
    Forbidden("replayer", "removes a record from quarantine", "s3.delete_object",
              lambda at: at.object("quarantine", "quarantine/payments/x")),
    Forbidden("replayer", "replaces a record in quarantine", "s3.put_object",
              lambda at: at.object("quarantine", "quarantine/payments/x")),
    Forbidden("replayer", "writes an event", "s3.put_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("replayer", "derives a token key", "kms.generate_mac", lambda at: at.token_key | MAC),
    Forbidden("replayer", "lists intents", "dynamodb.query", lambda at: {"TableName": at.table("ledger")}),
    Forbidden("replayer", "changes the function", "lambda.update_function_code",
              lambda at: at.function("payments", **ZIP)),
    # --- Who asks ---
    Forbidden("analyst", "reads the quarantine", "s3.get_object",
              lambda at: at.object("quarantine", "quarantine/payments/x")),
    Forbidden("analyst", "reads a record of who opened what", "s3.get_object",
              lambda at: at.object("audit", "records/detokenize/x")),
    Forbidden("analyst", "writes an event", "s3.put_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("analyst", "deletes an event", "s3.delete_object",
              lambda at: at.object("events", "events/payments/x")),
    Forbidden("analyst", "opens a token", "lambda.invoke",
              lambda at: at.call("detokenize", Qualifier="live")),
    Forbidden("analyst", "asks without the limit", "athena.start_query_execution",
              lambda _: {"QueryString": "SELECT 1", "WorkGroup": "primary"}),
    Forbidden("analyst", "reads secrets", "dynamodb.batch_get_item",
              lambda at: at.several("subjects", "subject")),
    # --- Who releases ---
    Forbidden("releaser", "changes the function", "lambda.update_function_code",
              lambda at: at.function("payments", **ZIP)),
    Forbidden("releaser", "calls the function", "lambda.invoke",
              lambda at: at.call("payments", Qualifier="live")),
    Forbidden("releaser", "moves detokenize to another version", "lambda.update_alias",
              lambda at: at.function("detokenize", Name="live", FunctionVersion="1")),
    Forbidden("releaser", "silences an alarm", "cloudwatch.delete_alarms",
              lambda at: {"AlarmNames": [at.table("payments-leaks")]}),
)  # fmt: skip
