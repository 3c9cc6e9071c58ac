from pathlib import Path


def release_notes(repository: str, limit: int = 20) -> dict:
    """Draft release notes from the commits of a git repository.

    Args:
        repository: The folder of the repository.
        limit: How many of the latest commits to look at.

    Returns:
        The notes as Markdown, and how many commits they stand for.
    """
    log = Path(repository) / ".git" / "logs" / "HEAD"
    try:
        lines = log.read_text().splitlines()
    except FileNotFoundError:
        raise ValueError(f"{repository} is not a git repository")
    sections: dict[str, list[str]] = {"Features": [], "Fixes": [], "Other": []}
    for line in lines[-limit:]:
        action, _, subject = line.split("\t", 1)[1].partition(": ")
        if not action.startswith("commit"):
            continue
        kind, colon, what = subject.partition(": ")
        if colon and kind.startswith("feat"):
            sections["Features"].append(what)
        elif colon and kind.startswith("fix"):
            sections["Fixes"].append(what)
        else:
            sections["Other"].append(subject)
    parts = []
    for title, entries in sections.items():
        if entries:
            parts.append(f"## {title}\n" + "\n".join(f"- {entry}" for entry in entries))
    return {"notes": "\n\n".join(parts), "commits": sum(len(entries) for entries in sections.values())}
