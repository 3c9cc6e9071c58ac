"""Installs the packed files where nothing else is, and starts and drives what they bring.

    python packaging/test.py [dist]

The folder has what `packaging/build.py pack` and `finish` made for this platform. On Linux with bubblewrap (`bwrap`) everything
happens in a root of its own, without a network and with nothing of this machine but Python, Node.js and the C library: no
compiler, no Rust, an empty home. Elsewhere the environment is emptied. npm asks a registry for packages by their names, so a
stand-in serves those of the folder. `MCPB` names the program of `@anthropic-ai/mcpb`, which judges the bundle.
"""

import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.parse
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What is installed has to answer within this, the first time as well.
SECONDS = 5.0
CALLS = [
    ("tools/list", {}),
    ("tools/call", {"name": "remember_procedure", "arguments": {"name": "Double it", "steps": ["Double the number"]}}),
    ("tools/call", {"name": "generate_procedure_code", "arguments": {
        "procedure_id": "double_it", "code": 'def double_it(number: int) -> int:\n    """Double a number."""\n    return number * 2\n'}}),
    ("tools/call", {"name": "execute_procedure", "arguments": {"procedure_id": "double_it", "parameters": {"number": 21}}}),
]
COMMANDS = [
    ["--version"], ["doctor"], ["demo"], ["run", "explain_cron", "expression=0 6 * * 1-5"],
    ["install", "claude-code", "--dry-run"],
]


def timed(what, command, **more):
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, stdin=subprocess.DEVNULL, **more)
    took = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{what}: ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    print(f"  {took:6.2f} s  {what}", flush=True)
    return done.stdout, took


def drive(what, command):
    """The server over stdio, line by line, as a client starts it."""
    began = time.monotonic()
    environment = {**os.environ, "REPERTOIRE_HOME": tempfile.mkdtemp()}
    log = tempfile.TemporaryFile("w+", encoding="utf-8")
    with subprocess.Popen([*command, "serve"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                          text=True, encoding="utf-8") as server:
        def call(number, method, params):
            request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            answer = {}
            while "id" not in answer or "method" in answer:
                if not (line := server.stdout.readline()):
                    log.seek(0)
                    sys.exit(f"{what}: the server ended at {method}\n{log.read()}")
                answer = json.loads(line)
            if "error" in answer or answer["result"].get("isError"):
                sys.exit(f"{what}: {method} answered {answer}")
            return answer["result"]

        call(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}})
        server.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        last = [call(number, *each) for number, each in enumerate(CALLS, 1)][-1]
        if last["structuredContent"]["result"] != 42:
            sys.exit(f"{what}: 21 doubled is {last}")
        server.stdin.close()
        if server.wait(10):
            sys.exit(f"{what}: the server ended with {server.returncode}")
    took = time.monotonic() - began
    print(f"  {took:6.2f} s  {what} serve: initialize, list, remember, write, execute", flush=True)
    if took > SECONDS:
        sys.exit(f"{what} serve took {took:.1f} s")


def use(what, command):
    """Every command and the server, each on an empty home."""
    for arguments in COMMANDS:
        home = tempfile.mkdtemp()
        environment = {**os.environ, "REPERTOIRE_HOME": home}
        _, took = timed(f"{what} {' '.join(arguments)}", [*command, *arguments], env=environment)
        if took > SECONDS:
            sys.exit(f"{what} {' '.join(arguments)} took {took:.1f} s")
    drive(what, command)


class StandIn(http.server.BaseHTTPRequestHandler):
    """As much of npm's registry as an installation asks of it."""

    def do_GET(self):
        path = urllib.parse.unquote(self.path).strip("/")
        body = self.packages.get(path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"{}")

    def log_message(self, *_):
        pass


def serve_npm(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    address = f"http://127.0.0.1:{server.server_port}"
    StandIn.packages = {}
    for path in folder.glob("*.tgz"):
        with tarfile.open(path) as packed:
            manifest = json.load(packed.extractfile("package/package.json"))
        content = path.read_bytes()
        manifest["dist"] = {"tarball": f"{address}/{path.name}", "shasum": hashlib.sha1(content).hexdigest()}
        packument = {"name": manifest["name"], "dist-tags": {"latest": manifest["version"]}, "versions": {manifest["version"]: manifest}}
        StandIn.packages |= {manifest["name"]: json.dumps(packument).encode(), path.name: content}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return address


def only(folder, pattern):
    found = list(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"`{folder}` has {len(found)} files like `{pattern}`, and one is wanted")
    return found[0]


def inside(folder):
    work = Path(tempfile.mkdtemp())
    for tool in ("cc", "gcc", "cargo", "rustc"):
        if shutil.which(tool):
            print(f"  note: `{tool}` can be found here")
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            sys.exit(f"`{name}` is not what SHA256SUMS says")
    server = json.loads((folder / "server.json").read_text(encoding="utf-8"))
    if not re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", server["name"]) or not 1 <= len(server["description"]) <= 100:
        sys.exit("the registry of MCP would refuse the name or the description of server.json")

    print("archive", flush=True)
    archive = only(folder, "repertoire-*[!l].zip" if os.name == "nt" else "repertoire-*.tar.gz")
    shutil.unpack_archive(archive, work / "archive")
    use("repertoire", [str(next((work / "archive").glob("*/repertoire*")))])

    print("wheel", flush=True)
    wheel = only(folder, "*.whl")
    timed("python -m venv", [sys.executable, "-m", "venv", str(work / "venv")])
    scripts = work / "venv" / ("Scripts" if os.name == "nt" else "bin")
    timed("pip install", [str(scripts / "python"), "-m", "pip", "install", "--no-index", "--disable-pip-version-check", str(wheel)])
    use("repertoire", [str(scripts / "repertoire")])
    drive("repertoire-mcp", [str(scripts / "repertoire-mcp")])
    if uvx := shutil.which("uvx"):
        os.environ["UV_PYTHON"] = sys.executable
        timed("uvx --from the wheel repertoire --version", [uvx, "--offline", "--from", str(wheel), "repertoire", "--version"])
        drive("uvx repertoire-mcp", [uvx, "--offline", "--find-links", str(folder), "repertoire-mcp"])

    print("npm", flush=True)
    npx = shutil.which("npx")
    if npx:
        os.environ["npm_config_registry"] = serve_npm(folder)
        os.environ["npm_config_update_notifier"] = "false"
        use("npx repertoire", [npx, "--yes", "repertoire"])

    print("bundle", flush=True)
    bundle = only(folder, "*.mcpb")
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(work / "bundle")
    manifest = json.loads((work / "bundle/manifest.json").read_text(encoding="utf-8"))
    program = Path(manifest["server"]["mcp_config"]["command"].replace("${__dirname}", str(work / "bundle")))
    program.chmod(0o755)
    if mcpb := os.environ.get("MCPB"):
        timed("mcpb validate", ["node", mcpb, "validate", str(work / "bundle/manifest.json")])
        timed("mcpb unpack", ["node", mcpb, "unpack", str(bundle), str(work / "unpacked")])
        program = Path(manifest["server"]["mcp_config"]["command"].replace("${__dirname}", str(work / "unpacked")))
        if os.name != "nt" and not os.access(program, os.X_OK):
            sys.exit("the program in the bundle can't be executed after it was unpacked")
    use("repertoire", [str(program)])


def walls(folder):
    """A root that has Python, Node.js and what they are linked with, and none of the rest of this machine."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    prefix = Path(sys.base_prefix)
    for path in ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/alternatives"]:
        if Path(path).is_symlink():
            command += ["--symlink", os.readlink(path), path]
        elif Path(path).is_dir():
            command += ["--ro-bind", path, path]
    for hidden in ["/usr/lib/gcc", "/usr/lib/rustlib"]:
        if Path(hidden).is_dir():
            command += ["--tmpfs", hidden]
    tools, shown = [], [folder, HERE]
    if prefix == Path("/usr"):
        tools.append((python.resolve(), "python3"))
    else:
        shown.append(prefix)
    # Python is called where it is: from elsewhere it would look for its modules there.
    python = prefix / "bin/python3"
    for name in ["node", "npm", "npx", "uv", "uvx", "sh", "env", "realpath", "dirname"]:
        found = shutil.which(name)
        if not found:
            continue
        if name == "npm":
            # npm and npx are one package, which its programs are links into.
            shown.append(Path(found).resolve().parent.parent)
        tools.append((Path(found).resolve(), name))
    if mcpb := os.environ.get("MCPB"):
        modules = next(parent for parent in Path(mcpb).resolve().parents if parent.name == "node_modules")
        shown.append(modules)
        command += ["--setenv", "MCPB", str(Path(mcpb).resolve())]
    for path in shown:
        command += ["--ro-bind", str(path), str(path)]
    for path, name in tools:
        if name in ("npm", "npx"):
            command += ["--symlink", str(path), f"/usr/bin/{name}"]
        else:
            command += ["--ro-bind", str(path), f"/usr/bin/{name}"]
    command += ["--symlink", "usr/bin", "/bin", "--dir", "/home/stranger", "--setenv", "HOME", "/home/stranger"]
    command += ["--setenv", "PATH", "/usr/bin", "--setenv", "LANG", "C.UTF-8", "--chdir", "/home/stranger"]
    return [*command, str(python), str(HERE / "test.py"), "--inside", str(folder)]


def main():
    names = [argument for argument in sys.argv[1:] if argument != "--inside"]
    folder = Path(names[0] if names else HERE.parent / "dist").resolve()
    if "--inside" in sys.argv:
        inside(folder)
    elif sys.platform == "linux" and shutil.which("bwrap"):
        sys.exit(subprocess.call(walls(folder)))
    else:
        kept = {name: os.environ[name] for name in ("PATH", "SystemRoot", "TEMP", "COMSPEC", "PATHEXT", "MCPB") if name in os.environ}
        home = tempfile.mkdtemp()
        kept |= {"HOME": home, "USERPROFILE": home, "APPDATA": home, "LOCALAPPDATA": home}
        sys.exit(subprocess.call([sys.executable, __file__, "--inside", str(folder)], env=kept, cwd=home))


if __name__ == "__main__":
    main()
