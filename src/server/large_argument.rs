//! Calls with a large object in an argument, which stays the text that it is: making a value of it would take longer than
//! everything else that is done with it. Which arguments may be large, the tools say.

use rmcp::model::{CallToolRequestParams, RequestId};
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use super::{repair, verbatim};

/// Shorter messages are read like all others.
const LARGE_BYTES: usize = 32 * 1024;
/// Places that are looked at for it: other fields may have such a field, too.
const MAX_PLACES: usize = 4;

/// An argument of a tool that may hold a large object.
#[derive(Debug, Clone)]
pub struct LargeArgument {
    tool: String,
    argument: &'static str,
    /// Its name as it stands in a message.
    quoted: String,
}

impl LargeArgument {
    /// The argument of this name, of the tool of that name.
    #[must_use]
    pub fn new(tool: &str, argument: &'static str) -> Self {
        Self { tool: tool.to_owned(), argument, quoted: format!("\"{argument}\"") }
    }

    /// The call in a line, where this is large in it; `read_call` reads what is left of it. Everything else, broken lines
    /// among it, is for the general way.
    fn read(
        &self,
        line: &[u8],
        read_call: impl FnOnce(&[u8]) -> Option<(CallToolRequestParams, RequestId)>,
    ) -> Option<(CallToolRequestParams, RequestId)> {
        memchr::memmem::find(line, self.tool.as_bytes())?;
        let line = std::str::from_utf8(line).ok()?;
        let places = memchr::memmem::find_iter(line.as_bytes(), self.quoted.as_bytes()).take(MAX_PLACES);
        let (start, object) = places
            .filter_map(|at| object_after(line, at + self.quoted.len()))
            .find(|(_, object)| object.len() > LARGE_BYTES / 2)?;
        // Something that nobody sends stands for it meanwhile, because another field might have a field of this name.
        let mark = verbatim::mark();
        let rest = [&line[..start], "\"", mark, "\"", &line[start + object.len()..]].concat();
        let (mut params, id) = read_call(rest.as_bytes())?;
        let place = params.arguments.as_mut()?.get_mut(self.argument)?;
        if params.name != self.tool || place.as_str() != Some(mark) {
            return None;
        }
        *place = Value::Object(verbatim::fields(repair::repaired_text(object).into_owned()));
        Some((params, id))
    }
}

/// The call in a line that has one of these arguments, large; `read_call` reads what is left of it.
pub fn read(
    line: &[u8],
    arguments: &[LargeArgument],
    read_call: impl Fn(&[u8]) -> Option<(CallToolRequestParams, RequestId)>,
) -> Option<(CallToolRequestParams, RequestId)> {
    if line.len() < LARGE_BYTES {
        return None;
    }
    arguments.iter().find_map(|argument| argument.read(line, &read_call))
}

/// The object that is the value of the field whose name ends before `after`, and where it begins.
fn object_after(line: &str, after: usize) -> Option<(usize, &str)> {
    let value = line[after..].trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
    let start = line.len() - value.len();
    let mut values = Deserializer::from_str(value).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let object = &value[..values.byte_offset()];
    object.starts_with('{').then_some((start, object))
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

    const TOOL: &str = "keep_state";
    const ARGUMENT: &str = "state";

    fn read(line: &str) -> Option<(CallToolRequestParams, RequestId)> {
        let arguments = [LargeArgument::new("other_tool", "text"), LargeArgument::new(TOOL, ARGUMENT)];
        super::read(line.as_bytes(), &arguments, |line| {
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
    fn a_large_argument_is_text_and_the_rest_as_ever() {
        let state = json!({"z": "größer ".repeat(LARGE_BYTES), "a": [1, {"c": 2, "b": null}]});
        let (params, id) = read(&line(TOOL, &state)).unwrap();
        assert_eq!(id, RequestId::String("x".into()));
        assert_eq!(params.name, TOOL);
        assert!(params.meta.is_some());
        let mut arguments = params.arguments.unwrap();
        assert_eq!(arguments["node_id"], json!("n"));
        let Some(Value::Object(fields)) = arguments.remove(ARGUMENT) else { panic!("no state") };
        assert_eq!(verbatim::of_fields(fields), Ok(state.to_string()));
    }

    #[test]
    fn half_a_character_in_it_is_a_replacement_character() {
        let state = json!({"a": "x".repeat(LARGE_BYTES), "cut": "HALF"});
        let (params, _) = read(&line(TOOL, &state).replace("HALF", "\\ud83d")).unwrap();
        let Some(Value::Object(fields)) = params.arguments.unwrap().remove(ARGUMENT) else { panic!("no state") };
        assert_eq!(verbatim::of_fields(fields), Ok(state.to_string().replace("HALF", "\\ufffd")));
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
