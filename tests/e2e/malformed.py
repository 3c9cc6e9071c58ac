"""Requests that are not quite JSON, sent while the official Python client waits for their answers.

The client writes no such lines itself. So its requests are taken off the stream before they are written, and what is
written in their place is the same request with something wrong in it. The client still waits for the answer with its id:
it must get one within a second, and the next call must be answered as ever.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp import MCPError
from mcp.client import ClientSession
from mcp.client.stdio import StdioServerParameters

PATIENCE_SECONDS = 1.0
# More than the longest line that is read.
TOO_LONG = 65 * 1024 * 1024

Mangle = Callable[[str], bytes]


def replaced(old: str, new: str) -> Mangle:
    def mangle(line: str) -> bytes:
        assert old in line, line
        return line.replace(old, new).encode()

    return mangle


def argument(text: str) -> Mangle:
    """The request with `text` as it is where the argument `x` has its value."""
    return replaced('"PLACE"', text)


def id_last(mangle: Mangle) -> Mangle:
    """The same with the id at the end, as other clients write it."""

    def reordered(line: str) -> bytes:
        message = json.loads(line)
        message["id"] = message.pop("id")
        return mangle(json.dumps(message, separators=(",", ":")))

    return reordered


def cut(line: str) -> bytes:
    return line[:-4].encode()


def batch(line: str) -> bytes:
    return f"[{line}]".encode()


def arguments(value: Any) -> Mangle:
    def mangle(line: str) -> bytes:
        message = json.loads(line)
        message["params"]["arguments"] = value
        return json.dumps(message).encode()

    return mangle


def field(name: str, value: Any) -> Mangle:
    def mangle(line: str) -> bytes:
        message = json.loads(line)
        message[name] = value
        return json.dumps(message).encode()

    return mangle


HALF = "\\ud83d"
# What is wrong, and whether the request is served all the same.
MALFORMED: dict[str, tuple[Mangle, bool]] = {
    "half an emoji": (argument(f'"cut {HALF}"'), True),
    "the other half": (argument('"\\uDE00 cut"'), True),
    "halves in the wrong order": (argument('"\\ude00\\ud83d"'), True),
    "half an emoji in a key": (argument(f'{{"{HALF}":1}}'), True),
    "a tab in a text": (argument('"a\tb"'), True),
    "bytes that are no UTF-8": (lambda line: line.replace("PLACE", "caf\udce9").encode(errors="surrogateescape"), True),
    "lists 125 deep": (argument("[" * 125 + "]" * 125), False),
    "objects 125 deep": (argument('{"id":' * 125 + "1" + "}" * 125), False),
    "lists 100,000 deep": (argument("[" * 100_000 + "]" * 100_000), False),
    "1e400": (argument("1e400"), False),
    "NaN": (argument("NaN"), False),
    "an escape that JSON lacks": (argument('"\\x41"'), False),
    "quotes that are not escaped": (argument('"say "hi" now"'), False),
    "a bracket too few": (argument("[1,2"), False),
    "a comma too many": (argument("1,"), False),
    "a line that was cut": (cut, False),
    "a batch": (batch, False),
    "a line that is too long": (argument('"' + "x" * TOO_LONG + '"'), False),
    "another version of JSON-RPC": (field("jsonrpc", "1.0"), False),
    "a method that is a number": (field("method", 5), False),
    "a result beside the method": (field("result", {}), False),
    "parameters that are a list": (field("params", [1]), False),
    "parameters that are a text": (field("params", "x"), False),
    "arguments that are a list": (arguments([1]), False),
    "arguments that are a text": (arguments("text"), False),
}
MALFORMED |= {
    f"{name}, the id last": (id_last(mangle), served)
    for name, (mangle, served) in MALFORMED.items()
    if name in ("half an emoji", "objects 125 deep", "1e400", "a bracket too few", "a line that is too long")
}
# A number that no double holds is kept or refused, but never waited for.
EITHER: dict[str, Mangle] = {"a number of 5,000 digits": argument("1" * 5000)}


class Line:
    """A message that is written as it is; the client's writer asks messages for their JSON."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.message = self

    def model_dump_json(self, **_: Any) -> str:
        return self.line.decode(errors="surrogateescape")


class Mangler:
    """The client's end of the stream to the server, which spoils the next call of a tool."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.mangle: Mangle | None = None

    async def send(self, item: Any) -> None:
        mangle = self.mangle
        if mangle is not None and getattr(item.message, "method", None) == "tools/call":
            self.mangle = None
            item = Line(mangle(item.message.model_dump_json(by_alias=True, exclude_unset=True)))
        await self.inner.send(item)

    async def aclose(self) -> None:
        await self.inner.aclose()

    def close(self) -> None:
        self.inner.close()

    async def __aenter__(self) -> "Mangler":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


@asynccontextmanager
async def spoiling(streams: tuple[Any, Any]) -> AsyncIterator[tuple[ClientSession, Mangler]]:
    read, write = streams
    mangler = Mangler(write)
    async with ClientSession(read, mangler) as session:
        yield session, mangler


def passing_any_bytes(parameters: StdioServerParameters) -> StdioServerParameters:
    """The same server, written to without a check of what is written."""
    return parameters.model_copy(update={"encoding_error_handler": "surrogateescape"})


async def check(session: ClientSession, mangler: Mangler, name: str, mangle: Mangle, served: bool | None) -> None:
    mangler.mangle = mangle
    state = {"workflow_id": "w", "run_id": name, "node_id": "n", "state": {"x": "PLACE"}}
    with anyio.move_on_after(PATIENCE_SECONDS if "too long" not in name else 10 * PATIENCE_SECONDS) as waiting:
        try:
            result = await session.call_tool("save_checkpoint", state)
            assert served is not False or result.is_error, f"{name} was served: {result}"
            assert served is not True or not result.is_error, f"{name} was refused: {result}"
        except MCPError as error:
            assert served is not True, f"{name} was refused: {error}"
            assert error.error.message, name
    assert not waiting.cancelled_caught, f"{name}: no answer within a second"
    with anyio.fail_after(PATIENCE_SECONDS):
        result = await session.call_tool("list_procedures", {"limit": 1})
        assert not result.is_error, result


async def check_all(streams: tuple[Any, Any], connect: Callable[[ClientSession], Awaitable[None]]) -> None:
    async with spoiling(streams) as (session, mangler):
        await connect(session)
        # The first call opens the home.
        await session.call_tool("list_procedures", {"limit": 1})
        for name, (mangle, served) in MALFORMED.items():
            await check(session, mangler, name, mangle, served)
        for name, mangle in EITHER.items():
            await check(session, mangler, name, mangle, None)

