use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::Hinted as _;

/// A tool of every kind of argument.
fn shape() -> Shape {
    Shape::of_schema(&json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "limit": {"type": ["integer", "null"], "format": "uint32", "minimum": 0},
            "share": {"type": ["number", "null"]},
            "flag": {"type": "boolean"},
            "tags": {"type": ["array", "null"], "items": {"type": "string"}},
            "branch_id": {"type": ["string", "null"]},
            "of": {"anyOf": [{"type": "integer", "format": "int64"}, {"type": "string"}]},
            "word": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
            "data": {"type": "object"},
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "value": true,
            "steps": {"type": "array", "items": {"anyOf": [{"type": "string"}, {
                "type": "object",
                "properties": {
                    "command": {"type": "array", "items": {"type": "string"}, "x-list-only": true},
                    "config": {"type": "object"},
                    "timeout": {"type": ["integer", "null"]},
                },
            }]}},
        },
    }))
}

fn read(given: Value) -> Result<Value, String> {
    fit(given, &shape()).map_err(|misfit| misfit.in_full())
}

/// What becomes of the argument `name`.
fn one(name: &str, value: Value) -> Result<Value, String> {
    let given = Map::from_iter([("name".to_owned(), json!("n")), (name.to_owned(), value)]);
    let read = read(Value::Object(given))?;
    Ok(read.get(name).cloned().unwrap_or(Value::from("left out")))
}

#[test]
fn what_can_mean_only_one_thing_is_taken() {
    let same = json!("left out");
    for (name, given, wanted) in [
        ("limit", json!("2"), json!(2)),
        ("limit", json!(" 2 "), json!(2)),
        ("limit", json!(2.0), json!(2)),
        ("limit", json!("2.0"), json!(2)),
        ("limit", json!(1e3), json!(1000)),
        ("limit", json!(null), same.clone()),
        ("limit", json!(""), same.clone()),
        ("share", json!("0.7"), json!(0.7)),
        ("share", json!("1"), json!(1)),
        ("flag", json!("true"), json!(true)),
        ("flag", json!("FALSE"), json!(false)),
        ("flag", json!(null), same.clone()),
        ("tags", json!("one"), json!(["one"])),
        ("tags", json!(r#"["one", 2]"#), json!(["one", "2"])),
        ("tags", json!("[draft"), json!(["[draft"])),
        ("tags", json!(""), same.clone()),
        ("branch_id", json!(7), json!("7")),
        ("branch_id", json!(""), same.clone()),
        ("branch_id", json!(null), same.clone()),
        // No name, but no empty text either: whoever reads it says so.
        ("branch_id", json!(" "), json!(" ")),
        ("of", json!("12"), json!("12")),
        ("of", json!(12), json!(12)),
        ("of", json!(12.0), json!(12)),
        ("of", json!(null), same.clone()),
        ("word", json!(null), same),
        ("data", json!(r#"{"a": "1"}"#), json!({"a": "1"})),
        ("data", json!({"a": null, "b": "2"}), json!({"a": null, "b": "2"})),
        ("counts", json!({"a": "1", "b": 2.0}), json!({"a": 1, "b": 2})),
        ("value", json!(null), json!(null)),
        ("value", json!("{}"), json!("{}")),
        ("steps", json!(r#"["Do it", {"command": ["ls"]}]"#), json!(["Do it", {"command": ["ls"]}])),
        ("steps", json!([r#"{"command": ["ls"]}"#]), json!([{"command": ["ls"]}])),
        ("steps", json!([r#"{"other": 1}"#]), json!([r#"{"other": 1}"#])),
        (
            "steps",
            json!([{"timeout": "5", "config": r#"{"a": "1"}"#, "command": r#"["a", 1]"#}, {"timeout": null, "x": null}]),
            json!([{"timeout": 5, "config": {"a": "1"}, "command": ["a", "1"]}, {"x": null}]),
        ),
    ] {
        assert_eq!(one(name, given.clone()), Ok(wanted), "{name}: {given}");
    }
    assert_eq!(read(json!({"name": 5})), Ok(json!({"name": "5"})));
    assert_eq!(read(json!(r#"{"name": "n", "limit": "1"}"#)), Ok(json!({"name": "n", "limit": 1})));
}

#[test]
fn nothing_is_guessed_and_the_place_is_named() {
    for (name, given, said) in [
        ("limit", json!("2.5"), "`limit` must be a whole number from 0, got `\"2.5\"`"),
        ("limit", json!(2.5), "`limit` must be a whole number from 0, got `2.5`"),
        ("limit", json!(-1), "`limit` must be a whole number from 0, got `-1`"),
        ("limit", json!("many"), "`limit` must be a whole number from 0, got `\"many\"`"),
        ("limit", json!("0x10"), "`limit` must be a whole number from 0, got `\"0x10\"`"),
        ("limit", json!(true), "`limit` must be a whole number from 0, got `true`"),
        ("limit", json!(4_294_967_296_u64), "`limit` must be a whole number from 0 to 4294967295, got `4294967296`"),
        ("limit", json!([1]), "`limit` must be a whole number from 0, got a list"),
        ("share", json!("high"), "`share` must be a number, got `\"high\"`"),
        ("share", json!("NaN"), "`share` must be a number, got `\"NaN\"`"),
        ("flag", json!("yes"), "`flag` must be true or false, got `\"yes\"`"),
        ("flag", json!(1), "`flag` must be true or false, got `1`"),
        ("tags", json!(5), "`tags` must be a list of texts, got `5`"),
        ("tags", json!(["a", null]), "`tags[1]` must be a text, got `null`"),
        ("branch_id", json!(true), "`branch_id` must be a text, got `true`"),
        ("of", json!(1.5), "`of` must be a whole number or a text, got `1.5`"),
        ("of", json!({"id": 1}), "`of` must be a whole number or a text, got an object"),
        ("word", json!(5), "`word` must be one of `a`, `b`, got `5`"),
        ("data", json!("text"), "`data` must be an object, got `\"text\"`"),
        ("data", json!("[1]"), "`data` must be an object, got `\"[1]\"`"),
        ("counts", json!({"a": "x"}), "`counts.a` must be a whole number, got `\"x\"`"),
        ("counts", json!({"a": null}), "`counts.a` must be a whole number, got `null`"),
        ("steps", json!("Do it"), "`steps` must be a list, got `\"Do it\"`"),
        ("steps", json!(["a", 1]), "`steps[1]` must be a text or an object, got `1`"),
        ("steps", json!(["a", {"config": 5}]), "`steps[1].config` must be an object, got `5`"),
        (
            "steps",
            json!([{"command": "git status"}]),
            "`steps[0].command` must be a list of texts, got `\"git status\"`",
        ),
        ("tgas", json!([]), "there is no field `tgas`; did you mean `tags`?"),
    ] {
        assert_eq!(one(name, given.clone()), Err(said.to_owned()), "{name}: {given}");
    }
    assert_eq!(read(json!({})), Err("`name` is missing; it must be a text".to_owned()));
    assert_eq!(read(json!({"name": null})), Err("`name` must be a text, got `null`".to_owned()));
    let long = read(json!({"name": "n", "limit": "x".repeat(1000)})).unwrap_err();
    assert!(long.len() < 200, "{long}");
}

#[test]
fn large_whole_numbers_are_taken_as_they_are_or_not_at_all() {
    for (text, is_taken) in [("9007199254740993", true), ("-18446744073709551615", true), ("1e20", false)] {
        let fitted = fit(json!(text), &Shape::WHOLE);
        assert_eq!(fitted.is_ok(), is_taken, "{fitted:?}");
        if let Ok(fitted) = fitted {
            assert_eq!(fitted.to_string(), text);
        }
    }
}

proptest! {
    #[test]
    fn what_is_right_stays_as_it_is(limit in any::<u32>(), share in -1e300..1e300_f64, name in ".*", flag in any::<bool>(),
        tags in prop::collection::vec("[a-z]*", 0..4), key in "[a-z]{1,4}") {
        let given = json!({
            "name": name, "limit": limit, "share": share, "flag": flag, "tags": tags, "of": name.clone() + "x",
            "data": {&key: name, "n": null}, "counts": {&key: limit}, "value": name, "steps": ["Do it", {"config": {&key: null}}],
        });
        prop_assert_eq!(read(given.clone()), Ok(given));
    }

    #[test]
    fn a_number_is_the_same_as_its_text(limit in any::<u32>(), share in any::<f64>().prop_filter("finite", |share| share.is_finite())) {
        prop_assert_eq!(one("limit", json!(limit.to_string())), Ok(json!(limit)));
        prop_assert_eq!(one("limit", json!(f64::from(limit))), Ok(json!(limit)));
        prop_assert_eq!(one("share", json!(json!(share).to_string())), Ok(json!(share)));
    }

    #[test]
    fn no_text_is_taken_for_a_number_that_it_is_not(text in "[-+0-9a-fA-F.eE _,xX]{0,8}") {
        if let Ok(read) = one("share", json!(text)) && read != json!("left out") {
            prop_assert_eq!(read.as_f64(), text.trim().parse::<f64>().ok());
        }
    }
}
