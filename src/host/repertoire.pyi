"""What a procedure can reach outside the sandbox. Every call is checked against its permissions and the policy."""

from typing import Any

class CommandResult:
    stdout: str
    stderr: str
    exit_code: int

def run_command(
    command: list[str],
    *,
    cwd: str | None = None,
    stdin: str | None = None,
    check: bool = True,
    timeout: float | None = None,
) -> CommandResult:
    """Run a program without a shell. With `check`, an exit code other than 0 raises `RuntimeError`.

    `cwd` must be a granted directory, `timeout` is in seconds. A call without a grant raises `PermissionError`.
    """

def call_procedure(name: str, arguments: dict[str, Any] | None = None) -> Any:
    """Run another procedure with these arguments and return its result; what it raises is raised here."""

def manual_step(instruction: str) -> Any:
    """Pause the run and hand `instruction` to the agent or the person; returns what they bring back."""

def log(message: str) -> None:
    """Add a line to the run's output."""
