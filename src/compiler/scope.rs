//! What a variable in a text means where the text stands: a parameter, what an earlier step gave, or nothing.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use serde_json::Value;

use super::variables::{Braces, Piece, pieces};
use crate::domain::{ActionStep, Definition, OnFailure, Parameter, ParameterType, Step};

/// Programs whose arguments are code, or patterns, in which braces mean something.
const READ_CODE: [&str; 31] = [
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "jq",
    "yq",
    "perl",
    "sed",
    "grep",
    "rg",
    "sh",
    "bash",
    "zsh",
    "dash",
    "ksh",
    "fish",
    "pwsh",
    "powershell",
    "python",
    "python3",
    "node",
    "deno",
    "bun",
    "ruby",
    "php",
    "lua",
    "psql",
    "sqlite3",
    "xargs",
    "parallel",
    "find",
];

/// The function of compiled code that follows dotted paths.
pub const LOOK_UP: &str = "_look_up";
/// The function of compiled code that makes a text of anything.
pub const AS_TEXT: &str = "_as_text";

/// A text with its variables resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// What a variable stands for.
    Value(Expression),
}

/// A Python expression in which strings have single quotes, so that it can stand in an f-string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub code: String,
    /// The same where it becomes part of a text: there, nothing is not good enough.
    pub in_text: String,
    /// Whether its value surely is text.
    pub is_text: bool,
    /// Whether what it is in a text surely is text, without a call of `str`.
    pub is_text_in_text: bool,
    /// Whether it raises when something is missing.
    pub can_fail: bool,
}

/// What is found out while the texts are read.
#[derive(Debug, Default)]
pub struct Findings {
    /// Variables that nothing gives, as the parameters that they ask for.
    pub undeclared: RefCell<Vec<Parameter>>,
    /// Whether any text follows a dotted path.
    pub has_look_ups: Cell<bool>,
    /// What the author should know of how the definition was read.
    pub remarks: RefCell<Vec<String>>,
}

impl Findings {
    /// Adds a remark, once.
    pub fn remark(&self, remark: String) {
        let mut remarks = self.remarks.borrow_mut();
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
}

/// What the texts of one step may refer to.
#[derive(Debug, Clone)]
pub struct Scope<'d> {
    definition: &'d Definition,
    findings: &'d Findings,
    /// The steps whose results are there, as indexes, in order.
    done: &'d [usize],
    /// The inputs of the typed action whose configuration is read.
    inputs: BTreeMap<String, Value>,
    braces: Braces,
    /// Whether a name in single braces that nothing gives is a variable all the same.
    asks_for_marked: bool,
    /// What a variable that nothing gives is taken for.
    missing: ParameterType,
}

impl<'d> Scope<'d> {
    /// The scope of texts that are read when the steps `done`, as indexes, are done.
    pub const fn new(definition: &'d Definition, findings: &'d Findings, done: &'d [usize]) -> Self {
        let (braces, missing) = (Braces::Double, ParameterType::String);
        Self { definition, findings, done, inputs: BTreeMap::new(), braces, asks_for_marked: true, missing }
    }

    /// The scope of the configuration of `action`: its inputs are variables there, and single braces count.
    pub fn of_action(&self, action: &ActionStep) -> Self {
        Self { inputs: action.inputs(), braces: Braces::Any, ..self.clone() }
    }

    /// The scope of the words of `command`: single braces count, but not those that its program may mean otherwise.
    pub fn of_command(&self, command: &[String]) -> Self {
        let program = command.first().map_or("", |program| program.rsplit(['/', '\\']).next().unwrap_or_default());
        let reads_code = READ_CODE.contains(&program.trim_end_matches(".exe"));
        Self { braces: Braces::Marked, asks_for_marked: !reads_code, ..self.clone() }
    }

    /// The scope of arguments, which may be code for whatever is called: in single braces only names that are known count.
    pub fn of_arguments(&self) -> Self {
        Self { braces: Braces::Marked, asks_for_marked: false, ..self.clone() }
    }

    /// The scope in which the inputs themselves are read.
    pub fn of_inputs(&self) -> Self {
        Self { inputs: BTreeMap::new(), ..self.clone() }
    }

    /// The scope of a value that is a text or a list of texts: a variable that nothing gives may be either, and the type
    /// checker has to let pass what only the host function can tell.
    pub fn of_texts(&self) -> Self {
        Self { missing: ParameterType::Any, ..self.clone() }
    }

    /// A name for something of the compiled function's own: `name`, unless it is taken.
    pub fn own_name(&self, name: &str) -> String {
        let is_taken = |name: &str| {
            self.definition.parameters.iter().any(|parameter| parameter.name == name)
                || self.definition.name.identifier() == name
        };
        let mut own = name.to_owned();
        while is_taken(&own) {
            own.insert_str(0, "step_");
        }
        own
    }

    /// `text` with its variables resolved. What means nothing here stays text.
    pub fn parts(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        for piece in pieces(text, self.braces) {
            match piece {
                Piece::Text(text) | Piece::Escaped { text, .. } => push_text(&mut parts, text),
                Piece::Variable { raw, name, .. } if self.is_kept(raw, name) => {
                    self.findings.remark(format!(
                        "`{raw}` stays as it is, because nothing is called `{name}`; `{{{{{name}}}}}` would ask for it"
                    ));
                    push_text(&mut parts, raw);
                }
                Piece::Variable { raw, name, fields } => match self.inputs.get(name) {
                    Some(input) => self.push_input(&mut parts, input, name, &fields),
                    None => match self.resolve(name, &fields) {
                        Some(value) => parts.push(Part::Value(value)),
                        None => push_text(&mut parts, raw),
                    },
                },
            }
        }
        parts
    }

    /// Whether what looks like a variable is more likely meant for another program.
    fn is_kept(&self, raw: &str, name: &str) -> bool {
        let is_known = || self.definition.parameters.iter().any(|it| it.name == name) || self.output(name).is_some();
        self.braces == Braces::Marked && !self.asks_for_marked && !raw.starts_with("{{") && !is_known()
    }

    fn push_input(&self, parts: &mut Vec<Part>, input: &Value, name: &str, fields: &[&str]) {
        let text = input.as_str().map_or_else(|| input.to_string(), str::to_owned);
        let inner = self.of_inputs().parts(&text);
        match (&inner[..], fields) {
            ([Part::Value(value)], _) => parts.push(Part::Value(self.field(value, name, fields))),
            (_, []) => {
                for part in inner {
                    match part {
                        Part::Text(text) => push_text(parts, &text),
                        value @ Part::Value(_) => parts.push(value),
                    }
                }
            }
            (_, [field, rest @ ..]) => match item(input, field) {
                Some(found) => self.push_input(parts, found, &format!("{name}.{field}"), rest),
                None => parts.push(Part::Value(self.field(&Expression::new("None".to_owned()), name, fields))),
            },
        }
    }

    fn resolve(&self, name: &str, fields: &[&str]) -> Option<Expression> {
        let is_action = self.braces == Braces::Any;
        if let Some(parameter) = self.definition.parameters.iter().find(|parameter| parameter.name == name) {
            let has_fields = matches!(parameter.kind, ParameterType::Object | ParameterType::Any);
            // Outside typed actions `{{github.ref}}` is more likely a text for another program.
            return (fields.is_empty() || has_fields || is_action)
                .then(|| self.field(&self.parameter(parameter), name, fields));
        }
        if let Some(value) = self.output(name) {
            return Some(self.field(&value, name, fields));
        }
        if !fields.is_empty() && !is_action {
            return None;
        }
        self.miss(name, !fields.is_empty());
        if fields.is_empty() && self.missing == ParameterType::Any {
            return Some(self.untyped(name));
        }
        Some(self.field(&Expression::new(name.to_owned()), name, fields))
    }

    fn parameter(&self, parameter: &Parameter) -> Expression {
        let has_default = parameter.default.as_ref().is_some_and(|default| !default.is_null());
        let is_given = parameter.is_required() || has_default;
        let is_text = parameter.kind.is_text() && is_given;
        let value = Expression { is_text, ..Expression::new(parameter.name.clone()) };
        if self.missing == ParameterType::Any && !is_text && (parameter.kind != ParameterType::Array || !is_given) {
            return self.untyped(&parameter.name);
        }
        if !is_given && self.braces == Braces::Any {
            return self.checked(value, &parameter.name);
        }
        if !is_given {
            self.findings.remark(format!(
                "a text shows the optional parameter `{}`, which has no default: where it is left out, there is nothing in \
                 its place",
                parameter.name
            ));
        }
        let is_plain =
            matches!(parameter.kind, ParameterType::Integer | ParameterType::Number | ParameterType::Boolean);
        let shows_itself = is_plain || parameter.kind.is_text();
        if is_given && shows_itself { value } else { self.shown(value) }
    }

    /// What an earlier step gave: `latest_output`, or its `step_id` and `_output`.
    fn output(&self, name: &str) -> Option<Expression> {
        let steps = &self.definition.steps;
        let key = |index: usize| steps.get(index).map(|step| step.key(index + 1));
        let index = if name == "latest_output" {
            *self.done.last()?
        } else {
            let wanted = name.strip_suffix("_output")?;
            *self.done.iter().find(|index| key(**index).is_some_and(|key| key == wanted))?
        };
        let value = Expression::new(format!("{}['{}']", self.own_name("results"), key(index)?));
        // A command gives its output, anything else may give anything.
        let value = if matches!(steps.get(index), Some(Step::Command(_))) { value } else { self.shown(value) };
        let may_be_skipped = steps.get(index).is_some_and(|step| step.on_failure() == OnFailure::Skip);
        Some(if may_be_skipped { self.checked(value, name) } else { value })
    }

    fn field(&self, value: &Expression, name: &str, fields: &[&str]) -> Expression {
        if fields.is_empty() {
            return value.clone();
        }
        let path = [&[name], fields].concat().join(".");
        let found = self.shown(Expression::new(self.looked_up(&value.code, &path)));
        Expression { can_fail: true, ..found }
    }

    /// `value`, which may be nothing: in a text that is an error.
    fn checked(&self, value: Expression, name: &str) -> Expression {
        let found = self.shown(Expression::new(self.looked_up(&value.code, name)));
        Expression { in_text: found.in_text, is_text_in_text: true, can_fail: true, ..value }
    }

    /// The same as readable text where it becomes part of one: dictionaries as JSON, nothing as nothing.
    fn shown(&self, value: Expression) -> Expression {
        let in_text = format!("{}({})", self.own_name(AS_TEXT), value.code);
        Expression { in_text, is_text_in_text: true, ..value }
    }

    /// A variable that is there, whatever it is.
    fn untyped(&self, name: &str) -> Expression {
        Expression { can_fail: true, ..self.shown(Expression::new(self.looked_up(name, name))) }
    }

    fn looked_up(&self, value: &str, path: &str) -> String {
        self.findings.has_look_ups.set(true);
        format!("{}({value}, '{path}')", self.own_name(LOOK_UP))
    }

    /// Says what a variable that nothing gives is for.
    pub fn describe(&self, name: &str, description: &str) {
        let mut undeclared = self.findings.undeclared.borrow_mut();
        if let Some(parameter) = undeclared.iter_mut().find(|parameter| parameter.name == name) {
            parameter.description = Some(description.to_owned());
        }
    }

    fn miss(&self, name: &str, has_fields: bool) {
        let kind = if has_fields { ParameterType::Object } else { self.missing };
        let mut undeclared = self.findings.undeclared.borrow_mut();
        match undeclared.iter_mut().find(|known| known.name == name) {
            Some(known) if kind == ParameterType::Object || known.kind == ParameterType::String => known.kind = kind,
            Some(_) => {}
            None => undeclared.push(Parameter {
                name: name.to_owned(),
                kind,
                required: None,
                choices: Vec::new(),
                default: None,
                description: None,
            }),
        }
    }
}

impl Expression {
    fn new(code: String) -> Self {
        Self { in_text: code.clone(), code, is_text: false, is_text_in_text: false, can_fail: false }
    }
}

fn item<'v>(value: &'v Value, field: &str) -> Option<&'v Value> {
    value.get(field).or_else(|| value.get(field.parse::<usize>().ok()?))
}

/// Adds `text`, to the text before it if there is one.
pub fn push_text(parts: &mut Vec<Part>, text: &str) {
    if let Some(Part::Text(last)) = parts.last_mut() {
        last.push_str(text);
    } else if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}
