# Compiled from the steps of this procedure.
import json
from typing import Any

from repertoire import approve, call_procedure, draft_email


def _as_text(value: Any) -> str:
    """Show a value in a text: dictionaries and lists as JSON, None as nothing."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def post_meeting(meeting_title: str, meeting_attendees: list) -> dict[str, Any]:
    """When a meeting of the calendar is over, asks whether to go on, collects notes,
    finds the action items in them and drafts a follow-up e-mail to those who took
    part. Nothing is sent. A template: clone it, and events start your clone.

    Args:
        meeting_title: What the meeting was called.
        meeting_attendees: Who gets the e-mail: addresses or names.

    Returns:
        What each step gave, under its `step_id` or `step_` and its number.
    """
    results: dict[str, Any] = {}

    # Step 1: Collect notes of the meeting
    approve(
        "Call the procedure `meeting-notes-prompt` (step 1, prompt_for_notes)\n"
        "Purpose: Collect notes of the meeting\n"
        "Template: post_meeting"
    )
    try:
        results["prompt_for_notes"] = call_procedure(
            "meeting-notes-prompt", {"template": "post_meeting"}
        )
    except Exception as error:
        raise RuntimeError(f"step 1 (prompt_for_notes) failed: {error}") from error

    # Step 2: Find the action items in the notes
    try:
        results["extract_actions"] = call_procedure(
            "action-item-extractor", {"notes": results["prompt_for_notes"]}
        )
    except Exception as error:
        raise RuntimeError(f"step 2 (extract_actions) failed: {error}") from error

    # Step 3: Draft the e-mail with the action items
    try:
        body = call_procedure(
            "email-composer", {"action_items": results["extract_actions"]}
        )
        if isinstance(body, dict):
            body = body.get("body", body)
        results["draft_follow_up"] = draft_email(
            meeting_attendees, f"Follow-up: {meeting_title}", _as_text(body)
        )
    except Exception as error:
        raise RuntimeError(f"step 3 (draft_follow_up) failed: {error}") from error

    return results
