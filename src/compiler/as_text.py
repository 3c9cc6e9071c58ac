def _as_text(value: Any) -> str:
    """Show a value in a text: dictionaries and lists as JSON, None as nothing."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
