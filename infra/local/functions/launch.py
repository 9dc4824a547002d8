"""One handler process: `python -m awslambdaric module.function`, with the variables that the real service sets.

The process is the leader of a session of its own, so that the handler's children end with it; and the kernel kills it
when this process dies (PR_SET_PDEATHSIG), even stopped or stuck: an interpreter without site packages sets that and
becomes the runtime by exec. Source for the variables: AWS Lambda developer guide, "Using Lambda environment variables".
"""

import os
import secrets
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from .settings import FunctionSettings, Settings

# argv: [1] this process's id (it may have died before the child came to life), [2:] the command
_DIE_WITH_PARENT = f"""
import ctypes, os, sys
if ctypes.CDLL(None).prctl(1, {signal.SIGKILL.value}) or os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
_TELEMETRY = "OTEL_"
_SERVICE_NAME = "OTEL_SERVICE_NAME"
"""The process's own, not its functions': they are told by AWS_LAMBDA_FUNCTION_NAME."""
_KIB_IN_MB = 1024


@dataclass(frozen=True, slots=True)
class HandlerProcess:
    """A started process, the reading end of its output, and a descriptor that is readable once it has exited."""

    process: "subprocess.Popen[bytes]"
    output: int
    exit: int

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children; nothing once it was reaped, when the id may be another's."""
        if self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):  # it may have gone, and nobody has been told yet
            os.killpg(self.process.pid, number)

    def reap(self) -> int:
        """The return code of the exited process; whatever it left in its session is killed."""
        self.signal(signal.SIGKILL)
        os.close(self.exit)
        return self.process.wait()

    def peak_memory_mb(self) -> int:
        """The most memory that the process ever held, or 0 when it has gone."""
        with suppress(OSError), open(f"/proc/{self.process.pid}/status") as status:  # noqa: PTH123 - one kernel file
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // _KIB_IN_MB
        return 0


def start(function: FunctionSettings, variables: Mapping[str, str]) -> HandlerProcess:
    """A new process of the function. Raises `OSError` when the machine cannot start one."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(writing, True)
    runtime = [sys.executable, "-m", "awslambdaric", function.handler]
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *runtime],
            cwd=function.code,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        return HandlerProcess(process, reading, os.pidfd_open(process.pid))
    except OSError:  # no descriptor left: the process would be nobody's
        process.kill()
        process.wait()
        os.close(reading)
        raise


def variables(function: FunctionSettings, version: str, settings: Settings, runtime_api: str) -> dict[str, str]:
    """The environment of a handler process: what the service sets, where telemetry goes, then the function's own."""
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{version}]{secrets.token_hex(16)}"
    credentials = settings.credentials
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        **{name: os.environ[name] for name in os.environ if name.startswith(_TELEMETRY) and name != _SERVICE_NAME},
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id if credentials else "local",
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key if credentials else "local",
        "AWS_SESSION_TOKEN": (credentials.session_token or "") if credentials else "local",
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(function.code),
        "LAMBDA_RUNTIME_DIR": sysconfig.get_path("purelib"),
        "LANG": "en_US.UTF-8",
        "PYTHONIOENCODING": "utf-8",  # a machine need not have the locale that the service's image has
        "TZ": ":UTC",
        **function.environment,
    }
