"""The life of a procedure, driven by the official Python client over stdio.

Usage: python tests/e2e/lifecycle.py [path of the binary, by default target/debug/repertoire]

Each story starts a server of its own on a new home. The client validates every successful answer against the tool's
output schema, so a story that passes also says that the schemas are true.
"""

import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import malformed
from mcp.client import Client, ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "target" / "debug" / "repertoire").resolve()
# The client closes stdin, waits two seconds, then kills. A server that takes that long did not end by itself.
GRACE_SECONDS = 1.9
STORY_SECONDS = 120
HANDSHAKE = "2025-11-25"
STATELESS = "2026-07-28"

# One snapshot per tool: a test sees to it that these are all.
TOOLS = {snapshot.stem for snapshot in (REPOSITORY / "tests" / "snapshots" / "tools").glob("*.snap")}

WORKING = '''\
def total_invoice(amounts: list[float], tax_percent: float = 20.0) -> dict:
    """Add up an invoice.

    Args:
        amounts: The net amounts.
        tax_percent: The tax rate.

    Returns:
        The net, tax and gross sums.
    """
    net = round(sum(amounts), 2)
    tax = round(net * tax_percent / 100, 2)
    return {"net": net, "tax": tax, "gross": round(net + tax, 2)}
'''

FAILING = '''\
def total_invoice(amounts: list[float], tax_percent: float = 20.0) -> dict:
    """Add up an invoice, in a way that does not work.

    Args:
        amounts: The net amounts.
        tax_percent: The tax rate.

    Returns:
        Nothing: it raises.
    """
    raise ValueError("the tax table is empty")
'''

UNSAFE = """\
import subprocess


def total_invoice(amounts: list[float]) -> int:
    return subprocess.call(["rm", "-rf", "/"])
"""


READ_SECRET = '''\
def read_secret() -> str:
    """Read a file."""
    with open("/etc/hostname") as file:
        return file.read()
'''

ADD = """\
def add(a: int, b: int) -> int:
    return a + b
"""


class Server:
    """A connection, with the assertions that hold for every call."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def _call(self, tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        result = await self.session.call_tool(tool, arguments)
        content = result.structured_content
        assert isinstance(content, dict), f"{tool} answered without structured content: {result}"
        assert "timestamp" in content and "success" in content, content
        assert content["success"] is not result.is_error, content
        assert result.content and result.content[0].type == "text", f"{tool} answered without text"
        return content, result.is_error

    async def ok(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The answer of a call that must succeed. The client checks it against the tool's output schema."""
        content, is_error = await self._call(tool, arguments)
        assert not is_error, f"{tool} failed: {content}"
        return content

    async def refused(self, tool: str, error_code: str, /, **arguments: Any) -> dict[str, Any]:
        """The answer of a call that must fail with this error code."""
        content, is_error = await self._call(tool, arguments)
        assert is_error, f"{tool} should have failed: {content}"
        assert content["error_code"] == error_code and content["error"], content
        return content


def plain_command(home: Path, *arguments: str) -> StdioServerParameters:
    """How to start a server on `home`."""
    arguments = ("--home", str(home), "serve", "--toolsets", "all", *arguments)
    # The client passes on only some variables; without this one the servers' logs would fill the screen.
    return StdioServerParameters(command=str(BINARY), args=list(arguments), env={"REPERTOIRE_LOG": "warn"})


def command(home: Path, pid_file: Path) -> StdioServerParameters:
    """The same, so that the process id is known: Python writes down its own and becomes the server."""
    plain = plain_command(home)
    if os.name == "nt":
        return plain
    become = (
        "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); "
        "os.execv(sys.argv[2], sys.argv[2:])"
    )
    arguments = ["-c", become, str(pid_file), plain.command, *plain.args]
    return StdioServerParameters(command=sys.executable, args=arguments, env=plain.env)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def serving(
    home: Path, change: Callable[[StdioServerParameters], StdioServerParameters] = lambda parameters: parameters
) -> AsyncIterator[tuple[Any, Any]]:
    """The streams of a server on `home`, which must end by itself when they are closed."""
    pid_file = home.with_name(f"{home.name}.pid")
    log = home.with_name(f"{home.name}.log")
    with log.open("w") as errors:
        try:
            async with stdio_client(change(command(home, pid_file)), errlog=errors) as streams:
                yield streams
                left_at = time.monotonic()
        except BaseException:
            sys.stderr.write(log.read_text())
            raise
    took = time.monotonic() - left_at
    assert took < GRACE_SECONDS, f"the server did not end by itself when its stdin closed ({took:.1f} s)"
    if pid_file.exists():
        pid = int(pid_file.read_text())
        assert not is_alive(pid), f"the server process {pid} is still there"
    sessions = list((home / "sessions").iterdir())
    assert not sessions, f"the server did not sign off from its home: {sessions}"


async def connect(session: ClientSession, protocol: str) -> None:
    if protocol == STATELESS:
        await session.discover()
    else:
        await session.initialize()
    assert session.protocol_version == protocol, session.protocol_version
    assert session.server_info is not None and session.server_info.name == "repertoire", session.server_info
    assert session.instructions and "recall_procedures" in session.instructions


async def check_tools(session: ClientSession) -> None:
    tools = (await session.list_tools()).tools
    assert {tool.name for tool in tools} == TOOLS, sorted(tool.name for tool in tools)
    for tool in tools:
        assert tool.description and tool.annotations, tool.name
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None and schema["type"] == "object", tool.name
            assert not {"anyOf", "oneOf", "allOf", "$ref", "$defs"} & schema.keys(), tool.name


async def life_of_a_procedure(server: Server, home: Path) -> None:
    # Remember: version 1, a definition without code.
    remembered = await server.ok(
        "remember_procedure",
        name="Total invoice",
        description="Adds up the net amounts of an invoice and the tax on them.",
        category="accounting",
        steps=["Add up the amounts", "Work out the tax"],
        parameters=[
            {"name": "amounts", "type": "array"},
            {"name": "tax_percent", "type": "number", "default": 20.0},
        ],
    )
    procedure = remembered["procedure_id"]
    assert (remembered["name"], remembered["version"]) == ("total_invoice", 1), remembered
    assert remembered["status"] == "active" and remembered["has_code"] is False, remembered
    await server.refused("execute_procedure", "no_code", procedure_id=procedure)
    await server.refused("remember_procedure", "name_taken", name="total_invoice", steps=["Again"])

    # Code that is not safe is not stored; code of the agent is version 2.
    rejected = await server.refused("generate_procedure_code", "code_rejected", procedure_id=procedure, code=UNSAFE)
    assert any(issue["line"] == 1 and issue["category"] == "security" for issue in rejected["issues"]), rejected
    generated = await server.ok("generate_procedure_code", procedure_id=procedure, code=WORKING)
    assert (generated["source"], generated["version"]) == ("agent", 2), generated
    assert generated["confidence"] >= 0.7 and generated["code"] == WORKING, generated

    # Validate.
    validated = await server.ok("validate_procedure_code", procedure_id=procedure, code=WORKING)
    assert all(validated["checks"][name] for name in ("syntax", "security", "docstring", "type_hints", "runnable"))
    judged = await server.ok("validate_procedure_code", code="def f(:\n    pass\n")
    assert judged["checks"]["syntax"] is False and judged["issues"][0]["line"] == 1, judged

    # Execute, by number and by name.
    first = await server.ok("execute_procedure", procedure_id=procedure, parameters={"amounts": [19.99, 5.01]})
    assert first["outcome"] == "success" and first["result"] == {"net": 25.0, "tax": 5.0, "gross": 30.0}, first
    # Some clients send objects as JSON text.
    text = json.dumps({"amounts": [100], "tax_percent": 10})
    second = await server.ok("execute_procedure", procedure_id="total_invoice", parameters=text)
    assert second["result"] == {"net": 100, "tax": 10.0, "gross": 110.0}, second
    wrong = await server.refused("execute_procedure", "invalid_parameters", procedure_id=procedure, parameters={"x": 1})
    assert "total_invoice(amounts: list[float]" in wrong["error"], wrong
    stats = await server.ok("get_procedure_stats", procedure_id=procedure)
    assert (stats["usage_count"], stats["success_rate"]) == (2, 1.0), stats

    # Code that fails is version 3.
    failing = await server.ok("generate_procedure_code", procedure_id=procedure, code=FAILING)
    assert failing["version"] == 3, failing
    listed = await server.ok("get_procedure_versions", procedure_id=procedure)
    versions = listed["versions"]
    assert listed["count"] == 3, listed
    assert [version["version"] for version in versions] == [3, 2, 1], versions
    assert [version["kind"] for version in versions] == ["code", "code", "definition"], versions
    assert [version["is_current"] for version in versions] == [True, False, False], versions
    assert all(version["lines_added"] > 0 for version in versions), versions
    assert [version["lines_removed"] > 0 for version in versions] == [True, False, False], versions
    assert versions[1]["lines_added"] == len(WORKING.splitlines()), versions[1]
    failed = await server.refused("execute_procedure", "run_failed", procedure_id=procedure, parameters={"amounts": [1]})
    assert failed["outcome"] == "failure" and failed["error_type"] == "ValueError", failed
    assert failed["error"] == "the tax table is empty" and "line 11, in total_invoice" in failed["traceback"], failed
    stats = await server.ok("get_procedure_stats", procedure_id=procedure)
    assert stats["usage_count"] == 3 and abs(stats["success_rate"] - 2 / 3) < 0.01, stats
    assert stats["execution_stats"]["last_error"].endswith("the tax table is empty"), stats

    # Roll back to version 2: version 4 has its code, and the history is kept.
    await server.refused("rollback_procedure_code", "version_without_code", procedure_id=procedure, target_version=1)
    rolled = await server.ok(
        "rollback_procedure_code", procedure_id=procedure, target_version="v2", reason="version 3 fails"
    )
    assert (rolled["target_version"], rolled["version"]) == (2, 4), rolled
    assert rolled["procedure"] == {"name": "total_invoice", "code_version": 4}, rolled
    last = await server.ok("execute_procedure", procedure_id=procedure, parameters={"amounts": [1.5]})
    assert last["result"]["gross"] == 1.8, last
    versions = (await server.ok("get_procedure_versions", procedure_id=procedure))["versions"]
    assert [version["version"] for version in versions] == [4, 3, 2, 1] and versions[0]["kind"] == "rollback", versions
    assert (await server.ok("get_procedure", procedure_id=procedure))["code"] == WORKING

    # Any git sees the same history.
    if git := shutil.which("git"):
        folder = "procedures/accounting/total_invoice"
        repository = [git, "--git-dir", str(home / "procedures.git")]
        log = await anyio.run_process([*repository, "log", "--format=%H", "main", "--", folder])
        commits = log.stdout.decode().split()
        assert commits == [version["commit"] for version in versions], commits
        for commit, code in zip(commits, [WORKING, FAILING, WORKING], strict=False):
            shown = await anyio.run_process([*repository, "show", f"{commit}:{folder}/procedure.py"])
            assert shown.stdout.decode() == code, commit

    # It is found by what it is for, and its runs are on record.
    found = await server.ok("recall_procedures", query="tax on an invoice")
    assert found["procedures"][0]["name"] == "total_invoice", found
    runs = await server.ok("list_runs", procedure_id=procedure)
    assert [run["status"] for run in runs["runs"]][:2] == ["succeeded", "failed"], runs
    shown = await server.ok("get_run", run_id=last["run_id"])
    assert shown["status"] == "succeeded" and shown["version"] == 4, shown


async def a_step_for_a_person(server: Server, home: Path) -> None:
    remembered = await server.ok(
        "remember_procedure",
        name="Publish release",
        description="Publishes a release after a person has looked at it.",
        steps=["Ask the release manager whether {{version}} may go out", "Tell the team about {{version}}"],
    )
    procedure = remembered["procedure_id"]
    generated = await server.ok("generate_procedure_code", procedure_id=procedure, use_llm=False)
    assert generated["source"] == "heuristic" and "manual_step(" in generated["code"], generated

    paused = await server.ok("execute_procedure", procedure_id=procedure, parameters={"version": "1.2.0"})
    assert paused["outcome"] == "paused", paused
    assert paused["waiting_for"] == "Ask the release manager whether 1.2.0 may go out", paused
    run = paused["run_id"]
    assert [r["run_id"] for r in (await server.ok("list_runs", status="paused"))["runs"]] == [run]
    paused = await server.ok("resume_run", run_id=run, value={"approved_by": "Kim"})
    assert paused["outcome"] == "paused" and paused["waiting_for"] == "Tell the team about 1.2.0", paused
    shown = await server.ok("get_run", run_id=run)
    assert (shown["steps_completed"], shown["steps_total"], shown["progress"]) == (1, 2, 0.5), shown
    done = await server.ok("resume_run", run_id=run, decision="approve")
    assert done["outcome"] == "success" and done["result"]["step_1"] == {"approved_by": "Kim"}, done
    await server.refused("resume_run", "run_not_paused", run_id=run)

    paused = await server.ok("execute_procedure", procedure_id=procedure, parameters={"version": "1.3.0"})
    rejected = await server.refused(
        "resume_run", "run_failed", run_id=paused["run_id"], decision="reject", value="not this week"
    )
    assert "not this week" in rejected["error"], rejected
    paused = await server.ok("execute_procedure", procedure_id=procedure, parameters={"version": "1.4.0"})
    await server.ok("cancel_run", run_id=paused["run_id"])
    assert (await server.ok("get_run", run_id=paused["run_id"]))["status"] == "cancelled"


async def nothing_is_granted_by_default(server: Server, home: Path) -> None:
    refused = await server.refused("execute_procedure", "permission_denied", procedure_id="summarise_git_changes")
    assert "`git status`" in refused["error"] and "config.toml" in refused["error"], refused
    await server.ok("remember_procedure", name="read_secret", steps=["Read it"], code=READ_SECRET)
    refused = await server.refused("execute_procedure", "run_failed", procedure_id="read_secret")
    assert refused["error_type"] == "PermissionError", refused
    # A starter that needs no permission works at once.
    explained = await server.ok(
        "execute_procedure", procedure_id="explain_cron", parameters={"expression": "0 9 * * 1-5"}
    )
    assert "Monday to Friday" in explained["result"]["explanation"], explained


async def fields_change_and_procedures_go(server: Server, home: Path) -> None:
    remembered = await server.ok("remember_procedure", name="water_plants", steps=["Water the plants"])
    procedure = remembered["procedure_id"]
    updated = await server.ok("update_procedure", procedure_id=procedure, expected_version=1, tags=["home"])
    assert updated["version"] == 2, updated
    stale = await server.refused(
        "update_procedure", "stale_version", procedure_id=procedure, expected_version=1, tags=["garden"]
    )
    assert stale["current_version"] == 2, stale
    assert (await server.ok("list_procedures", tag="home"))["total"] == 1
    assert (await server.ok("search_procedures_by_confidence", min_confidence=0.9, limit=3))["count"] == 3
    misspelt = await server.refused("get_procedure", "procedure_not_found", procedure_id="water_plant")
    assert "`water_plants`" in misspelt["error"], misspelt
    await server.ok("delete_procedure", procedure_id=procedure, expected_version=2)
    await server.refused("get_procedure", "procedure_deleted", procedure_id=procedure)
    assert (await server.ok("get_procedure_versions", procedure_id=procedure))["count"] == 2
    assert (await server.ok("get_procedure_stats", procedure_id=procedure))["deleted"] is True


async def the_next_server_knows_everything(server: Server, home: Path) -> None:
    await server.ok("remember_procedure", name="add", steps=["Add"], code=ADD)
    await server.ok("execute_procedure", procedure_id="add", parameters={"a": 1, "b": 2})
    # Another server, on the same home at the same time.
    async with stdio_client(plain_command(home)) as streams, ClientSession(*streams) as session:
        await session.initialize()
        other = Server(session)
        result = await other.ok("execute_procedure", procedure_id="add", parameters={"a": 2, "b": 2})
        assert result["result"] == 4, result
        await other.ok("generate_procedure_code", procedure_id="add", code=ADD.replace("a + b", "b + a"))
    stats = await server.ok("get_procedure_stats", procedure_id="add")
    assert stats["usage_count"] == 2, stats
    assert (await server.ok("get_procedure", procedure_id="add"))["version"] == 2


async def a_workflow_with_branches(server: Server, home: Path) -> None:
    flow = {"workflow_id": "document-review"}
    for number in (1, 2, 3):
        run = {"run_id": f"run-{number}"}
        first = await server.ok("save_checkpoint", **flow, **run, node_id="read", state={"done": ["read"]})
        assert (first["sequence_number"], first["is_new"]) == (1, True), first

        # Two branches at the same time.
        async def branch(name: str, risk: int, run: dict[str, str], parent: str) -> None:
            saved = await server.ok(
                "save_checkpoint", **flow, **run, node_id=name, branch_id=name, parent_checkpoint_id=parent,
                state={"done": [name], "risk": risk, "notes": [f"{name} looked"]},
            )  # fmt: skip
            assert saved["is_new"], saved

        async with anyio.create_task_group() as group:
            group.start_soon(branch, "approval", 1, run, first["checkpoint_id"])
            group.start_soon(branch, "legal", 3, run, first["checkpoint_id"])

        # Another process finds where each of them stands.
        async with stdio_client(plain_command(home)) as streams, ClientSession(*streams) as session:
            await session.initialize()
            found = await Server(session).ok("get_resume_point", **run, branch_ids=["approval", "legal", "layout"])
        branches = found["branches"]
        assert branches.keys() == {"approval", "legal"}, found
        assert {checkpoint["sequence_number"] for checkpoint in branches.values()} == {2, 3}, found
        parents = {checkpoint["parent_checkpoint_id"] for checkpoint in branches.values()}
        assert parents == {first["checkpoint_id"]}, found

        states = [branches[name]["state"] for name in ("approval", "legal")]
        reducers = {"done": "union", "risk": "max", "notes": "append"}
        merged = await server.ok("merge_states", states=states, field_reducers=reducers)
        wanted = {"done": ["approval", "legal"], "risk": 3, "notes": ["approval looked", "legal looked"]}
        assert merged["state"] == wanted, merged
        completed = await server.ok(
            "complete_workflow", **flow, **run, outcome="success", duration_ms=900, node_count=3, nodes_succeeded=3,
            nodes_failed=0,
        )  # fmt: skip
        assert completed["checkpoints_deleted"] == 3, completed

    # The third run that went the same way taught a strategy.
    assert completed["learnings_extracted"] == 1, completed
    listed = await server.ok("list_candidates")
    assert [candidate["candidate_id"] for candidate in listed["candidates"]] == completed["candidate_ids"], listed
    assert listed["candidates"][0]["evidence"]["run_ids"] == ["run-3", "run-2", "run-1"], listed
    reviewed = await server.ok("review_candidate", candidate_id=completed["candidate_ids"][0], decision="approve")
    recalled = await server.ok("recall_procedures", query="", scope="workflow", **flow)
    assert [procedure["name"] for procedure in recalled["procedures"]] == [reviewed["name"]], recalled
    past = await server.ok("recall_outcomes", **flow, as_prompt=True, max_tokens=200)
    assert past["count"] == 3 and "run run-3): succeeded, 3/3 nodes" in past["prompt"], past
    link = {"type": "report", "uri": "https://example.org/report.pdf", "metadata": {"pages": 2}}
    await server.ok("link_artifact", memory_type="outcome", memory_id="run-3", artifact=link)
    shown = await server.ok("list_checkpoints", run_id="run-3")
    assert shown["count"] == 0 and shown["artifacts"][0]["uri"] == link["uri"], shown


Story = Callable[[Server, Path], Awaitable[None]]

STORIES: list[Story] = [
    life_of_a_procedure,
    a_step_for_a_person,
    nothing_is_granted_by_default,
    fields_change_and_procedures_go,
    the_next_server_knows_everything,
    a_workflow_with_branches,
]


async def tell(story: Story, protocol: str, home: Path) -> None:
    with anyio.fail_after(STORY_SECONDS):
        async with serving(home) as streams:
            async with ClientSession(*streams) as session:
                await connect(session, protocol)
                await check_tools(session)
                await story(Server(session), home)


async def the_client_picks_the_newest_protocol(home: Path) -> None:
    """What a user of the client gets who does not ask for a protocol."""
    async with Client(stdio_client(plain_command(home, "--read-only"))) as client:
        assert client.protocol_version == STATELESS, client.protocol_version
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "recall_procedures" in names and "execute_procedure" not in names, names
        result = await client.call_tool("recall_procedures", {"query": "what changed in the git working tree"})
        assert not result.is_error, result
        assert result.structured_content["procedures"][0]["name"] == "summarise_git_changes", result


async def every_malformed_request_is_answered(protocol: str, home: Path) -> None:
    with anyio.fail_after(STORY_SECONDS):
        async with serving(home, malformed.passing_any_bytes) as streams:
            await malformed.check_all(streams, lambda session: connect(session, protocol))


def cause(error: BaseException) -> BaseException:
    """What went wrong, without the task groups around it."""
    while len(inner := getattr(error, "exceptions", ())) == 1:
        error = inner[0]
    return error


def main() -> int:
    assert BINARY.exists(), f"{BINARY} does not exist; `cargo build --locked` makes it"
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="repertoire e2e ") as folder:
        cases: list[tuple[str, Callable[[Path], Awaitable[None]]]] = [
            (f"{story.__name__} ({protocol})", lambda home, story=story, protocol=protocol: tell(story, protocol, home))
            for protocol in (HANDSHAKE, STATELESS)
            for story in STORIES
        ]
        cases += [
            (
                f"every_malformed_request_is_answered ({protocol})",
                lambda home, protocol=protocol: every_malformed_request_is_answered(protocol, home),
            )
            for protocol in (HANDSHAKE, STATELESS)
        ]
        cases.append(("the_client_picks_the_newest_protocol", the_client_picks_the_newest_protocol))
        for number, (name, case) in enumerate(cases):
            home = Path(folder) / f"home {number}"
            try:
                anyio.run(case, home)
            except Exception as error:  # noqa: BLE001 - a failed story must not hide the others
                failed += 1
                print(f"FAILED {name}", flush=True)
                traceback.print_exception(cause(error))
            else:
                passed += 1
                print(f"ok     {name}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
