//! Splices of JSON with comments. The parser says where things stand; the text is cut there, and never written anew.

use std::ops::Range;

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{ObjectProp, Value as Node},
    common::Ranged as _,
    parse_to_ast,
};
use serde_json::{Map, Value};

use super::{
    Refused,
    splice::{Splice, nested, newline},
};

fn parse(text: &str) -> Result<Option<Node<'_>>, Refused> {
    let options = ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: true,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        ..ParseOptions::default()
    };
    match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => Ok(parsed.value),
        Err(error) => {
            Err(Refused::Invalid { format: "JSON", why: error.kind().to_string(), line: error.line_display() })
        }
    }
}

/// What a text says; null where it says nothing.
pub(super) fn meaning(text: &str) -> Result<Value, Refused> {
    Ok(parse(text)?.map_or(Value::Null, |node| value_of(&node)))
}

fn value_of(node: &Node<'_>) -> Value {
    match node {
        Node::StringLit(text) => Value::String(text.value.clone().into_owned()),
        Node::NumberLit(number) => serde_json::from_str(number.value).unwrap_or(Value::Null),
        Node::BooleanLit(boolean) => Value::Bool(boolean.value),
        Node::NullKeyword(_) => Value::Null,
        Node::Array(array) => array.elements.iter().map(value_of).collect(),
        Node::Object(object) => {
            let field = |field: &ObjectProp<'_>| (field.name.as_str().to_owned(), value_of(&field.value));
            Value::Object(object.properties.iter().map(field).collect::<Map<_, _>>())
        }
    }
}

/// Something in braces or brackets, and where its items stand.
struct Holder {
    whole: Range<usize>,
    items: Vec<Range<usize>>,
}

impl Holder {
    fn of(node: &Node<'_>) -> Self {
        let range = |node: &dyn jsonc_parser::common::Ranged| node.start()..node.end();
        let items = match node {
            Node::Object(object) => object.properties.iter().map(|item| range(item)).collect(),
            Node::Array(array) => array.elements.iter().map(|item| range(item)).collect(),
            _ => Vec::new(),
        };
        Self { whole: range(node), items }
    }
}

/// Where the way along some keys ends.
enum End<'n, 'a> {
    /// This is there.
    There(&'n Node<'a>),
    /// So many keys are there, and this is what the next is missing in.
    Missing(&'n Node<'a>, usize),
}

fn follow<'n, 'a>(root: &'n Node<'a>, keys: &[String]) -> Result<End<'n, 'a>, Refused> {
    let mut node = root;
    for (depth, key) in keys.iter().enumerate() {
        let Node::Object(object) = node else {
            let place = if depth == 0 { "the whole".to_owned() } else { keys[..depth].join(".") };
            return Err(Refused::Shape(place, "object"));
        };
        // Of two fields of a name the last counts, for all who read JSON as JavaScript does.
        match object.properties.iter().rev().find(|field| field.name.as_str() == key) {
            Some(field) => node = &field.value,
            None => return Ok(End::Missing(node, depth)),
        }
    }
    Ok(End::There(node))
}

/// How a file is laid out.
struct Layout<'t> {
    text: &'t str,
    newline: &'static str,
    unit: String,
    /// Everything on one line.
    is_flat: bool,
}

impl<'t> Layout<'t> {
    fn of(text: &'t str, root: &Node<'_>) -> Self {
        let holder = Holder::of(root);
        let first = holder.items.first();
        let unit = first.and_then(|item| indent_before(text, item.start)).filter(|indent| !indent.is_empty());
        let is_flat = first.is_some() && !text[holder.whole].contains('\n');
        Self { text, newline: newline(text), unit: unit.unwrap_or("  ").to_owned(), is_flat }
    }

    /// Puts an item at the end of a holder.
    fn insert(&self, holder: &Holder, item: &dyn Fn(&str) -> String) -> Splice {
        let (text, newline) = (self.text, self.newline);
        let Some(last) = holder.items.last() else { return self.insert_first(&holder.whole, item) };
        let first = &holder.items[0];
        if !text[holder.whole.start..first.start].contains('\n') {
            let indent = line_indent(text, first.start);
            return Splice { start: last.end, end: last.end, put: format!(", {}", item(indent)) };
        }
        let indent = indent_before(text, first.start)
            .map_or_else(|| line_indent(text, holder.whole.start).to_owned() + &self.unit, str::to_owned);
        let inside = &text[..holder.whole.end.saturating_sub(1)];
        if let Some(comma) = comma_after(inside, last.end) {
            let start = remark_after(inside, comma + 1);
            return Splice { start, end: start, put: format!("{newline}{indent}{}", item(&indent)) };
        }
        // A remark on the line of the last item stays there.
        let end = remark_after(inside, last.end);
        let put = format!(",{}{newline}{indent}{}", &text[last.end..end], item(&indent));
        Splice { start: last.end, end, put }
    }

    fn insert_first(&self, whole: &Range<usize>, item: &dyn Fn(&str) -> String) -> Splice {
        let (start, end) = (whole.start + 1, whole.end.saturating_sub(1));
        let inside = &self.text[start..end];
        let base = line_indent(self.text, whole.start);
        if self.is_flat {
            return Splice { start, end: start, put: item(base) };
        }
        let indent = base.to_owned() + &self.unit;
        let line = format!("{}{indent}{}", self.newline, item(&indent));
        if inside.trim().is_empty() {
            return Splice { start, end, put: format!("{line}{}{base}", self.newline) };
        }
        let put = if inside.contains('\n') { line } else { format!("{line}{}{base}", self.newline) };
        Splice { start, end: start, put }
    }

    fn write(&self, value: &Value, indent: &str) -> String {
        if self.is_flat { flat(value) } else { write(value, indent, &self.unit, self.newline) }
    }
}

/// A value on one line.
fn flat(value: &Value) -> String {
    match value {
        Value::Array(elements) => format!("[{}]", elements.iter().map(flat).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), flat(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

fn write(value: &Value, indent: &str, unit: &str, newline: &str) -> String {
    let deeper = indent.to_owned() + unit;
    let lines = |open: char, items: Vec<String>, close: char| {
        let items: Vec<String> = items.iter().map(|item| format!("{newline}{deeper}{item}")).collect();
        format!("{open}{}{newline}{indent}{close}", items.join(","))
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), write(value, &deeper, unit, newline))
            };
            lines('{', fields.iter().map(field).collect(), '}')
        }
        Value::Array(elements) if elements.iter().any(|element| element.is_object() || element.is_array()) => {
            lines('[', elements.iter().map(|element| write(element, &deeper, unit, newline)).collect(), ']')
        }
        plain => flat(plain),
    }
}

/// The white space at the beginning of the line of a place.
fn line_indent(text: &str, place: usize) -> &str {
    let line = &text[text[..place].rfind('\n').map_or(0, |at| at + 1)..place];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The same, where nothing else stands before the place.
fn indent_before(text: &str, place: usize) -> Option<&str> {
    let start = text[..place].rfind('\n')? + 1;
    let line = &text[start..place];
    line.trim_start_matches([' ', '\t']).is_empty().then_some(line)
}

/// The length of the comment that a text begins with, without the end of its line.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        let line = text.find('\n').map_or(text, |at| &text[..at]);
        return Some(line.trim_end_matches('\r').len());
    }
    let block = text.strip_prefix("/*")?;
    block.find("*/").map(|at| at + "/**/".len())
}

/// Where the white space before a place begins; the end of a line stays where a comment may need it.
fn gap_before(text: &str, place: usize) -> usize {
    let before = text[..place].trim_end_matches([' ', '\t', '\r', '\n']);
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    if last_line.contains("//") { text[..place].trim_end_matches([' ', '\t']).len() } else { before.len() }
}

/// The comma after an item, behind white space and comments.
fn comma_after(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let rest = &text[at..];
        if let Some(length) = comment(rest) {
            at += length;
        } else {
            match rest.chars().next()? {
                ',' => return Some(at),
                space if space.is_whitespace() => at += space.len_utf8(),
                _ => return None,
            }
        }
    }
}

/// The end of the remarks that follow on the same line; the place itself where there are none.
fn remark_after(text: &str, place: usize) -> usize {
    let mut end = place;
    loop {
        let rest = &text[end..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match comment(&rest[spaces..]) {
            Some(length) if !rest[..spaces + length].contains('\n') => end += spaces + length,
            _ => return end,
        }
    }
}

/// A whole document, for a file that says nothing yet.
fn document(text: &str, value: &Value) -> Splice {
    let newline = newline(text);
    let begin = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
    let put = format!("{begin}{}{newline}", write(value, "", "  ", newline));
    Splice { start: text.len(), end: text.len(), put }
}

fn field(layout: &Layout<'_>, keys: &[String], value: &Value, indent: &str) -> String {
    let (name, below) = keys.split_first().map_or(("", keys), |(name, below)| (name.as_str(), below));
    format!("{}: {}", Value::from(name), layout.write(&nested(below, value), indent))
}

pub(super) fn put(text: &str, keys: &[String], value: &Value) -> Result<Splice, Refused> {
    let Some(root) = parse(text)? else { return Ok(document(text, &nested(keys, value))) };
    let layout = Layout::of(text, &root);
    Ok(match follow(&root, keys)? {
        End::There(node) => {
            let put = layout.write(value, line_indent(text, node.start()));
            Splice { start: node.start(), end: node.end(), put }
        }
        End::Missing(node, depth) => {
            layout.insert(&Holder::of(node), &|indent| field(&layout, &keys[depth..], value, indent))
        }
    })
}

pub(super) fn append(text: &str, keys: &[String], value: &Value) -> Result<Splice, Refused> {
    let list = Value::Array(vec![value.clone()]);
    let Some(root) = parse(text)? else { return Ok(document(text, &nested(keys, &list))) };
    let layout = Layout::of(text, &root);
    match follow(&root, keys)? {
        End::There(node @ Node::Array(_)) => {
            Ok(layout.insert(&Holder::of(node), &|indent| layout.write(value, indent)))
        }
        End::There(_) => Err(Refused::Shape(keys.join("."), "list")),
        End::Missing(node, depth) => {
            Ok(layout.insert(&Holder::of(node), &|indent| field(&layout, &keys[depth..], &list, indent)))
        }
    }
}

/// The text without a field, or without an element of a list: as little is taken out as is not needed for the rest.
pub(super) fn without(text: &str, keys: &[String], element: Option<&Value>) -> Result<String, Refused> {
    let Some(root) = parse(text)? else { return Ok(text.to_owned()) };
    let above = if element.is_some() { keys } else { &keys[..keys.len().saturating_sub(1)] };
    let End::There(node) = follow(&root, above)? else { return Ok(text.to_owned()) };
    let at = match (node, element) {
        (Node::Array(array), Some(value)) => array.elements.iter().rposition(|element| value_of(element) == *value),
        (Node::Object(object), None) => {
            object.properties.iter().rposition(|field| keys.last().is_some_and(|key| field.name.as_str() == key))
        }
        _ => None,
    };
    let Some(at) = at else { return Ok(text.to_owned()) };
    let holder = Holder::of(node);
    let item = &holder.items[at];
    let start = gap_before(text, item.start);
    let end = holder.whole.end.saturating_sub(1);
    if let Some(comma) = comma_after(&text[..end], item.end) {
        return Ok([&text[..start], &text[item.end..comma], &text[comma + 1..]].concat());
    }
    match at.checked_sub(1).and_then(|before| comma_after(text, holder.items[before].end)) {
        Some(comma) if comma < start => Ok([&text[..comma], &text[comma + 1..start], &text[item.end..]].concat()),
        _ => Ok([&text[..start], &text[item.end..]].concat()),
    }
}
