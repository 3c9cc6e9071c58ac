//! YAML as front matter has it: texts, lists and maps. A scalar stays the text that it is, so that `1.10` is no number.
//!
//! What could take more than it gives is refused: anchors that are used again, depth, and length.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How deep lists and maps may stand in each other.
const MOST_DEPTH: usize = 16;
/// What is said of a document that is no map.
const NO_MAP: &str = "front matter has keys and values: `name: …`";
/// The most texts, lists and maps in all.
const MOST_NODES: usize = 4096;

/// Why a file can't be read, and the line where that shows, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Fault {
    pub line: usize,
    pub why: String,
}

/// A value in front matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Nothing,
    Text(String),
    /// A number or a truth, where these are asked for.
    Value(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub const fn what_it_is(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text(_) => "a text",
            Self::Value(_) => "a number or a truth",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// What is open while the events come.
enum Open {
    List(Vec<Node>),
    /// The entries, each with the line of its key, and the key that waits for its value.
    Map(Vec<(String, usize, Node)>, Option<(String, usize)>),
}

/// The entries of a document that is a map, each with its line; nothing of an empty one. Scalars are texts.
pub fn entries(yaml: &str) -> Result<Vec<(String, usize, Node)>, Fault> {
    read(yaml, |_| None)
}

/// The same as JSON, in which scalars without quotes are what YAML's core schema makes of them.
pub fn values(yaml: &str) -> Result<Map<String, Value>, Fault> {
    let entries = read(yaml, typed)?;
    Ok(entries.into_iter().map(|(key, _, node)| (key, node.into_json())).collect())
}

/// A number or a truth (<https://yaml.org/spec/1.2.2/#103-core-schema>). What JSON has no number for stays a text.
fn typed(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        return text.parse::<i64>().ok().map(Value::from);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok().map(Value::from);
        }
    }
    let is_float = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    is_float.then(|| text.parse::<f64>().ok().and_then(Number::from_f64)).flatten().map(Value::Number)
}

impl Node {
    fn into_json(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Text(text) => Value::String(text),
            Self::Value(value) => value,
            Self::List(items) => items.into_iter().map(Self::into_json).collect(),
            Self::Map(entries) => {
                Value::Object(entries.into_iter().map(|(key, node)| (key, node.into_json())).collect())
            }
        }
    }
}

fn read(yaml: &str, typed: fn(&str) -> Option<Value>) -> Result<Vec<(String, usize, Node)>, Fault> {
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0;
    for event in Parser::new_from_str(yaml) {
        let (event, span) =
            event.map_err(|error| Fault { line: error.marker().line(), why: error.info().to_owned() })?;
        let line = span.start.line();
        let fault = |why: &str| Err(Fault { line, why: why.to_owned() });
        nodes += 1;
        if nodes > MOST_NODES {
            return fault("there is more than front matter has");
        }
        let node = match event {
            Event::Alias(_) => return fault("an alias (`*`) is not followed; write the value itself"),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= MOST_DEPTH => {
                return fault("lists and maps stand too deep in each other");
            }
            Event::SequenceStart(..) if open.is_empty() => return fault(NO_MAP),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Vec::new(), None));
                continue;
            }
            Event::Scalar(text, style, ..) => {
                let is_nothing = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                if is_nothing && !matches!(open.last(), Some(Open::Map(_, None))) {
                    Node::Nothing
                } else {
                    let is_key = matches!(open.last(), Some(Open::Map(_, None)));
                    let value = if style == ScalarStyle::Plain && !is_key { typed(&text) } else { None };
                    value.map_or_else(|| Node::Text(text.into_owned()), Node::Value)
                }
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Map(entries, _)) if open.is_empty() => return Ok(entries),
                Some(Open::List(items)) => Node::List(items),
                Some(Open::Map(entries, _)) => {
                    Node::Map(entries.into_iter().map(|(key, _, value)| (key, value)).collect())
                }
                None => return fault("it ends what did not begin"),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
        };
        match open.last_mut() {
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(entries, waiting)) => match (waiting.take(), node) {
                (Some((key, at)), value) => entries.push((key, at, value)),
                (None, Node::Text(key)) => {
                    if let Some((_, first, _)) = entries.iter().find(|(there, ..)| *there == key) {
                        return Err(Fault {
                            line,
                            why: format!("`{}` is there twice, first at line {first}", shown(&key)),
                        });
                    }
                    *waiting = Some((key, line));
                }
                (None, _) => return fault("a key is a text, not a list or a map"),
            },
            None if node == Node::Nothing => return Ok(Vec::new()),
            None => return fault(NO_MAP),
        }
    }
    Ok(Vec::new())
}

/// What is shown of a text.
pub fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
