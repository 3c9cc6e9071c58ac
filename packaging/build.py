"""Packs the finished program: archive, wheel, npm packages, MCP bundle, and what registries want to know of them.

    python packaging/build.py pack --program PATH --target TRIPLE [--out dist]    all packages of one platform
    python packaging/build.py finish [--out dist]      npm launcher, server.json, SHA256SUMS, of what is in the folder
    python packaging/build.py matrix                   the platforms, as JSON for the release workflow

Needs Python 3.11 and nothing else. The same program packed twice gives the same bytes. Name, version, description and licence
are those of Cargo.toml; compiling is left to whoever calls.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import re
import struct
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]
NAME, VERSION = CARGO["name"], CARGO["version"]
# `repertoire` on PyPI is somebody else's.
PYPI = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
# The registry of MCP takes a hundred characters.
SUMMARY = "Procedural memory for agents: procedures as code, checked, versioned, sandboxed and measured."
SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"]
# Libraries that every system of its kind has; anything else would have to be brought along.
EVERYWHERE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1"}

MANYLINUX, MUSLLINUX = "quay.io/pypa/manylinux_2_28_", "quay.io/pypa/musllinux_1_2_"
TARGETS = {
    "x86_64-unknown-linux-gnu": dict(os="linux", cpu="x64", libc="glibc", runner="ubuntu-24.04", image=MANYLINUX + "x86_64"),
    "aarch64-unknown-linux-gnu": dict(os="linux", cpu="arm64", libc="glibc", runner="ubuntu-24.04-arm", image=MANYLINUX + "aarch64"),
    "x86_64-unknown-linux-musl": dict(os="linux", cpu="x64", libc="musl", runner="ubuntu-24.04", image=MUSLLINUX + "x86_64"),
    "aarch64-unknown-linux-musl": dict(os="linux", cpu="arm64", libc="musl", runner="ubuntu-24.04-arm", image=MUSLLINUX + "aarch64"),
    "x86_64-apple-darwin": dict(os="darwin", cpu="x64", wheel="macosx_10_12_x86_64", runner="macos-14"),
    "aarch64-apple-darwin": dict(os="darwin", cpu="arm64", wheel="macosx_11_0_arm64", runner="macos-14"),
    "x86_64-pc-windows-msvc": dict(os="win32", cpu="x64", wheel="win_amd64", runner="windows-2022"),
}


def npm_name(target):
    """The npm package with the program of a platform; `packaging/npm/launcher.js` makes the same name."""
    libc = {"glibc": "-gnu", "musl": "-musl"}.get(target.get("libc"), "")
    return f"{NAME}-{target['os']}-{target['cpu']}{libc}"


def elf_needs(program):
    """The libraries that an ELF program needs, and the newest glibc whose symbols it uses, as `(libraries, (2, minor))`."""
    table_at, = struct.unpack_from("<Q", program, 0x28)
    size, count = struct.unpack_from("<HH", program, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", program, table_at + i * size) for i in range(count)]

    def text(section, offset):
        at = sections[section][4] + offset
        return program[at : program.index(b"\0", at)].decode()

    libraries, minor = set(), 0
    for _, kind, _, _, at, length, link, *_ in sections:
        if kind == 6:  # SHT_DYNAMIC
            entries = (struct.unpack_from("<QQ", program, at + i) for i in range(0, length, 16))
            libraries |= {text(link, value) for tag, value in entries if tag == 1}
        elif kind == 0x6FFFFFFE:  # SHT_GNU_verneed
            while True:
                _, names, _, first, following = struct.unpack_from("<HHIII", program, at)
                name_at = at + first
                for _ in range(names):
                    _, _, _, name, next_name = struct.unpack_from("<IHHII", program, name_at)
                    if found := re.fullmatch(r"GLIBC_2\.(\d+)(\.\d+)?", text(link, name)):
                        minor = max(minor, int(found[1]))
                    name_at += next_name
                if not following:
                    break
                at += following
    return libraries, (2, minor)


def wheel_platform(triple, target, program):
    """The platform tag, by what the program really needs; refuses a program that is not of this platform."""
    starts = {"linux": b"\x7fELF", "darwin": b"\xcf\xfa\xed\xfe", "win32": b"MZ"}[target["os"]]
    if not program.startswith(starts):
        sys.exit(f"the program is not one for `{triple}`: it begins with `{program[:4].hex()}`")
    if target["os"] != "linux":
        return target["wheel"]
    cpu = {"x64": (62, "x86_64"), "arm64": (183, "aarch64")}[target["cpu"]]
    if struct.unpack_from("<H", program, 18)[0] != cpu[0]:
        sys.exit(f"the program is for another processor than `{triple}`")
    libraries, glibc = elf_needs(program)
    more = {name for name in libraries - EVERYWHERE if not name.startswith("ld-linux")}
    if more:
        sys.exit(f"the program needs `{'`, `'.join(sorted(more))}`, which not every system has: link it statically")
    if target["libc"] == "musl":
        if libraries:
            sys.exit(f"the program for `{triple}` is not static: it needs `{'`, `'.join(sorted(libraries))}`")
        return f"musllinux_1_2_{cpu[1]}"
    return f"manylinux_2_{max(glibc[1], 17)}_{cpu[1]}"


def write_tar(path, files):
    """`files`: names in the archive, with their bytes and mode. Owners and times say nothing."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name, (content, mode) in files.items():
                info = tarfile.TarInfo(name)
                # npm takes times before 1980 for broken.
                info.size, info.mode, info.mtime = len(content), mode, 499162500
                tar.addfile(info, io.BytesIO(content))
    print(path)


def write_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for name, (content, mode) in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr, info.compress_type = 3, (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    print(path)


def texts(prefix, names):
    return {prefix + name: ((ROOT / name).read_bytes(), 0o644) for name in names}


def as_json(value):
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def readme(repository):
    """What registries of packages show; the registry of MCP looks for its name of the server in it."""
    own = (ROOT / "packaging/README.md").read_text(encoding="utf-8")
    return own + f"\nSource and documentation: <{repository}>\n\n<!-- mcp-name: {server_name(repository)} -->\n"


def server_name(repository):
    owner = re.fullmatch(r"https://github\.com/([\w.-]+)/[\w.-]+", repository)
    if not owner:
        sys.exit(f"`{repository}` is not the address of a repository on github.com: set `repository` in Cargo.toml, or pass --repository")
    return f"io.github.{owner[1]}/{NAME}"


def pep440(version):
    found = re.fullmatch(r"(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?", version)
    if not found:
        sys.exit(f"`{version}` has no form on PyPI: use `1.2.3`, or `1.2.3-rc.1`")
    return found[1] + ({"alpha": "a", "beta": "b", "rc": "rc"}[found[2]] + found[3] if found[2] else "")


def pack_wheel(out, triple, target, program, binary, repository):
    distribution, version = PYPI.replace("-", "_"), pep440(VERSION)
    tag = f"py3-none-{wheel_platform(triple, target, program)}"
    metadata = [
        "Metadata-Version: 2.4", f"Name: {PYPI}", f"Version: {version}", f"Summary: {SUMMARY}",
        f"Keywords: {','.join(CARGO['keywords'])}", f"License-Expression: {CARGO['license']}",
        *(f"License-File: {name}" for name in LICENCES),
        f"Project-URL: Source, {repository}", "Requires-Python: >=3.8",
        "Description-Content-Type: text/markdown", "", readme(repository),
    ]
    info = f"{distribution}-{version}.dist-info/"
    module = (ROOT / "packaging/python/launcher.py").read_bytes()
    files = {
        f"{distribution}/__init__.py": (module, 0o644),
        f"{distribution}/__main__.py": (f"from {distribution} import main\n\nmain()\n".encode(), 0o644),
        f"{distribution}-{version}.data/scripts/{binary}": (program, 0o755),
        f"{info}METADATA": ("\n".join(metadata).encode(), 0o644),
        f"{info}WHEEL": (f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644),
        # `uvx` and clients that follow the registry of MCP start what has the name of the package.
        f"{info}entry_points.txt": (f"[console_scripts]\n{PYPI} = {distribution}:main\n".encode(), 0o644),
        **texts(f"{info}licenses/", LICENCES),
    }
    record = ""
    for name, (content, _) in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}RECORD"] = (f"{record}{info}RECORD,,\n".encode(), 0o644)
    write_zip(out / f"{distribution}-{version}-{tag}.whl", files)


def npm_manifest(repository, **more):
    return as_json({
        "version": VERSION, "description": SUMMARY, "license": CARGO["license"],
        "repository": {"type": "git", "url": f"git+{repository}.git"}, **more,
    })


def pack_npm(out, target, program, binary, repository):
    libc = {"libc": [target["libc"]]} if "libc" in target else {}
    name = npm_name(target)
    manifest = npm_manifest(repository, name=name, os=[target["os"]], cpu=[target["cpu"]], preferUnplugged=True, **libc)
    write_tar(out / f"{name}-{VERSION}.tgz", {
        "package/package.json": (manifest, 0o644),
        f"package/bin/{binary}": (program, 0o755),
        **texts("package/", LICENCES),
    })


def listed_tools():
    """Name and purpose of each tool that is listed by default, from the table that the program writes into the README."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- tools:")[1].split("<!-- /tools -->")[0]
    rows = re.findall(r"^\| \w+ \| `(\w+)`(?: \(([^)]*)\))? \| (.*) \|$", table, re.MULTILINE)
    return [{"name": name, "description": text} for name, notes, text in rows if "not listed" not in notes]


def pack_bundle(out, triple, target, program, binary, repository):
    manifest = {
        "manifest_version": "0.3", "name": NAME, "display_name": NAME.capitalize(), "version": VERSION,
        "description": SUMMARY, "long_description": (ROOT / "packaging/README.md").read_text(encoding="utf-8"),
        "author": {"name": "The Repertoire contributors"},
        "repository": {"type": "git", "url": repository}, "homepage": repository,
        "server": {
            "type": "binary", "entry_point": f"server/{binary}",
            "mcp_config": {"command": f"${{__dirname}}/server/{binary}", "args": ["serve"], "env": {}},
        },
        "tools": listed_tools(), "tools_generated": True, "prompts_generated": True,
        "keywords": CARGO["keywords"], "license": CARGO["license"],
        "compatibility": {"platforms": [target["os"]]},
    }
    write_zip(out / f"{NAME}-{VERSION}-{triple}.mcpb", {
        "manifest.json": (as_json(manifest), 0o644),
        f"server/{binary}": (program, 0o755),
        **texts("", LICENCES),
    })


def pack(arguments, repository):
    triple, target, out = arguments.target, TARGETS[arguments.target], arguments.out
    program = arguments.program.read_bytes()
    binary = NAME + (".exe" if target["os"] == "win32" else "")
    wheel_platform(triple, target, program)
    out.mkdir(parents=True, exist_ok=True)
    folder = f"{NAME}-{VERSION}-{triple}/"
    files = {folder + binary: (program, 0o755), **texts(folder, ["README.md", "CHANGELOG.md", *LICENCES])}
    if target["os"] == "win32":
        write_zip(out / f"{folder[:-1]}.zip", files)
    else:
        write_tar(out / f"{folder[:-1]}.tar.gz", files)
    pack_wheel(out, triple, target, program, binary, repository)
    pack_npm(out, target, program, binary, repository)
    pack_bundle(out, triple, target, program, binary, repository)


def finish(arguments, repository):
    """What is about all platforms: the launcher on npm, the entry of the registry of MCP, the checksums."""
    out = arguments.out
    launcher = npm_manifest(
        repository, name=NAME, mcpName=server_name(repository), keywords=CARGO["keywords"],
        bin={NAME: "bin/launcher.js"}, engines={"node": ">=18"},
        optionalDependencies={npm_name(target): VERSION for target in TARGETS.values()},
    )
    write_tar(out / f"{NAME}-{VERSION}.tgz", {
        "package/package.json": (launcher, 0o644),
        "package/bin/launcher.js": ((ROOT / "packaging/npm/launcher.js").read_bytes(), 0o755),
        "package/README.md": (readme(repository).encode(), 0o644),
        **texts("package/", LICENCES),
    })
    stdio = {"transport": {"type": "stdio"}, "packageArguments": [{"type": "positional", "value": "serve"}]}
    owner = server_name(repository).split("/")[0].removeprefix("io.github.").lower()
    packages = [
        {"registryType": "npm", "identifier": NAME, "version": VERSION, "runtimeHint": "npx", **stdio},
        {"registryType": "pypi", "identifier": PYPI, "version": pep440(VERSION), "runtimeHint": "uvx", **stdio},
        {"registryType": "oci", "identifier": f"ghcr.io/{owner}/{NAME}:{VERSION}", "runtimeHint": "docker", **stdio},
    ]
    for bundle in sorted(out.glob("*.mcpb")):
        packages.append({
            "registryType": "mcpb", "identifier": f"{repository}/releases/download/v{VERSION}/{bundle.name}",
            "fileSha256": hashlib.sha256(bundle.read_bytes()).hexdigest(), "transport": {"type": "stdio"},
        })
    (out / "server.json").write_bytes(as_json({
        "$schema": SCHEMA, "name": server_name(repository), "title": NAME.capitalize(), "description": SUMMARY,
        "version": VERSION, "repository": {"url": repository, "source": "github"}, "packages": packages,
    }))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(out.iterdir()) if path.is_file() and path.name != "SHA256SUMS"
    ]
    (out / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["pack", "finish", "matrix"])
    parser.add_argument("--program", type=Path)
    parser.add_argument("--target", choices=TARGETS, default="x86_64-unknown-linux-gnu")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--repository", default=CARGO.get("repository", os.environ.get("REPERTOIRE_REPOSITORY", "")))
    arguments = parser.parse_args()
    if arguments.task == "matrix":
        print(json.dumps({"include": [{"target": triple, "image": "", **target} for triple, target in TARGETS.items()]}))
    elif arguments.task == "finish":
        finish(arguments, arguments.repository)
    elif arguments.program is None:
        parser.error("`pack` needs --program")
    else:
        pack(arguments, arguments.repository)


if __name__ == "__main__":
    main()
