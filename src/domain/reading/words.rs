//! What serde says, for people and agents who don't know the types of this program.

/// A message of serde in the words of JSON. Other messages stay as they are.
#[must_use]
pub fn plain(message: &str) -> String {
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    if let Some(field) = message.strip_prefix("duplicate field ") {
        return format!("{field} is given twice");
    }
    if let Some((name, known)) = message.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", ")) {
        return match known.strip_prefix("expected ") {
            Some(known) => format!("there is no field {name}; the fields are {}", listed(known)),
            None => format!("there is no field {name}; {known}"),
        };
    }
    if let Some((word, known)) =
        message.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("it must be one of {}, got {word}", listed(known));
    }
    // One that is negative, a fraction or too large where that can't be.
    if message == "invalid number" {
        return "it must be a whole number that fits".to_owned();
    }
    if message.starts_with("data did not match any variant") {
        return "it has no shape that is known here".to_owned();
    }
    let wrong =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().find_map(|start| message.strip_prefix(start));
    match wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => format!("it must be {}, got {}", expected_in_json(expected), found_in_json(found)),
        None => message.to_owned(),
    }
}

/// The names that serde lists, with `or` between two and commas between more.
fn listed(known: &str) -> String {
    known.strip_prefix("one of ").unwrap_or(known).replace(" or ", ", ")
}

fn expected_in_json(expected: &str) -> String {
    let (known, place) = expected.find(" at line ").map_or((expected, ""), |at| expected.split_at(at));
    let name = match known.split([' ', ':']).next().unwrap_or_default() {
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "struct" => "an object",
        _ if known == "a map" => "an object",
        _ if known.contains("sequence") || known.contains("tuple") || known.contains("array") => "a list",
        _ if known.contains("string") || known.contains("str") || known.contains("identifier") => "a text",
        _ if known.contains("bool") => "true or false",
        _ => known,
    };
    format!("{name}{place}")
}

fn found_in_json(found: &str) -> String {
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "number" => "a number".to_owned(),
        "unit" | "unit value" | "Option value" => "null".to_owned(),
        _ => {
            let value = ["string ", "character ", "integer ", "floating point ", "boolean "]
                .iter()
                .find_map(|start| found.strip_prefix(start));
            let Some(value) = value else { return found.to_owned() };
            if value.starts_with('`') { value.to_owned() } else { format!("`{value}`") }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Given {
        count: u32,
        share: Option<f64>,
        inner: Option<Box<Given>>,
        list: Option<Vec<String>>,
        word: Option<Word>,
        flag: Option<bool>,
        map: Option<std::collections::BTreeMap<String, i64>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        One,
        Two,
    }

    fn said<T: DeserializeOwned + std::fmt::Debug>(given: Value) -> String {
        plain(&serde_json::from_value::<T>(given).unwrap_err().to_string())
    }

    #[test]
    fn what_serde_says_is_said_in_the_words_of_json() {
        for (given, expected) in [
            (json!({"count": "x"}), "it must be a whole number from 0, got `\"x\"`"),
            (json!({"count": -1}), "it must be a whole number that fits"),
            (json!({"count": 1, "share": []}), "it must be a number, got a list"),
            (json!({"count": 1, "inner": 1}), "it must be an object, got a number"),
            (json!({"count": 1, "list": 1.5}), "it must be a list, got a number"),
            (json!({"count": 1, "list": [true]}), "it must be a text, got `true`"),
            (json!({"count": 1, "flag": {}}), "it must be true or false, got an object"),
            (json!({"count": 1, "map": 1}), "it must be an object, got a number"),
            (json!({"count": 1, "map": {"a": null}}), "it must be a whole number, got null"),
            (json!({"count": 1, "word": "three"}), "it must be one of `one`, `two`, got `three`"),
            (json!({}), "`count` is missing"),
            (
                json!({"x": 1}),
                "there is no field `x`; the fields are `count`, `share`, `inner`, `list`, `word`, `flag`, `map`",
            ),
        ] {
            assert_eq!(said::<Given>(given.clone()), expected, "{given}");
        }
        assert_eq!(plain("`when` must be a time"), "`when` must be a time");
    }
}
