//! What the journal of a run says of its steps.

use serde_json::json;

use super::*;

fn run(status: RunStatus, steps_total: u32) -> Run {
    Run {
        id: "r".to_owned(),
        procedure_id: 1,
        procedure_name: "p".to_owned(),
        version: 1,
        parent_run_id: None,
        session: "s".to_owned(),
        status,
        outcome: None,
        parameters: "{}".to_owned(),
        result: None,
        output: None,
        error: None,
        error_type: None,
        traceback: None,
        waiting_for: None,
        steps_total,
        started_at: 0,
        finished_at: None,
        duration_ms: None,
        attempts: 0,
        expires_at: None,
        due_at: None,
        user: None,
        can_be_asked: false,
        decided_by_agent: false,
        is_reported: false,
    }
}

/// `1+` is a call of step 1 that succeeded, `2-` one that failed, `3.` one that was cut off, `4s` a step that is skipped,
/// `5l` a line in the output.
fn calls(described: &str) -> Vec<HostCall> {
    let call = |word: &str| {
        let (step, kind) = word.split_at(word.len() - 1);
        let (function, error) = match kind {
            "+" => ("run_command", None),
            "-" => ("run_command", Some("RuntimeError: no")),
            "." => ("run_command", Some("Ended: the run ended here")),
            "s" => ("skip_step", None),
            _ => ("log", None),
        };
        HostCall {
            function: function.to_owned(),
            arguments: json!({}),
            result: error.is_none().then(|| json!(word)),
            error: error.map(str::to_owned),
            line: None,
            step: step.parse().ok(),
            duration_ms: 0.0,
            decided_by_agent: false,
        }
    };
    described.split_whitespace().map(call).collect()
}

/// Completed, failed and skipped steps of a run with four.
fn counts(status: RunStatus, described: &str, under_way: &[u32], failed_in: Option<u32>) -> [u32; 3] {
    let under_way = under_way.iter().copied().collect();
    let view = RunView::new(run(status, 4), calls(described), Vec::new(), &under_way, failed_in);
    [view.steps_completed, view.steps_failed, view.steps_skipped]
}

#[test]
fn steps_are_counted_by_what_became_of_them() {
    use RunStatus::{Cancelled, Failed, Paused, Running, Succeeded};
    for (status, described, under_way, failed_in, expected) in [
        (Succeeded, "1+ 2+ 3+ 4+", &[][..], None, [4, 0, 0]),
        (Succeeded, "1+ 2- 2s 3+ 4+", &[], None, [3, 0, 1]),
        (Succeeded, "1- 1- 1+ 2s 3s 4+", &[], None, [2, 0, 2]),
        // Its code went on, but nothing of what it was about came true.
        (Succeeded, "1- 1l 2+", &[], None, [3, 1, 0]),
        (Succeeded, "", &[], None, [4, 0, 0]),
        (Failed, "1+ 2+ 3-", &[], Some(3), [2, 1, 0]),
        (Failed, "1+ 3+", &[], Some(3), [2, 1, 0]),
        (Failed, "1+ 2.", &[], None, [1, 1, 0]),
        (Failed, "", &[], None, [0, 0, 0]),
        (Cancelled, "1+ 2.", &[], None, [1, 0, 0]),
        (Paused, "1+ 2s", &[3], None, [1, 0, 1]),
        (Running, "1+ 2+ 3-", &[3], None, [2, 0, 0]),
        (Paused, "3+ 4+", &[1], None, [2, 0, 0]),
    ] {
        let counted = counts(status, described, under_way, failed_in);
        assert_eq!(counted, expected, "{status:?} {described} {under_way:?} {failed_in:?}");
    }
}

#[test]
fn a_run_that_did_nothing_has_completed_nothing() {
    let skipped = Run { outcome: Some(Outcome::Skipped), ..run(RunStatus::Succeeded, 2) };
    let view = RunView::new(skipped, Vec::new(), Vec::new(), &BTreeSet::new(), None);
    assert_eq!((view.steps_completed, view.progress()), (0, 0.0));
}

#[test]
fn remarks_are_no_outputs() {
    let view = RunView::new(run(RunStatus::Succeeded, 2), calls("1+ 1l 2s"), Vec::new(), &BTreeSet::new(), None);
    assert_eq!(view.step_outputs, [StepOutput { step: 1, output: json!("1+") }]);
}

#[test]
fn a_traceback_tells_the_step() {
    let source = "def help():\n    raise ValueError\n\ndef f():\n    # Step 1\n    help()\n    # Step 2\n    help()\n";
    let traceback = "Traceback (most recent call last):\n  File \"procedure.py\", line 8, in f\n    help()\n  \
                     File \"procedure.py\", line 2, in help\n    raise ValueError\nValueError";
    assert_eq!(step_of_traceback(source, traceback), Some(2));
    assert_eq!(step_of_traceback(source, &traceback.replace("line 8", "line 6")), Some(1));
    assert_eq!(step_of_traceback(source, "ValueError"), None);
}
