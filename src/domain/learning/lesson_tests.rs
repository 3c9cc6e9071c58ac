use proptest::prelude::*;
use serde_json::json;

use super::*;

fn seen(nodes: &[&str], facts: &Value, error: Option<&str>) -> Seen {
    let mut trace = Trace { last_node: nodes.last().map(ToString::to_string), ..Trace::default() };
    nodes.iter().for_each(|node| trace.path.push(None, node));
    trace.add_state(None, facts.as_object().unwrap());
    Seen { trace, error: error.map(str::to_owned) }
}

#[test]
fn a_strategy_has_what_all_had() {
    let way = ["build", "test", "ship"];
    let lesson = strategy(
        "deploy",
        &[
            seen(&way, &json!({"ok": true, "n": 4, "who": "a", "only": 1}), None),
            seen(&way, &json!({"ok": true, "n": 2, "who": "b"}), None),
            seen(&way, &json!({"ok": true, "n": 3, "who": "c"}), None),
        ],
    );
    insta::assert_json_snapshot!(lesson.unwrap(), @r#"
    {
      "problem": "A run of `deploy` has to end well.",
      "solution": "Take these nodes in this order: build → test → ship. The state at the end has `n` from 2 to 4, `ok` = true.",
      "reasoning": "Runs of `deploy` that took this way succeeded. What their states had in common is kept here, what differed among them is left out.",
      "anti_patterns": [],
      "tags": [
        "deploy",
        "strategy"
      ],
      "steps": [
        "Do build",
        "Do test",
        "Do ship"
      ]
    }
    "#);
    assert_eq!(strategy("deploy", &[]), None);
    assert_eq!(strategy("deploy", &[seen(&[], &json!({"x": 1}), None)]), None);
}

#[test]
fn an_anti_pattern_says_what_failed_why_and_what_worked_instead() {
    let failures = [
        seen(&["build", "test"], &json!({"region": "us", "retries": 0}), Some("refused by 10.0.0.7")),
        seen(&["build", "test"], &json!({"region": "us", "retries": 1}), Some("refused by 10.0.0.3")),
    ];
    let successes = [
        seen(&["build", "test", "ship"], &json!({"region": "eu", "retries": 5}), None),
        seen(&["build", "mock", "ship"], &json!({"region": "eu", "retries": 1}), None),
    ];
    insta::assert_json_snapshot!(anti_pattern("deploy", &failures, &successes, &[]).unwrap(), @r#"
    {
      "problem": "Runs of `deploy` fail at `test` with “refused by <n>”.",
      "solution": "What worked instead: taking these nodes in this order: build → mock → ship; a state with `region` = \"eu\", where the failures had `region` = \"us\".",
      "reasoning": "Runs of `deploy` failed at `test` with errors that differ in numbers, names and paths at most. One of them: refused by 10.0.0.3",
      "anti_patterns": [
        "Repeating a run of `deploy` that fails at `test` with “refused by <n>”, with `region` = \"us\""
      ],
      "tags": [
        "deploy",
        "anti-pattern"
      ],
      "steps": [
        "What worked instead: taking these nodes in this order: build → mock → ship; a state with 'region' = \"eu\", where the failures had 'region' = \"us\"."
      ]
    }
    "#);
    let alone = anti_pattern("deploy", &failures, &[], &[]).unwrap();
    assert!(alone.solution.starts_with("No run of `deploy` is known"), "{}", alone.solution);
    let same_way = anti_pattern("deploy", &failures, &successes[..1], &[]).unwrap();
    assert!(!same_way.solution.contains("nodes in this order"), "a run that goes on is no other way");
    assert_eq!(anti_pattern("deploy", &[], &successes, &[]), None);
}

fn outcomes() -> impl Strategy<Value = Vec<Seen>> {
    let facts = prop::collection::btree_map(
        "[a-c]",
        prop_oneof![(0..3i64).prop_map(Value::from), "[x-z]".prop_map(Value::from), Just(Value::Null)],
        0..3,
    );
    let one = (prop::collection::vec("[a-c]", 1..3), facts, prop::option::of("[a-c] [0-9]{1,3}"));
    let one = one.prop_map(|(nodes, facts, error)| {
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        seen(&nodes, &json!(facts), error.as_deref())
    });
    prop::collection::vec(one, 0..6)
}

/// Those that have the first one's way, as outcomes that are alike do.
fn alike(all: &[Seen]) -> Vec<Seen> {
    let Some(first) = all.first() else { return Vec::new() };
    let same = all.iter().map(|seen| Seen {
        trace: Trace { facts: seen.trace.facts.clone(), ..first.trace.clone() },
        error: first.error.clone(),
    });
    same.collect()
}

proptest! {
    #[test]
    fn the_order_of_outcomes_says_nothing(
        failures in outcomes(), successes in outcomes(), seed in any::<prop::sample::Index>(),
    ) {
        let turned = |all: &[Seen]| {
            let mut all = all.to_vec();
            let middle = if all.is_empty() { 0 } else { seed.index(all.len()) };
            all.rotate_left(middle);
            all.reverse();
            all
        };
        let failures = alike(&failures);
        prop_assert_eq!(
            anti_pattern("w", &failures, &successes, &[]),
            anti_pattern("w", &turned(&failures), &turned(&successes), &[])
        );
        let successes = alike(&successes);
        prop_assert_eq!(strategy("w", &successes), strategy("w", &turned(&successes)));
    }

    #[test]
    fn more_of_the_same_teaches_nothing_else(outcomes in outcomes()) {
        let once = alike(&outcomes);
        let twice: Vec<Seen> = once.iter().chain(&once).cloned().collect();
        prop_assert_eq!(strategy("w", &once), strategy("w", &twice));
        prop_assert_eq!(anti_pattern("w", &once, &[], &[]), anti_pattern("w", &twice, &[], &[]));
    }

    #[test]
    fn what_is_kept_holds_for_every_outcome(outcomes in outcomes()) {
        for (name, kept) in common(outcomes.iter()) {
            for seen in &outcomes {
                let value = &seen.trace.facts[&name];
                prop_assert!(!excludes(&kept, &Common::Value(value.clone())), "{} {:?}", name, kept);
            }
        }
    }

    #[test]
    fn no_step_is_a_command(node in "[a-c`{} ]{1,20}") {
        let lesson = strategy("w", &[seen(&[&node], &json!({}), None)]).unwrap();
        let is_plain = |step: &String| !step.contains(['`', '{', '}']);
        prop_assert!(lesson.steps.iter().all(is_plain), "{:?}", lesson.steps);
    }
}
