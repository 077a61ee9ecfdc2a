"""The `tidegate` command: one file per group, imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Final = {
    "policy": ("processor.cli.policy:policy", "Draft, check, test, compare and preview masking policies."),
    "sanitize": ("processor.cli.sanitize:sanitize", "Sanitise JSON Lines by a policy, on this machine."),
    "detect": ("processor.cli.detect:detect", "Show what the recognisers find in texts."),
    "model": ("processor.cli.model:model", "Train, verify, measure and describe models."),
    "audit": ("processor.cli.audit:audit", "Prove that the audit trail is whole; ask it what was done."),
    "detokenize": ("processor.cli.detokenize:detokenize", "Open tokens, for a purpose and on the record."),
    "erase": ("processor.cli.erase:erase", "Forget a person, and keep the receipt."),
    "replay": ("processor.cli.replay:replay", "Send once more what was held back, given up or lost."),
    "backfill": ("processor.cli.backfill:backfill", "Bring an export of a table through the gate."),
    "keys": ("processor.cli.keys:keys", "Show which token keys are in use and which can retire."),
    "package": ("processor.cli.package:package", "Build the function's package."),
    "release": ("processor.cli.release:release", "Try a new version on a part of the stream, and watch it."),
    "rollback": ("processor.cli.rollback:rollback", "Send a stream to the version before, in seconds."),
    "report": (
        "processor.cli.report:report",
        "Write the records of processing and the data map of a policy.",
    ),
    "cost": ("processor.cli.cost:cost", "Say what a million records cost, by a run's own figures."),
    "review": ("processor.cli.review:review", "Show what a Terraform plan changes: exposure and figures."),
}
"""Each command with where it is and what it does, so that `--help` need not import any."""

EXTRAS: Final = {
    "faker": "train", "joblib": "train", "sklearn": "train", "yaml": "cli", "rich": "cli", "boto3": "cli",
}  # fmt: skip
FINDINGS: Final = 1
UNUSABLE: Final = 2
"""Exit codes besides 0."""


class LazyGroup(click.Group):
    """Imports a command when it is called: `lazy` says for each name where it is and what it does."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(self._lazy)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import it."""
        if name not in self._lazy:
            return None
        module, _, attribute = self._lazy[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say what each does without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in self._lazy.items()])


class _Root(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Turn expected errors into one message."""
        try:
            return super().invoke(ctx)
        except TidegateError as error:
            click.echo(f"tidegate: {error}", err=True)
        except ModuleNotFoundError as error:
            extra = EXTRAS.get((error.name or "").partition(".")[0])
            if extra is None:
                raise
            hint = f"pip install 'tidegate[{extra}]', or in a clone: make setup"
            click.echo(f"tidegate: this needs {error.name}: {hint}", err=True)
        raise SystemExit(UNUSABLE)


@click.command(cls=_Root, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tidegate", prog_name="tidegate")
def main() -> None:
    """A gate on a DynamoDB stream that lets only sanitised, fraud-scored events through.

    Exit codes: 0 fine, 1 findings, 2 unusable input.

    \b
    See what a change of a policy does:
      tidegate policy check policies/payments.yaml
      tidegate sanitize --policy policies/payments.yaml < raw.jsonl
    Train the model anew and read its card:
      tidegate model train models/payments_fraud
      tidegate model card models/payments_fraud
    Open a token for a purpose, forget a person, prove what was done:
      tidegate detokenize --env prod --policy payments --purpose fraud_investigation ...
      tidegate erase --env prod --subject - --reason 'GDPR Art. 17, case 117' --yes < id.txt
      tidegate audit verify --env prod
    Let out what was held back, once the policy is mended:
      tidegate replay --env prod --stream payments --quarantine
    Build what Terraform deploys:
      tidegate package --policy policies/payments.yaml --out .build/payments.zip
    """  # noqa: D301  \b is click's mark for lines that stay as they are
