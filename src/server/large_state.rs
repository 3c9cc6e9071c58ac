//! Calls of `save_checkpoint` with a large state, which is hashed while it is read: making a value of it first would take
//! longer than everything else that is done with it.

use std::fmt;

use rmcp::model::{
    CallToolRequestMethod, CallToolRequestParams, InputResponses, JsonObject, JsonRpcVersion2_0, RequestId,
    RequestMetaObject,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use serde_json::Value;

use super::verbatim;
use crate::domain::canonical::{Hashed, hashed};

/// Shorter messages are read like all others.
const LARGE_BYTES: usize = 32 * 1024;
const TOOL: &str = "save_checkpoint";
const FIELD: &str = "state";

/// The call in a line, where it is such a one. Everything else, broken ones among it, is for the general way.
pub fn read(line: &[u8]) -> Option<(CallToolRequestParams, RequestId)> {
    if line.len() < LARGE_BYTES || memchr::memmem::find(line, TOOL.as_bytes()).is_none() {
        return None;
    }
    let Call { id, params, .. } = serde_json::from_slice(line).ok()?;
    let Params { meta, name, arguments, input_responses, request_state } = params;
    if name != TOOL {
        return None;
    }
    let mut params = CallToolRequestParams::new(name);
    params.meta = meta;
    params.arguments = Some(arguments.0);
    params.input_responses = input_responses;
    params.request_state = request_state;
    Some((params, id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    #[serde(rename = "jsonrpc")]
    _version: JsonRpcVersion2_0,
    id: RequestId,
    #[serde(rename = "method")]
    _method: CallToolRequestMethod,
    params: Params,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Params {
    #[serde(rename = "_meta")]
    meta: Option<RequestMetaObject>,
    name: String,
    arguments: Arguments,
    input_responses: Option<InputResponses>,
    request_state: Option<String>,
}

struct Arguments(JsonObject);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Arguments;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("arguments")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Arguments, A::Error> {
                let mut arguments = JsonObject::new();
                while let Some(name) = fields.next_key::<String>()? {
                    let value = match name.as_str() {
                        FIELD => Value::Object(verbatim::fields(fields.next_value_seed(State)?)),
                        _ => fields.next_value()?,
                    };
                    arguments.insert(name, value);
                }
                Ok(Arguments(arguments))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

struct State;

impl<'de> DeserializeSeed<'de> for State {
    type Value = Hashed;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Hashed, D::Error> {
        let state = hashed(deserializer)?;
        if state.text.starts_with('{') { Ok(state) } else { Err(D::Error::custom("a state is an object")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::canonical::hashed_value;

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
        let (params, id) = read(line(TOOL, &state).as_bytes()).unwrap();
        assert_eq!(id, RequestId::String("x".into()));
        assert_eq!(params.name, TOOL);
        assert!(params.meta.is_some());
        let mut arguments = params.arguments.unwrap();
        assert_eq!(arguments["node_id"], json!("n"));
        let Some(Value::Object(fields)) = arguments.remove(FIELD) else { panic!("no state") };
        assert_eq!(verbatim::of_fields(fields), Ok(hashed_value(&state)));
    }

    #[test]
    fn everything_else_is_left_to_the_general_way() {
        let large = json!({"a": "x".repeat(LARGE_BYTES)});
        let deep = (0..200).fold(large.clone(), |inner, _| json!({"a": inner}));
        for other in [
            line(TOOL, &json!({"a": 1})),
            line("merge_states", &large),
            line("merge_states", &json!({"a": TOOL.repeat(LARGE_BYTES)})),
            line(TOOL, &Value::from(large.to_string())),
            line(TOOL, &deep),
            line(TOOL, &large).replace("tools/call", "tools/list"),
            line(TOOL, &large)[..LARGE_BYTES].to_owned(),
        ] {
            assert!(read(other.as_bytes()).is_none(), "{}", &other[..120]);
        }
    }
}
