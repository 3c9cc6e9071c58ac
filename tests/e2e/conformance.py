"""The official conformance suite against the program, on both generations of the protocol.

Usage: python tests/e2e/conformance.py SUITE [path of the binary, by default target/debug/repertoire]

SUITE is the suite's program, `node_modules/@modelcontextprotocol/conformance/dist/index.js`; `node` (22 or newer) is found in the
path, or named by NODE. The suite wants an address, which `bridge.py` gives, and for the Tasks extension a server with certain
tools: here these are procedures, and the bridge makes a call of one a call of `execute_procedure`.

Left out are scenarios about HTTP itself and those whose tools, prompts and resources have contents of the suite's own.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bridge import Bridge

REPOSITORY = Path(__file__).resolve().parents[2]
SUITE = sys.argv[1]
BINARY = Path(sys.argv[2] if len(sys.argv) > 2 else REPOSITORY / "target" / "debug" / "repertoire").resolve()
NODE = os.environ.get("NODE", "node")

SCENARIOS = {
    "2025-11-25": [
        "server-initialize",
        "server-session-lifecycle",
        "ping",
        "completion-complete",
        "tools-list",
        "resources-list",
        "prompts-list",
    ],
    "2026-07-28": [
        "completion-complete",
        "tools-list",
        "resources-list",
        "prompts-list",
        "sep-2164-resource-not-found",
        "caching",
        "tasks-lifecycle",
        "tasks-capability-negotiation",
        "tasks-wire-fields",
        "tasks-request-state-removal",
        "tasks-mrtr-input",
        "tasks-dispatch-and-envelope",
        "sep-2640-skills-directory",
        "sep-2640-skills-enumeration",
        "sep-2640-skills-manifest",
    ],
}

# What the suite's server does that a procedure can't, by the check that asks for it.
NOT_OURS = {
    "sep-2663-tasks-get-status-failed": "a run that fails is a result with `isError`, never a protocol error",
}

PROCEDURES = {
    "greet": 'def greet(name: str) -> str:\n    """Greet."""\n    return f"Hello, {name}!"\n',
    "slow_compute": "import asyncio\n\n\nasync def slow_compute(seconds: float, label: str = '') -> str:\n"
    '    """Take a while."""\n    await asyncio.sleep(seconds)\n    return label\n',
    "failing_job": "import asyncio\n\n\nasync def failing_job() -> None:\n"
    '    """Fail after a moment."""\n    await asyncio.sleep(0.5)\n    raise ValueError("it failed")\n',
    "confirm_delete": "import asyncio\nfrom repertoire import approve\n\n\nasync def confirm_delete(filename: str) -> str:\n"
    '    """Ask first."""\n    await asyncio.sleep(0.5)\n    approve(f"Delete {filename}?")\n    return filename\n',
    # What the suite answers is no answer to these, and so a refusal.
    "multi_input": "import asyncio\nfrom repertoire import ask\n\n\nasync def one(question: str) -> str:\n"
    "    try:\n        return await ask(question)\n    except Exception:\n        return 'refused'\n\n\n"
    'async def multi_input() -> list[str]:\n    """Ask two things at the same time."""\n'
    '    return await asyncio.gather(one("Name?"), one("Colour?"))\n',
}


def as_procedure(message: dict[str, Any]) -> dict[str, Any]:
    """A call of what is a procedure here."""
    params = message.get("params") or {}
    if message.get("method") == "tools/call" and params.get("name") in PROCEDURES:
        call = {"procedure_id": params["name"], "parameters": params.get("arguments") or {}}
        message = {**message, "params": {**params, "name": "execute_procedure", "arguments": call}}
    return message


def run(bridge: Bridge, version: str, scenario: str) -> list[dict[str, Any]]:
    """The checks of a scenario that did not succeed."""
    command = [NODE, SUITE, "server", "--url", bridge.url, "--scenario", scenario, "--verbose"]
    if not scenario.startswith(("tasks-", "sep-2640-")):
        command += ["--spec-version", version]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    begin = ended.stdout.find("[\n")
    if begin < 0:
        return [{"id": "none", "errorMessage": ended.stdout[-500:] + ended.stderr[-500:]}]
    checks, _ = json.JSONDecoder().raw_decode(ended.stdout[begin:])
    assert checks, f"{scenario} checks nothing"
    return [check for check in checks if check["status"] not in ("SUCCESS", "INFO", "SKIPPED")]


def main() -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder}
        command = [str(BINARY), "--home", f"{folder}/home", "serve", "--toolsets", "all"]
        bridge = Bridge(command, environment, as_procedure)
        remembering = bridge.server(None)
        for name, code in PROCEDURES.items():
            arguments = {"name": name, "steps": ["Do it"], "code": code}
            meta = {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "conformance", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            params = {"name": "remember_procedure", "arguments": arguments, "_meta": meta}
            said = remembering.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
            assert said[-1]["result"]["structuredContent"]["success"], said
        for version, scenarios in SCENARIOS.items():
            for scenario in scenarios:
                wrong = [check for check in run(bridge, version, scenario) if check["id"] not in NOT_OURS]
                print(f"{'failed' if wrong else 'ok':6} {version} {scenario}")
                for check in wrong:
                    print(f"       {check['id']}: {check.get('errorMessage')}")
                failures += bool(wrong)
        bridge.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
