use proptest::prelude::*;
use serde_json::json;

use super::*;

fn states(states: &Value) -> Vec<Map<String, Value>> {
    states.as_array().unwrap().iter().map(|state| state.as_object().unwrap().clone()).collect()
}

fn merged(given: &Value, reducer: Reducer) -> Result<Value, String> {
    merge(&states(given), &BTreeMap::new(), reducer).map(Value::Object).map_err(|error| error.to_string())
}

fn field(values: &Value, reducer: Reducer) -> Result<Value, String> {
    let states: Vec<Value> = values.as_array().unwrap().iter().map(|value| json!({"x": value})).collect();
    merged(&json!(states), reducer).map(|state| state["x"].clone())
}

#[test]
fn each_reducer_makes_of_values_what_it_says() {
    for (reducer, values, wanted) in [
        (Reducer::Append, json!([[1], 2, [[3]], []]), json!([1, 2, [3]])),
        (Reducer::MergeDict, json!([{"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}]), json!({"a": 1, "b": {"d": 2}})),
        (Reducer::LastValue, json!([1, "two", null]), json!("two")),
        (Reducer::FirstValue, json!([null, 1, "two"]), json!(1)),
        (Reducer::Sum, json!([1, 2, -4]), json!(-1)),
        (Reducer::Sum, json!([1, 0.5]), json!(1.5)),
        (Reducer::Sum, json!([u64::MAX, i64::MIN]), json!(9_223_372_036_854_775_807_u64)),
        (Reducer::Max, json!([3, 7.5, -1]), json!(7.5)),
        (Reducer::Max, json!(["2026-01-02", "2026-01-10"]), json!("2026-01-10")),
        (Reducer::Max, json!([9_007_199_254_740_993_u64, 9_007_199_254_740_992.0]), json!(9_007_199_254_740_993_u64)),
        (Reducer::Min, json!([3, -2.5, 1]), json!(-2.5)),
        (Reducer::Min, json!([0, -0.5]), json!(-0.5)),
        (Reducer::Union, json!([[1, {"a": 1, "b": 2}], [{"b": 2, "a": 1}, "1"], 1]), json!([1, {"a": 1, "b": 2}, "1"])),
        (Reducer::ConcatText, json!(["one ", null, "two"]), json!("one two")),
        (
            Reducer::DeepMerge,
            json!([{"a": {"b": 1, "l": [1]}}, {"a": {"c": 2, "l": [2], "b": null}}]),
            json!({"a": {"b": 1, "l": [2], "c": 2}}),
        ),
    ] {
        assert_eq!(field(&values, reducer), Ok(wanted), "{reducer:?} of {values}");
    }
}

#[test]
fn nothing_but_nulls_gives_what_the_reducer_begins_with() {
    for reducer in Reducer::ALL {
        let wanted = match reducer {
            Reducer::Append | Reducer::Union => json!([]),
            Reducer::MergeDict => json!({}),
            Reducer::Sum => json!(0),
            Reducer::ConcatText => json!(""),
            _ => Value::Null,
        };
        assert_eq!(field(&json!([null, null]), reducer), Ok(wanted), "{reducer:?}");
    }
}

#[test]
fn each_field_has_its_own_reducer_and_the_others_the_default() {
    let given = json!([{"messages": ["a"], "score": 3, "status": "old"}, {"score": 9, "status": "new", "extra": true}]);
    let own = BTreeMap::from([("messages".to_owned(), Reducer::Append), ("score".to_owned(), Reducer::Max)]);
    let state = merge(&states(&given), &own, Reducer::LastValue).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), r#"{"messages":["a"],"score":9,"status":"new","extra":true}"#);
    assert_eq!(merge(&[], &own, Reducer::Sum).unwrap(), Map::new());
}

#[test]
fn a_type_clash_names_field_branch_and_types() {
    let longest = json::read(&"9".repeat(json::MOST_DIGITS)).unwrap();
    for (values, reducer, wanted) in [
        (
            json!([1, "two"]),
            Reducer::Sum,
            "`sum` can't merge field `x`, because branch 1 (from 0) has a text there and not a number",
        ),
        (json!([1, true]), Reducer::Sum, "branch 1 (from 0) has a boolean"),
        (json!([{}, null, [1]]), Reducer::MergeDict, "branch 2 (from 0) has a list there and not an object"),
        (json!([1, "2"]), Reducer::Max, "branch 1 (from 0) has a text there and branch 0 has a number"),
        (json!([[1], 2]), Reducer::Min, "branch 0 (from 0) has a list there and not a number or a text"),
        (json!(["1", 2]), Reducer::ConcatText, "branch 1 (from 0) has a number there and not a text"),
        (
            json!([{"a": {}}, {"a": 1}]),
            Reducer::DeepMerge,
            "field `x.a`, because branch 1 (from 0) has a number there and branch 0 has an object",
        ),
        (json!([1, {"a": 1}]), Reducer::DeepMerge, "branch 0 (from 0) has a number there and branch 1 has an object"),
        (json!([longest, 1]), Reducer::Sum, "too large"),
        (json!([f64::MAX, f64::MAX]), Reducer::Sum, "too large"),
    ] {
        let error = field(&values, reducer).unwrap_err();
        assert!(error.contains(wanted), "{reducer:?} of {values}: {error}");
    }
}

#[test]
fn names_lead_back_to_their_reducers() {
    for reducer in Reducer::ALL {
        assert_eq!(Reducer::parse(reducer.as_str()), Some(reducer));
    }
    assert_eq!(Reducer::parse("Append"), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            object(inner).prop_map(Value::Object),
        ]
    })
}

/// Also such that floating point can't tell apart.
fn number() -> impl Strategy<Value = Value> {
    let large = 9_007_199_254_740_990_i64..9_007_199_254_740_996;
    #[expect(clippy::cast_precision_loss, reason = "that is what is wanted here")]
    let float = large.clone().prop_map(|whole| json!(whole as f64));
    prop_oneof![(-3_i64..3).prop_map(Value::from), large.prop_map(Value::from), float, Just(json!(-0.5))]
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::vec(("[a-c]", value), 0..4).prop_map(|fields| fields.into_iter().collect())
}

/// States whose values the reducer can mostly take.
fn states_for(reducer: Reducer) -> BoxedStrategy<Vec<Map<String, Value>>> {
    let or_null = |value: BoxedStrategy<Value>| prop_oneof![1 => Just(Value::Null), 5 => value].boxed();
    let value = match reducer {
        Reducer::Sum => or_null((-9_i64..9).prop_map(Value::from).boxed()),
        Reducer::Max | Reducer::Min => or_null(number().boxed()),
        Reducer::ConcatText => or_null("[ab]{0,3}".prop_map(Value::from).boxed()),
        Reducer::MergeDict => or_null(object(any_value()).prop_map(Value::Object).boxed()),
        _ => any_value().boxed(),
    };
    proptest::collection::vec(object(value), 1..5).boxed()
}

fn reducer_and_states() -> impl Strategy<Value = (Reducer, Vec<Map<String, Value>>)> {
    proptest::sample::select(Reducer::ALL.to_vec()).prop_flat_map(|reducer| (Just(reducer), states_for(reducer)))
}

proptest! {
    #[test]
    fn one_state_stays_as_it_is(reducer in proptest::sample::select(Reducer::ALL.to_vec()), state in object(any_value())) {
        let own = BTreeMap::new();
        let merged = merge(std::slice::from_ref(&state), &own, reducer).unwrap();
        prop_assert_eq!(json!(merged).to_string(), json!(state).to_string());
    }

    /// Sums of fractions are left out: floating point is not associative.
    #[test]
    fn branches_may_be_merged_in_groups((reducer, states) in reducer_and_states(), at in 0_usize..5) {
        let own = BTreeMap::new();
        let whole = merge(&states, &own, reducer);
        let (left, right) = states.split_at(at.min(states.len()));
        let grouped = merge(left, &own, reducer)
            .and_then(|left| merge(right, &own, reducer).map(|right| [left, right]))
            .and_then(|both| merge(&both, &own, reducer));
        match (whole, grouped) {
            (Ok(whole), Ok(grouped)) if states.len() > 1 => {
                prop_assert_eq!(json!(whole).to_string(), json!(grouped).to_string());
            }
            // Of one state, and none, a list may have been made of what was not one.
            (Ok(_), Ok(_)) => {}
            (whole, grouped) => prop_assert_eq!(whole.is_err(), grouped.is_err()),
        }
    }

    #[test]
    fn an_empty_state_changes_nothing((reducer, mut states) in reducer_and_states(), at in 0_usize..5) {
        let own = BTreeMap::new();
        if let [only] = &states[..] {
            states.push(only.clone());
        }
        let before = merge(&states, &own, reducer).ok();
        states.insert(at.min(states.len()), Map::new());
        prop_assert_eq!(before, merge(&states, &own, reducer).ok());
    }
}
