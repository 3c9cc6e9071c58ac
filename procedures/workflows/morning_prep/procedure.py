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


def morning_prep(trigger: dict) -> dict[str, Any]:
    """Has the briefing of the day written (meetings ahead, changes in the pipeline,
    market signals of the night) and sends it to Slack, at six in the morning on
    weekdays in New York. A template: clone it, and the clock starts your clone.

    Args:
        trigger: What started it; the clock gives the `date` on its dial, the
            `time`, the `timezone` and `scheduled_at`.

    Returns:
        What each step gave, under its `step_id` or `step_` and its number.
    """
    results: dict[str, Any] = {}

    # Step 1: Write the briefing of the day
    try:
        results["generate_briefing"] = call_procedure(
            "morning-briefing",
            {"template": "daily_summary", "date": _look_up(trigger, "trigger.date")},
        )
    except Exception as error:
        raise RuntimeError(f"step 1 (generate_briefing) failed: {error}") from error

    # Step 2: Send it to Slack
    try:
        results["send_to_slack"] = notify(
            "Good morning! Your day in short:\n\n"
            f"{_as_text(results['generate_briefing'])}",
            channel="slack",
        )
    except Exception as error:
        raise RuntimeError(f"step 2 (send_to_slack) failed: {error}") from error

    return results
