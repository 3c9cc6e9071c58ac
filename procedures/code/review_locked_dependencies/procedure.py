"""Reviews what a lock file pins, without the network."""

import json
import tomllib
from pathlib import Path

_NAMES = ["Cargo.lock", "package-lock.json", "npm-shrinkwrap.json", "poetry.lock", "uv.lock"]


def _is_registry(source: str) -> bool:
    """Whether a package comes from a package registry."""
    known = (
        "registry+",
        "sparse+",
        "https://registry.npmjs.org/",
        "https://pypi.org/",
        "https://registry.yarnpkg.com/",
    )
    return source.startswith(known)


def _from_cargo(data: dict) -> list[dict[str, str]]:
    """Read Cargo.lock; packages without a source are the workspace's own."""
    packages = []
    for package in data.get("package", []):
        source = package.get("source", "")
        packages.append(
            {
                "name": package["name"],
                "version": package["version"],
                "source": source or "workspace",
                "checksum": package.get("checksum")
                or data.get("metadata", {}).get(f"checksum {package['name']} {package['version']} ({source})", ""),
            }
        )
    return packages


def _from_npm(data: dict) -> list[dict[str, str]]:
    """Read package-lock.json of any version."""
    packages = []
    if "packages" in data:
        for place, package in data["packages"].items():
            name = package.get("name") or place.split("node_modules/")[-1]
            own = "node_modules/" not in place or package.get("link", False)
            source = "workspace" if own else package.get("resolved", "bundled" if package.get("inBundle") else "")
            version = package.get("version", "")
            if not package.get("link", False):
                packages.append(
                    {
                        "name": name or ".",
                        "version": version,
                        "source": source,
                        "checksum": package.get("integrity", ""),
                    }
                )
        return packages
    waiting = [data.get("dependencies", {})]
    while waiting:
        for name, package in waiting.pop().items():
            source = package.get("resolved", "bundled" if package.get("bundled") else "")
            packages.append(
                {
                    "name": name,
                    "version": package.get("version", ""),
                    "source": source,
                    "checksum": package.get("integrity", ""),
                }
            )
            if package.get("dependencies"):
                waiting.append(package["dependencies"])
    return packages


def _from_python(data: dict) -> list[dict[str, str]]:
    """Read poetry.lock or uv.lock."""
    packages = []
    for package in data.get("package", []):
        source = package.get("source", {})
        files = (
            package.get("files", []) or package.get("wheels", []) or ([package["sdist"]] if "sdist" in package else [])
        )
        if "registry" in source:
            place = "registry+" + source["registry"]
        elif source.get("editable") is not None or source.get("virtual") is not None:
            place = "workspace"
        elif "git" in source or source.get("type") == "git":
            place = "git+" + str(source.get("git") or source.get("url"))
        elif "type" in source:
            place = f"{source['type']}+{source.get('url', '')}"
        elif source:
            place = "+".join([f"{kind}+{value}" for kind, value in source.items()])
        else:
            place = "registry+https://pypi.org/simple"
        checksum = str(files[0].get("hash", "")) if files else ""
        packages.append(
            {"name": package["name"], "version": package.get("version", ""), "source": place, "checksum": checksum}
        )
    return packages


def _find(path: str) -> Path:
    """Find the lock file that `path` is or contains."""
    given = Path(path)
    if given.is_file():
        if given.name not in _NAMES:
            raise ValueError(f"`{given.name}` is none of {', '.join(_NAMES)}")
        return given
    if not given.is_dir():
        raise ValueError(f"`{path}` is neither a file nor a folder")
    found = [given / name for name in _NAMES if (given / name).is_file()]
    if not found:
        raise ValueError(f"`{path}` has none of {', '.join(_NAMES)}")
    if len(found) > 1:
        names = ", ".join([file.name for file in found])
        raise ValueError(f"`{path}` has several lock files ({names}); pass the path of one of them")
    return found[0]


def _sort_key(version: str) -> list[tuple[int, int, str]]:
    """Order versions by their numbers: 0.9 before 0.10."""
    parts = version.replace("-", ".").replace("+", ".").split(".")
    return [(0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part) for part in parts]


def review_locked_dependencies(path: str, list_packages: bool = False) -> dict[str, object]:
    """Review a lock file without the network: duplicate versions, unusual sources and missing checksums.

    It reads Cargo.lock, package-lock.json, npm-shrinkwrap.json, poetry.lock and uv.lock. It does not know which
    versions are the newest, or which have known vulnerabilities.

    Args:
        path: The lock file, or the folder that holds exactly one.
        list_packages: Whether to list every package too.

    Returns:
        `summary`, `file`, `total` (third-party packages), `workspace` (names of the project's own packages),
        `duplicates` (each `name` and its `versions`, oldest first), `unusual_sources` (each `name`, `version`,
        `source`: git, path or URL), `without_checksum` (`name version`, registry packages only) and `packages` (each
        `name version`; empty unless asked for).

    Raises:
        ValueError: there is no lock file, several, or it cannot be understood.
        RuntimeError: the file could not be read.
    """
    file = _find(path)
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, MemoryError, ValueError) as error:
        raise RuntimeError(f"could not read `{file}`: {error}") from error
    try:
        if file.name.endswith(".json"):
            packages = _from_npm(json.loads(text))
        elif file.name == "Cargo.lock":
            packages = _from_cargo(tomllib.loads(text))
        else:
            packages = _from_python(tomllib.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"`{file}` is not a lock file that can be understood: {error}") from error

    workspace = sorted({package["name"] for package in packages if package["source"] == "workspace"})
    foreign = [package for package in packages if package["source"] != "workspace"]
    versions: dict[str, list[str]] = {}
    for package in foreign:
        known = versions.setdefault(package["name"], [])
        if package["version"] not in known:
            known.append(package["version"])
    duplicates = [
        {"name": name, "versions": sorted(found, key=_sort_key)}
        for name, found in sorted(versions.items(), key=lambda pair: pair[0])
        if len(found) > 1
    ]
    unusual, without_checksum = [], []
    for package in sorted(foreign, key=lambda package: (package["name"], package["version"])):
        if package["source"] and package["source"] != "bundled" and not _is_registry(package["source"]):
            unusual.append({key: package[key] for key in ("name", "version", "source")})
        elif not package["checksum"] and package["source"] != "bundled":
            label = f"{package['name']} {package['version']}"
            if label not in without_checksum:
                without_checksum.append(label)

    total = sum([len(found) for found in versions.values()])
    return {
        "summary": (
            f"{file.name} pins {total} packages: {len(duplicates)} in several versions, {len(unusual)} from outside "
            f"the usual registry, {len(without_checksum)} without checksum."
        ),
        "file": str(file),
        "total": total,
        "workspace": workspace,
        "duplicates": duplicates,
        "unusual_sources": unusual,
        "without_checksum": without_checksum,
        "packages": sorted([f"{package['name']} {package['version']}" for package in foreign]) if list_packages else [],
    }
