"""Streamable HTTP in front of a server that speaks stdio, for test suites that want an address.

A client that begins with `initialize` gets a process of its own, which its session id names; all that know no sessions share
one. Requests are answered with JSON, or with a stream where the server sends something before its answer.
"""

import itertools
import json
import queue
import subprocess
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER_SECONDS = 30


class Stdio:
    """A server process. Ids are replaced, because several clients may use the same."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")
        self.ids = itertools.count(1)
        self.waiting: dict[Any, queue.Queue[dict[str, Any]]] = {}
        self.lock = threading.Lock()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            message = json.loads(line)
            with self.lock:
                # What belongs to no request goes to whoever waits.
                target = self.waiting.get(message.get("id")) if "method" not in message else None
                targets = [target] if target else list(self.waiting.values()) if "method" in message else []
            for one in targets:
                one.put(message)

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        with self.lock:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def ask(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """The answer, after what the server sent before it."""
        own, given = next(self.ids), message["id"]
        answers: queue.Queue[dict[str, Any]] = queue.Queue()
        with self.lock:
            self.waiting[own] = answers
        said: list[dict[str, Any]] = []
        try:
            self.send({**message, "id": own})
            while not said or "method" in said[-1]:
                said.append(answers.get(timeout=ANSWER_SECONDS))
        except queue.Empty:
            error = {"code": -32603, "message": f"no answer within {ANSWER_SECONDS} seconds"}
            said.append({"jsonrpc": "2.0", "error": error})
        finally:
            with self.lock:
                del self.waiting[own]
        said[-1]["id"] = given
        return said

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(5)


class Bridge:
    """Serves until it is closed; `url` is where."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        rewritten: Callable[[dict[str, Any]], dict[str, Any]] = lambda message: message,
    ) -> None:
        self.command, self.environment = command, environment
        self.sessions: dict[str | None, Stdio] = {}
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def reply(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
                content = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                message = rewritten(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0))))
                session = self.headers.get("Mcp-Session-Id")
                headers = {}
                if message.get("method") == "initialize":
                    session = uuid.uuid4().hex
                    headers["Mcp-Session-Id"] = session
                elif session and session not in bridge.sessions:
                    return self.reply(404)
                server = bridge.server(session)
                if "id" not in message or "method" not in message:
                    server.send(message)
                    return self.reply(202)
                said = server.ask(message)
                if len(said) == 1:
                    return self.reply(200, said[0], headers)
                events = "".join(f"event: message\ndata: {json.dumps(event)}\n\n" for event in said).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(events)))
                self.end_headers()
                self.wfile.write(events)

            def do_GET(self) -> None:
                self.reply(405)

            def do_DELETE(self) -> None:
                server = bridge.sessions.pop(self.headers.get("Mcp-Session-Id"), None)
                if server:
                    server.end()
                self.reply(200 if server else 404)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/mcp"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def server(self, session: str | None) -> Stdio:
        if session not in self.sessions:
            self.sessions[session] = Stdio(self.command, self.environment)
        return self.sessions[session]

    def close(self) -> None:
        self.http.shutdown()
        for server in self.sessions.values():
            server.end()
