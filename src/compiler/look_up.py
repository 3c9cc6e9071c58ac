def _look_up(value: Any, path: str) -> Any:
    """Follow a dotted path; `value` is what its first name stands for."""
    for field in path.split(".")[1:]:
        if isinstance(value, list) and field.isdigit():
            value = value[int(field)] if int(field) < len(value) else None
        elif isinstance(value, str) and field == "trimmed":
            value = value.strip()
        else:
            value = value.get(field) if isinstance(value, dict) else None
    if value is None:
        raise RuntimeError(f"the variable `{path}` is missing")
    return value
