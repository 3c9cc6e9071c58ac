//! Calls of `save_checkpoint` with a large state, which stays the text that it is: making a value of it would take longer
//! than everything else that is done with it.

use rmcp::model::{CallToolRequestParams, RequestId};
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use super::verbatim;

/// Shorter messages are read like all others.
const LARGE_BYTES: usize = 32 * 1024;
const TOOL: &str = "save_checkpoint";
const FIELD: &str = "state";
/// Places that are looked at for it: other fields may have such a field, too.
const MAX_PLACES: usize = 4;

/// The call in a line, where it is such a one; `read_call` reads what is left of it. Everything else, broken lines among
/// it, is for the general way.
pub fn read(
    line: &[u8],
    read_call: impl FnOnce(&[u8]) -> Option<(CallToolRequestParams, RequestId)>,
) -> Option<(CallToolRequestParams, RequestId)> {
    if line.len() < LARGE_BYTES || memchr::memmem::find(line, TOOL.as_bytes()).is_none() {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    let places = memchr::memmem::find_iter(line.as_bytes(), "\"state\"").take(MAX_PLACES);
    let (start, state) =
        places.filter_map(|at| object_after(line, at)).find(|(_, state)| state.len() > LARGE_BYTES / 2)?;
    // Something that nobody sends stands for it meanwhile, because another field might have a field of this name.
    let mark = verbatim::mark();
    let rest = [&line[..start], "\"", mark, "\"", &line[start + state.len()..]].concat();
    let (mut params, id) = read_call(rest.as_bytes())?;
    let place = params.arguments.as_mut()?.get_mut(FIELD)?;
    if params.name != TOOL || place.as_str() != Some(mark) {
        return None;
    }
    *place = Value::Object(verbatim::fields(state.to_owned()));
    Some((params, id))
}

/// The object that is the value of the field whose name is at `at`, and where it begins.
fn object_after(line: &str, at: usize) -> Option<(usize, &str)> {
    let value = line[at + FIELD.len() + 2..].trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
    let start = line.len() - value.len();
    let mut values = Deserializer::from_str(value).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let state = &value[..values.byte_offset()];
    state.starts_with('{').then_some((start, state))
}

#[cfg(test)]
mod tests {
    use rmcp::model::CallToolRequestMethod;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Call {
        id: RequestId,
        #[serde(rename = "method")]
        _method: CallToolRequestMethod,
        params: CallToolRequestParams,
    }

    fn read(line: &str) -> Option<(CallToolRequestParams, RequestId)> {
        super::read(line.as_bytes(), |line| {
            let Call { id, params, .. } = serde_json::from_slice(line).ok()?;
            Some((params, id))
        })
    }

    fn line(name: &str, state: &Value) -> String {
        json!({
            "jsonrpc": "2.0", "id": "x", "method": "tools/call",
            "params": {"_meta": {"progressToken": 7}, "arguments": {"node_id": "n", "state": state}, "name": name},
        })
        .to_string()
    }

    #[test]
    fn the_state_is_text_and_the_rest_as_ever() {
        let state = json!({"z": "größer ".repeat(LARGE_BYTES), "a": [1, {"c": 2, "b": null}]});
        let (params, id) = read(&line(TOOL, &state)).unwrap();
        assert_eq!(id, RequestId::String("x".into()));
        assert_eq!(params.name, TOOL);
        assert!(params.meta.is_some());
        let mut arguments = params.arguments.unwrap();
        assert_eq!(arguments["node_id"], json!("n"));
        let Some(Value::Object(fields)) = arguments.remove(FIELD) else { panic!("no state") };
        assert_eq!(verbatim::of_fields(fields), Ok(state.to_string()));
    }

    #[test]
    fn everything_else_is_left_to_the_general_way() {
        let large = json!({"a": "x".repeat(LARGE_BYTES)});
        for other in [
            line(TOOL, &json!({"a": 1})),
            line("merge_states", &large),
            line("merge_states", &json!({"a": TOOL.repeat(LARGE_BYTES)})),
            line(TOOL, &Value::from(large.to_string())),
            line(TOOL, &json!({"a": 1})).replace("\"n\"", &json!({"state": large}).to_string()),
            line(TOOL, &json!(1)).replace("\"n\"", &json!({"state": large}).to_string()),
            line(TOOL, &large).replace("tools/call", "tools/list"),
            line(TOOL, &large)[..LARGE_BYTES].to_owned(),
        ] {
            assert!(read(&other).is_none(), "{}", &other[..120]);
        }
    }
}
