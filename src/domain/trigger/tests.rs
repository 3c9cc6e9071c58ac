#![expect(clippy::needless_pass_by_value, reason = "`json!` literals read best as plain arguments")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::Hinted as _;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn trigger(value: Value) -> Trigger {
    serde_json::from_value(value).unwrap()
}

fn refusal(value: Value) -> String {
    Trigger::parse(&map(value)).unwrap_err().in_full()
}

fn holds(operator: &str, value: Value, actual: Value) -> bool {
    let trigger = trigger(json!({"type": "condition", "condition_field": "x", "condition_operator": operator,
                                 "condition_value": value}));
    let context = map(json!({"x": actual}));
    let result = trigger.matches_context(&context);
    assert_eq!(trigger.matches_event("anything", &context), result);
    result
}

#[test]
fn every_shape_is_read_and_written_the_same_way() {
    let time = json!({"type": "time", "cron_expression": "0 6 * * 1-5", "timezone": "America/New_York"});
    let condition = json!({"type": "condition", "condition_field": "market_signals.relevance_score",
                           "condition_operator": "gt", "condition_value": 0.8, "condition_entity": "market_signal"});
    let event = json!({"type": "event", "event_type": "calendar_event_ended", "event_filter": {"source": "calendar"}});
    let plain = json!({"event": "meeting_completed", "lead_stage": "qualified"});
    let with_type = json!({"type": "conditions", "conditions": {"type": "bug"}});
    let like_an_event = json!({"type": "conditions", "conditions": {"event_type": "bug"}});
    for shape in [&time, &condition, &event, &plain, &with_type, &like_an_event] {
        assert_eq!(serde_json::to_value(trigger(shape.clone())).unwrap(), *shape);
    }
    let short = [
        (json!({"type": "time", "cron": "0 6 * * 1-5", "timezone": "America/New_York"}), &time),
        (json!({"cron": "0 6 * * 1-5", "timezone": "America/New_York"}), &time),
        (json!({"event_type": "calendar_event_ended", "filter": {"source": "calendar"}}), &event),
        (
            json!({"field": "market_signals.relevance_score", "op": "gt", "value": 0.8, "entity": "market_signal"}),
            &condition,
        ),
        (json!({"conditions": plain}), &plain),
    ];
    for (short, full) in short {
        assert_eq!(trigger(short), trigger(full.clone()));
    }
}

#[test]
fn records_that_carry_the_defaults_of_other_kinds_are_read() {
    let event = json!({"type": "event", "event_type": "mail", "timezone": "UTC", "event_filter": {},
                       "cron_expression": null, "condition_field": null});
    assert_eq!(trigger(event), trigger(json!({"type": "event", "event_type": "mail"})));
    let time = json!({"type": "time", "cron_expression": "0 6 * * *", "timezone": "UTC", "event_filter": {}});
    assert_eq!(trigger(time), trigger(json!({"type": "time", "cron": "0 6 * * *"})));
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        (json!({"type": "invalid_type"}), "`type` is `\"invalid_type\"`"),
        (json!({"type": 3}), "`type` is `3`"),
        (json!({"type": "time"}), "needs `cron_expression`"),
        (json!({"type": "time", "cron_expression": 6}), "`cron_expression` must be a text, got `6`"),
        (json!({"type": "time", "cron_expression": "0 0 6 * * 1"}), "`cron_expression`: `0 0 6 * * 1` has 6 fields"),
        (json!({"type": "time", "cron": "0 6 * * *", "timezone": "Nowhere"}), "`timezone`: there is no time zone"),
        (json!({"type": "event"}), "needs `event_type`"),
        (json!({"type": "event", "event_type": " "}), "`event_type` must be a text"),
        (
            json!({"type": "event", "event_type": "a", "source": "b"}),
            "no field `source`; it has `event_type`, `event_f",
        ),
        (json!({"type": "event", "event_type": "a", "event_filter": 1}), "`event_filter` must be an object"),
        (json!({"type": "event", "event_type": "a", "event_filter": {"b": null}}), "`b` must be a value"),
        (json!({"type": "event", "event_type": "a", "cron": "* * * * *"}), "no field `cron`"),
        (json!({"type": "condition", "field": "x", "op": "lt"}), "needs `condition_value`"),
        (json!({"type": "condition", "field": "x", "value": 1}), "needs `condition_operator`"),
        (json!({"type": "condition", "field": "x", "op": "<", "value": 1}), "`op` must be `lt`, `gt`, `eq` or"),
        (json!({"type": "condition", "field": "x", "op": "gt", "value": "one"}), "`value` must be a number"),
        (json!({}), "needs `conditions`"),
        (json!({"a": null}), "`a` must be a value"),
        (json!({"": 1}), "a dotted path"),
    ];
    for (shape, message) in cases {
        let refused = refusal(shape.clone());
        assert!(refused.contains(message), "{shape}: {refused}");
    }
}

#[test]
fn all_conditions_must_be_equal_at_any_depth() {
    let wanted = trigger(json!({"event": "meeting_completed", "lead.stage": "qualified", "lead.tags.0": "hot"}));
    let context = |stage: &str, tag: &str| {
        map(json!({"event": "meeting_completed", "lead": {"stage": stage, "tags": [tag, "new"]}, "more": 1}))
    };
    assert!(wanted.matches_context(&context("qualified", "hot")));
    assert!(!wanted.matches_context(&context("new", "hot")));
    assert!(!wanted.matches_context(&context("qualified", "cold")));
    assert!(!wanted.matches_context(&map(json!({"event": "meeting_completed"}))));
    assert!(!wanted.matches_event("meeting_completed", &context("qualified", "hot")), "it is not an event trigger");
    let dotted = trigger(json!({"lead.stage": "qualified"}));
    assert!(dotted.matches_context(&map(json!({"lead.stage": "qualified"}))), "a key may have dots itself");
}

#[test]
fn events_match_by_type_and_filter() {
    let wanted = trigger(json!({"type": "event", "event_type": "ended", "event_filter": {"source.kind": "calendar"}}));
    let payload = map(json!({"source": {"kind": "calendar"}}));
    assert!(wanted.matches_event("ended", &payload));
    assert!(!wanted.matches_event("begun", &payload));
    assert!(!wanted.matches_event("ended", &map(json!({"source": {"kind": "mail"}}))));
    assert!(!wanted.matches_event("ended", &Map::new()));
    assert!(wanted.matches_context(&map(json!({"event_type": "ended", "source": {"kind": "calendar"}}))));
    assert!(!wanted.matches_context(&payload));
}

#[test]
fn numbers_compare_whether_whole_or_not() {
    assert!(holds("gt", json!(0.8), json!(0.9)) && holds("gt", json!(0.8), json!(1)));
    assert!(!holds("gt", json!(0.8), json!(0.8)) && !holds("gt", json!(0.8), json!("much")));
    assert!(holds("lt", json!(50), json!(49.5)) && holds("lt", json!(50), json!(-3)));
    assert!(holds("lt", json!(u64::MAX), json!(u64::MAX - 1)), "not rounded");
    assert!(holds("eq", json!(1), json!(1.0)) && holds("eq", json!([1, {"a": 2.0}]), json!([1.0, {"a": 2}])));
    assert!(!holds("eq", json!(1), json!(true)) && !holds("eq", json!("one"), json!(1)));
}

#[test]
fn numbers_that_clients_write_as_texts_are_numbers() {
    assert!(holds("lt", json!(50), json!("30")) && holds("gt", json!(0.8), json!(" 0.81 ")));
    assert!(holds("lt", json!("50"), json!(30)) && holds("lt", json!("50"), json!("9")), "not as words are sorted");
    assert!(
        holds("eq", json!(30), json!("30"))
            && holds("eq", json!("30"), json!(30.0))
            && holds("eq", json!(30), json!("3e1"))
    );
    assert!(!holds("eq", json!("007"), json!("7")) && holds("eq", json!("007"), json!("007")), "both are texts");
    assert!(
        !holds("eq", json!(1), json!("true"))
            && !holds("lt", json!(50), json!(""))
            && !holds("lt", json!(50), json!("1,5"))
    );
    assert!(holds("contains", json!("2"), json!([1, 2])));
    let filtered = trigger(json!({"type": "event", "event_type": "ended", "event_filter": {"room": 3}}));
    assert!(filtered.matches_event("ended", &map(json!({"room": "3"}))));
    assert!(trigger(json!({"room": "3"})).matches_context(&map(json!({"room": 3}))));
}

#[test]
fn a_condition_is_about_what_its_entity_is() {
    let wanted = trigger(json!({"field": "score", "op": "lt", "value": 50, "entity": "lead"}));
    let matches = |context: Value| wanted.matches_event("changed", &map(context));
    assert!(matches(json!({"score": 30, "entity": "lead"})) && matches(json!({"score": 30, "entity_type": "lead"})));
    assert!(matches(json!({"score": 30, "entity": {"type": "lead", "id": 7}})) && matches(json!({"score": 30})));
    assert!(!matches(json!({"score": 30, "entity": "account"})) && !matches(json!({"score": 30, "entity": "leads"})));
    assert!(!matches(json!({"score": 30, "entity": {"type": "account"}})) && !matches(json!({"entity": "lead"})));
    assert!(wanted.matches_context(&map(json!({"score": 30, "entity": "lead"}))));
    assert!(!wanted.matches_context(&map(json!({"score": 30, "entity": "account"}))));
}

#[test]
fn each_subject_is_told_from_the_others() {
    let subject = |field: &str, entity: Option<&str>, context: Value| {
        let Trigger::Condition(condition) = trigger(json!({"field": field, "op": "lt", "value": 50, "entity": entity}))
        else {
            unreachable!()
        };
        condition.subject(&map(context))
    };
    assert_eq!(subject("score", None, json!({"score": 1, "id": "of the event"})), "");
    assert_eq!(subject("score", Some("lead"), json!({"score": 1})), "");
    assert_eq!(subject("score", Some("lead"), json!({"score": 1, "lead_id": 7})), "7");
    assert_eq!(subject("score", None, json!({"score": 1, "entity": "lead", "entity_id": "a"})), "lead a");
    assert_eq!(subject("score", None, json!({"score": 1, "entity": {"type": "lead", "id": 7}})), "lead 7");
    assert_eq!(subject("score", None, json!({"score": 1, "entity_type": "lead", "lead_id": 8})), "lead 8");
    assert_eq!(subject("lead.score", None, json!({"lead": {"score": 1, "id": "x"}})), "x");
}

#[test]
fn a_cooldown_is_a_number_of_seconds() {
    let condition = |cooldown: Value| {
        json!({"type": "condition", "condition_field": "x", "condition_operator": "lt", "condition_value": 1,
               "cooldown_seconds": cooldown})
    };
    let written = serde_json::to_value(trigger(condition(json!("3600")))).unwrap();
    assert_eq!(written, condition(json!(3600)));
    assert_eq!(serde_json::to_value(trigger(condition(json!(0)))).unwrap().get("cooldown_seconds"), None);
    for wrong in [json!(-1), json!(1.5), json!("soon"), json!(u64::MAX), json!([1])] {
        assert!(refusal(condition(wrong)).contains("`cooldown_seconds` must be a whole number"));
    }
    assert!(refusal(json!({"event_type": "a", "type": "event", "cooldown_seconds": 5})).contains("has no field"));
}

#[test]
fn texts_contain_parts_and_lists_items() {
    assert!(holds("contains", json!("urgent"), json!("very urgent!")));
    assert!(!holds("contains", json!("urgent"), json!("calm")));
    assert!(holds("contains", json!("vip"), json!(["new", "vip"])) && holds("contains", json!(2), json!([1, 2.0])));
    assert!(!holds("contains", json!("vip"), json!(["vips"])) && !holds("contains", json!(1), json!("1")));
}

#[test]
fn what_is_null_or_missing_never_matches() {
    for operator in ["lt", "gt", "eq", "contains"] {
        assert!(!holds(operator, json!(0), Value::Null), "{operator}");
        let wanted = trigger(json!({"field": "a.b.7.c", "op": operator, "value": 0}));
        for context in [json!({}), json!({"a": 1}), json!({"a": {"b": [1]}}), json!({"a": {"b": null}})] {
            assert!(!wanted.matches_context(&map(context)), "{operator}");
        }
    }
}

#[test]
fn time_is_no_part_of_a_situation() {
    let wanted = trigger(json!({"type": "time", "cron_expression": "* * * * *"}));
    assert!(!wanted.matches_context(&Map::new()) && !wanted.matches_event("time", &Map::new()));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-3_i32..3).prop_map(|number| json!(f64::from(number))),
        "[ab=.]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::hash_map("[ab01.]{1,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::hash_map("[ab01.=]{1,5}", value(), 0..4).prop_map(|map| map.into_iter().collect())
}

fn any_trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        object().prop_filter_map("conditions", |map| Trigger::parse(&map).ok()),
        ("[ab]", object()).prop_filter_map("event", |(kind, filter)| {
            Trigger::parse(&map(json!({"type": "event", "event_type": kind, "event_filter": filter}))).ok()
        }),
        ("[ab01.]{1,5}", 0..4_usize, value()).prop_filter_map("condition", |(field, operator, value)| {
            let operator = Operator::ALL[operator].as_str();
            Trigger::parse(&map(json!({"type": "condition", "field": field, "op": operator, "value": value}))).ok()
        }),
    ]
}

proptest! {
    #[test]
    fn a_trigger_survives_being_written(trigger in any_trigger()) {
        let written = serde_json::to_value(&trigger).unwrap();
        prop_assert_eq!(serde_json::from_value::<Trigger>(written).unwrap(), trigger);
    }

    #[test]
    fn the_index_finds_whatever_matches(trigger in any_trigger(), mut context in object(), kind in "[ab]") {
        // Half of the contexts are made of the trigger, so that many match.
        if let (Trigger::Conditions(conditions), true) = (&trigger, kind == "a") {
            context.extend(conditions.clone());
        }
        context.insert("event_type".to_owned(), json!(kind));
        let IndexKeys { kind: indexed, keys } = trigger.index_keys();
        let present = context_keys(&context);
        let is_found = !keys.is_empty()
            && keys.iter().all(|key| if indexed == "event" { *key == kind } else { present.contains(key) });
        if trigger.matches_context(&context) || trigger.matches_event(&kind, &context) {
            prop_assert!(is_found, "{:?} {:?}", trigger, context);
        }
    }

    #[test]
    fn the_whole_context_matches_itself(context in object()) {
        let context: Map<String, Value> = context.into_iter().filter(|(_, value)| !value.is_null()).collect();
        if !context.is_empty() {
            prop_assert!(Trigger::Conditions(context.clone()).matches_context(&context));
        }
    }

    #[test]
    fn numbers_are_in_one_order(a in -5_i64..5, b in -5.0_f64..5.0) {
        let (less, greater) = (holds("gt", json!(a), json!(b)), holds("lt", json!(a), json!(b)));
        prop_assert!(u8::from(less) + u8::from(greater) + u8::from(holds("eq", json!(a), json!(b))) == 1);
    }
}
