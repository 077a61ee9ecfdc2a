"""One AWS provider for all of a process's plans against mocks."""

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator

import pytest

from processor.local.terraform import GO, Terraform

ADDRESS = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")


@pytest.fixture(scope="session")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Our environment, with the variable that leads Terraform to a provider that is up already.

    Terraform starts one several times a run otherwise, which takes longer than all else: of 44 runs 40 s of
    processor time, and so 17. Mocks ask a provider for its schema alone, so that it keeps nothing of a run.
    """
    working = tmp_path_factory.mktemp("provider")
    Terraform(working=working).init()
    (binary,) = working.glob("providers/*/*/*/*/*/terraform-provider-aws_*")
    process = subprocess.Popen(
        [binary, "-debug"],
        env={**GO, **os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield {**os.environ, "TF_REATTACH_PROVIDERS": _address(process.stdout or ())}
        finally:
            process.send_signal(signal.SIGINT)  # it removes its socket


def _address(printed: Iterable[str]) -> str:
    for line in printed:
        if found := ADDRESS.search(line):
            return found[1]
    raise AssertionError("The provider ended before it said where it listens.")
