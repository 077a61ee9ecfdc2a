"""Terraform, started in one way by the demo, the tests and the Makefile.

python -m processor.local.terraform plan|apply|destroy|output|show ENV [Terraform's options]
python -m processor.local.terraform validate|test [Terraform's options]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processor.errors import TidegateError
from processor.local.planning import is_bare, progress, reviewed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REPOSITORY = Path(__file__).resolve().parents[2]
ROOT = REPOSITORY / "terraform"
OLDEST = (1, 10)  # locks of the S3 backend without a table
AWS = "registry.terraform.io/hashicorp/aws"
GO = {"GOGC": "400", "GOMEMLIMIT": "1536MiB"}
"""For Terraform and its provider, which live for seconds: fewer sweeps, about half the processor time."""
MIRRORS = ("/opt", "/usr/local/share/terraform", "/usr/share/terraform", "~/.terraform.d")

ADVICE = {  # what Terraform prints: what its reader can do about it
    r"Failed to (query available|install) provider": f"The AWS provider is out of reach. Check the network, \
or let TF_PLUGIN_DIR name a folder that holds {AWS} in the version of terraform/.terraform.lock.hcl.",
    r"No valid credential sources": "Sign in to AWS first (`aws sso login`) and set AWS_PROFILE.",
    r"NoSuchBucket|bucket .* does not exist": "Create the bucket named in the .backend.hcl file.",
}


def plugin_dir() -> Path | None:
    """The mirror to install the AWS provider from; None for the public registry.

    Raises:
        TidegateError: TF_PLUGIN_DIR names a folder that is no mirror.
    """
    if named := os.environ.get("TF_PLUGIN_DIR"):
        if not (Path(named) / AWS).is_dir():
            raise TidegateError(f"TF_PLUGIN_DIR={named} does not hold {AWS}: correct or unset it.")
        return Path(named)
    folders = (folder for place in MIRRORS for folder in sorted(Path(place).expanduser().glob("*")))
    return next((folder for folder in folders if (folder / AWS).is_dir()), None)


class Terraform:
    """The repository's Terraform for one environment, apart from every other.

    Args:
        environment: a file environments/<name>.tfvars; None to validate and test, without a state.
        working: folder of the provider and the backend's settings (TF_DATA_DIR); one per environment if None.
        variables: Terraform variables that override those of the file.
        environ: the process environment, credentials and AWS_ENDPOINT_URL included; ours if None.
        on_line: called with every line that Terraform prints, as it appears.
    """

    def __init__(
        self,
        environment: str | None = None,
        *,
        working: Path | None = None,
        variables: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda _: None,
    ) -> None:
        known = sorted(path.stem for path in ROOT.glob("environments/*.tfvars"))
        if environment and environment not in known:
            raise TidegateError(f"There is no environment {environment}; there are {', '.join(known)}.")
        self._environment = environment
        self._variables = [f"-var={name}={value}" for name, value in (variables or {}).items()]
        self._on_line = on_line
        working = working or REPOSITORY / ".build/terraform" / (environment or "offline")
        self._environ = {**GO, **(os.environ if environ is None else environ), "TF_DATA_DIR": str(working)}
        if not Path(self._environ.get("TF_CLI_CONFIG_FILE", os.devnull)).exists():
            del self._environ["TF_CLI_CONFIG_FILE"]  # Terraform would warn on every line we parse

    def init(self) -> None:
        """Fetch the provider and, for an environment, open its state."""
        found = ""
        if shutil.which("terraform", path=self._environ.get("PATH")):
            found = json.loads(self.run("version", "-json"))["terraform_version"]
        if not found or tuple(map(int, found.split(".")[:2])) < OLDEST:
            needed = "Terraform {}.{} or later (https://developer.hashicorp.com/terraform)".format(*OLDEST)
            raise TidegateError(f"{needed} must be installed; the PATH has {found or 'none'}.")
        backend = f"-backend-config=environments/{self._environment}.backend.hcl"
        options = [backend if self._environment else "-backend=false"]
        if mirror := plugin_dir():
            options.append(f"-plugin-dir={mirror}")
        self.run("init", "-input=false", "-lockfile=readonly", *options)

    def apply(self) -> None:
        """Apply without asking."""
        self.run("apply", "-auto-approve", "-input=false", "-compact-warnings")

    def destroy(self) -> None:
        """Destroy without asking."""
        self.run("destroy", "-auto-approve", "-input=false", "-compact-warnings")

    def output(self) -> dict[str, Any]:
        """The outputs by name."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    def run(self, verb: str, *options: str) -> str:
        """What `terraform <verb>` prints. Raises TidegateError, saying what to do, when it fails."""
        lines = []
        command = self._command(verb, "-no-color", *options)
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=self._environ, **pipes) as process:
            for line in process.stdout or ():
                lines.append(line)
                self._on_line(line.rstrip())
        printed = "".join(lines)
        if process.returncode:
            error = printed[printed.find("Error:") :] if "Error:" in printed else printed
            advice = [text for pattern, text in ADVICE.items() if re.search(pattern, printed)]
            raise TidegateError("\n".join([f"terraform {verb} failed.", error.strip(), *advice]))
        return printed

    def hand_over(self, verb: str, *options: str) -> int:
        """Run in this terminal, where Terraform can ask. Its exit code."""
        return subprocess.call(self._command(verb, *options), cwd=ROOT, env=self._environ)

    def apply_saved(self, plan: str, *options: str) -> int:
        """Apply a plan that was saved, in this terminal, without asking. Its exit code."""
        return subprocess.call(["terraform", "apply", *options, plan], cwd=ROOT, env=self._environ)

    def _command(self, verb: str, *options: str) -> list[str]:
        if self._environment and verb in {"plan", "apply", "destroy"}:
            options = (f"-var-file=environments/{self._environment}.tfvars", *self._variables, *options)
        return ["terraform", verb, *options]


def main(arguments: list[str]) -> int:
    """Initialise, then run one command in this terminal. Exit code 2 for what cannot be started or planned.

    Above a plan stands what it changes of policies and models: see `processor.local.planning`.
    """
    try:
        match arguments:
            case ["validate" | "test" as verb, *options]:
                terraform = Terraform()
            case ["plan" | "apply" | "destroy" | "output" | "show" as verb, environment, *options]:
                terraform = Terraform(environment, on_line=progress)
            case _:
                raise TidegateError(__doc__)  # noqa: TRY301 - wrong usage is unusable input like any other
        terraform.init()
        if verb in {"plan", "apply"} and not is_bare(options):
            return reviewed(terraform, ROOT, verb, options)
    except TidegateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the message is the result
        return 2
    return terraform.hand_over(verb, *options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
