# Compiled from the steps of this procedure.
import json
from typing import Any

from repertoire import call_procedure, notify


def _as_text(value: Any) -> str:
    """Show a value in a text: dictionaries and lists as JSON, None as nothing."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


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


def signal_alert(trigger: dict) -> dict[str, Any]:
    """When a market signal comes whose relevance is above 0.8, has it summed up and
    sends that to Slack and to the inbox. A template: clone it, and events whose
    payload has `market_signals.relevance_score` start your clone, once for each
    `market_signals.id`.

    Args:
        trigger: What started it: the payload of the event, with the signal as
            `signal_data`.

    Returns:
        What each step gave, under its `step_id` or `step_` and its number.
    """
    results: dict[str, Any] = {}

    # Step 1: Sum up the signal
    try:
        results["format_alert"] = call_procedure(
            "signal-formatter",
            {
                "template": "alert_summary",
                "signal": _look_up(trigger, "trigger.signal_data"),
            },
        )
    except Exception as error:
        raise RuntimeError(f"step 1 (format_alert) failed: {error}") from error

    # Step 2: Send the alert to Slack and to the inbox
    try:
        results["notify"] = notify(
            f"🔔 A signal that matters:\n\n{_as_text(results['format_alert'])}",
            channel="slack",
        )
    except Exception as error:
        raise RuntimeError(f"step 2 (notify) failed: {error}") from error

    return results
