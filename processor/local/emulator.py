"""A Lambda function on this machine: AWS's Runtime Interface Emulator and its client run the real package.

    with running(folder, handler="app.handler", python=runtime_python(), environ={}) as function:
        answer = function.invoke({"Records": []})

A cold start, a timeout (the process is killed) and a crash are what they are in Lambda. The function sees its
package, the runtime and the environment it is given; nothing of this repository or of our own environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final

from processor.errors import TidegateError
from processor.local.aws import DIRECTLY
from processor.local.delivery import PAYLOAD_BYTES_MAX, Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST: Final = "127.0.0.1"
READY_S: Final = 20.0
STOP_S: Final = 5.0
TAIL_BYTES: Final = 4096  # of the log, in Lambda's answer to who asks for it
STARTS_MAX: Final = 3  # another process may take a port between our choice and the emulator's use of it
ARCHITECTURES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

_INIT = re.compile(rb"INIT REPORT\(durationMs: ([0-9.]+)\)")
_ERROR_TYPE = re.compile(r"[\w.]{1,80}", re.ASCII)


def architecture() -> str:
    """This machine's processor, as Lambda calls it."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise TidegateError(f"Lambda has no processor like this machine's ({machine}).")
    return ARCHITECTURES[machine]


def emulator_path() -> Path:
    """AWS's emulator for this machine, from the wheel of aws-sam-cli.

    Raises:
        TidegateError: it is not installed.
    """
    spec = find_spec("samcli")  # only for its folder: its dependencies are not installed
    if spec and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations)))
        program = folder / "local" / "rapid" / f"aws-lambda-rie-{architecture()}"
        if program.exists():
            program.chmod(program.stat().st_mode | 0o100)  # a wheel does not keep the mode
            return program
    raise TidegateError("AWS's Lambda emulator is not installed: run `make setup`.")


class Function:
    """A running function: one execution environment, which takes one call at a time as Lambda's do."""

    def __init__(self, url: str, log: Path, timeout_s: float) -> None:
        self._url, self._log, self._timeout_s = url, log, timeout_s
        self._lock = Lock()

    @property
    def log(self) -> bytes:
        """All that the function and the emulator have written so far."""
        return self._log.read_bytes()

    @property
    def cold_starts_ms(self) -> list[float]:
        """How long each initialisation took."""
        return [float(found) for found in _INIT.findall(self.log)]

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Call the function and wait. An error's type is kept, not its text, which may quote the event."""
        body = json.dumps(event).encode()
        if len(body) > PAYLOAD_BYTES_MAX:
            return Answer(error="RequestEntityTooLarge")
        with self._lock:
            before = self._log.stat().st_size
            answer = _answered(self._post(body))
            return replace(answer, log=self._logged_since(before)[-TAIL_BYTES:])

    def _logged_since(self, start: int) -> bytes:
        with self._log.open("rb") as log:
            log.seek(start)
            return log.read()

    def _post(self, body: bytes) -> bytes:
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            # A cold start after a timeout does not count against the function's own time.
            with DIRECTLY.open(request, timeout=self._timeout_s + READY_S) as response:
                content: bytes = response.read()
        except urllib.error.HTTPError as failed:  # the runtime died, or its answer is too large
            with failed:
                content = failed.read()
        return content


def _answered(body: bytes) -> Answer:
    try:
        payload = json.loads(body)
    except ValueError:  # the emulator says "Task timed out after 3.00 seconds"
        return Answer(error="Task timed out" if body.startswith(b"Task timed out") else "Unreadable")
    if isinstance(payload, dict) and {"errorType", "errorMessage"} <= payload.keys():
        named = str(payload["errorType"])
        return Answer(error=named if _ERROR_TYPE.fullmatch(named) else "Unhandled")
    return Answer(payload)


@contextmanager
def running(
    folder: Path,
    *,
    handler: str,
    python: Path,
    environ: Mapping[str, str],
    name: str = "function",
    version: str = "$LATEST",
    timeout_s: int = 60,
    memory_mb: int = 1024,
) -> Iterator[Function]:
    """Run the unpacked package in `folder` until the context is left. It starts cold at the first call.

    Args:
        folder: the package's root; it becomes the working folder.
        handler: `module.function` within it.
        python: of the runtime, with awslambdaric.
        environ: the function's own variables, region and credentials included.
        name: of the function.
        version: of the function.
        timeout_s: after which it is killed.
        memory_mb: what it is told to have; nothing limits it.

    Raises:
        TidegateError: the emulator does not start.
    """
    own = {
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "LAMBDA_TASK_ROOT": str(folder),
        "LANG": "en_US.UTF-8",
        "PATH": os.defpath,
        # In Lambda the package is read-only: what is compiled in a cold start cannot be kept for the next.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "TZ": ":UTC",
    }
    command = [str(python), "-m", "awslambdaric", handler]
    with tempfile.TemporaryDirectory(prefix="tidegate-log-") as logs:
        log = Path(logs, "log")
        with log.open("wb") as output:
            process, port = _started(command, folder, {**environ, **own}, output)
            try:
                url = f"http://{HOST}:{port}/2015-03-31/functions/function/invocations"
                yield Function(url, log, timeout_s)
            finally:
                _stop(process)


def _started(
    command: list[str], folder: Path, environ: dict[str, str], output: IO[bytes]
) -> tuple[subprocess.Popen[bytes], int]:
    program = str(emulator_path())
    for _ in range(STARTS_MAX):
        port, api_port = _free_ports()
        addresses = {
            "--runtime-interface-emulator-address": f"{HOST}:{port}",
            "--runtime-api-address": f"{HOST}:{api_port}",
        }
        options = [part for option in addresses.items() for part in option]
        process = subprocess.Popen(
            [program, *options, *command],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we then stop it in order
        )
        try:
            if _is_ready(process, port):
                return process, port
        except BaseException:
            _stop(process)
            raise
        _stop(process)
    raise TidegateError("AWS's Lambda emulator does not start on this machine.")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind((HOST, 0))
        return one.getsockname()[1], other.getsockname()[1]


def _is_ready(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return True
        time.sleep(0.02)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # it kills the function's process before it ends
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
