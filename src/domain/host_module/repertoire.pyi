"""What a procedure can reach outside the sandbox. Every call is checked against its permissions and the policy."""

from typing import Any, Generator

class CommandResult:
    stdout: str
    stderr: str
    exit_code: int
    def __await__(self) -> Generator[Any, Any, CommandResult]: ...

def run_command(
    command: list[str],
    *,
    cwd: str | None = None,
    stdin: str | None = None,
    check: bool = True,
    timeout: float | None = None,
    idempotent: bool = False,
) -> CommandResult:
    """Run a program without a shell. With `check`, an exit code other than 0 raises `RuntimeError`.

    `cwd` must be a granted directory, `timeout` is in seconds. A call without a grant raises `PermissionError`.
    `idempotent` says that it may be repeated when a crash leaves its outcome unknown.
    """

def call_procedure(name: str, arguments: dict[str, Any] | None = None, *, timeout: float | None = None) -> Any:
    """Run another procedure with these arguments and return its result; what it raises is raised here.

    After `timeout` seconds, whatever it does or waits for, it is stopped and `TimeoutError` is raised here.
    """

def call_tool(tool: str, arguments: dict[str, Any] | None = None, *, timeout: float | None = None, idempotent: bool = False) -> Any:
    """Call a tool of another MCP server, as `server/tool`, and return what it gives.

    That is its structured content, else its text: parsed where it is a JSON object or array. What the tool reports as
    an error raises `RuntimeError`, a call without a grant `PermissionError`; `timeout` is in seconds (`TimeoutError`).
    """

class HttpResponse:
    status: int
    headers: dict[str, str]
    text: str
    json: Any
    url: str
    def __await__(self) -> Generator[Any, Any, HttpResponse]: ...

def http_request(
    url: str, *, method: str = "GET", headers: dict[str, str] | None = None, params: dict[str, Any] | None = None,
    json: Any = None, body: str | None = None, timeout: float | None = None, check: bool = True,
    idempotent: bool | None = None,
) -> HttpResponse:
    """Send a request to a granted host. With `check`, a status of 400 or more raises `RuntimeError`."""

def llm(prompt: str, *, system: str | None = None, max_tokens: int | None = None) -> str:
    """Ask the language model of the configuration and return its answer."""

def manual_step(instruction: str) -> Any:
    """Pause the run and hand `instruction` to the agent or the person; returns what they bring back."""

def sleep(seconds: float) -> Any:
    """Wait this long, for days if need be: the run needs no worker and no time of its own meanwhile."""

def sleep_until(when: str, *, timezone: str | None = None) -> Any:
    """Wait until `when`: `2026-03-29T06:00:00Z`; or a date, a time of that day or a time (the next) in `timezone`, else UTC."""

def approve(message: str, *, timeout: float | None = None, optional: bool = False) -> Any:
    """Wait until somebody agrees; a refusal, or `timeout` seconds without an answer, raises `PermissionError`.

    With `optional`, it gives `None` when nobody answered in time: do without what was to be approved then.
    """

def ask(question: str, choices: list[str] | None = None, *, timeout: float | None = None) -> Any:
    """Wait until somebody answers, and return the answer. A refusal raises `RuntimeError`, `timeout` `TimeoutError`."""

def checkpoint(state: Any, name: str | None = None) -> None:
    """Save a state of the run, a checkpoint that get_resume_point shows; `name` is its node."""

def notify(
    message: str, *, title: str | None = None, channel: str | None = None, level: str = "info", timeout: float | None = None,
) -> dict[str, Any]:
    """Put a notification into the user's inbox, and send it if there is a channel; returns it with its `id`."""

def create_task(
    title: str, *, description: str | None = None, assignee: str | None = None, due: str | None = None,
    priority: str | None = None,
) -> dict[str, Any]:
    """Put a task into the inbox. `due` is an ISO date; `priority` is low, medium, high or urgent."""

def draft_email(
    to: str | list[str], subject: str, body: str, *, cc: str | list[str] | None = None,
    bcc: str | list[str] | None = None, attachments: list[str] | None = None,
) -> dict[str, Any]:
    """Put an e-mail into the inbox to look over; nothing is sent."""

def log(message: str) -> None:
    """Add a line to the run's output."""

def skip_step(reason: str) -> None:
    """Say that the step at hand is skipped: it does not count as completed, and the run's output says why."""
