//! What procedures find in the module `repertoire`, read from its stub, and plain data about calls of its functions.
//!
//! The stub is what authors read and the one place that has names, parameters and results. What a call does is in `host`.

mod stub;

use std::sync::LazyLock;

pub use stub::{Class, Definition, Signature};

/// The typed stub of the module: what authors of procedures and their tools read.
pub const STUB: &str = include_str!("repertoire.pyi");

/// The function by which code says that a step is skipped: what its entry in the journal means is known to others too.
pub const SKIP_STEP: &str = "skip_step";

static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(|| stub::read(STUB));
static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| DEFINITIONS.iter().map(Definition::name).collect());

/// What making a call once more would do, after a crash in the middle of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It touches nothing but the run itself, so it needs no journal.
    Immediate,
    /// The same as making it once.
    Repeatable,
    /// Perhaps everything twice.
    Once,
    /// It waits for somebody's decision.
    Gate,
    /// It is another procedure, which is taken up where it was.
    Nested,
}

/// Kinds of gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateKind {
    /// A step that the agent or a person does.
    Step,
    /// Somebody has to agree.
    Approval,
    /// Somebody has to answer.
    Question,
}

/// The functions and classes of the module, in the order of the stub.
#[must_use]
pub fn definitions() -> &'static [Definition] {
    &DEFINITIONS
}

/// What `from repertoire import …` finds, in the order of the stub.
#[must_use]
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The functions of the module, in the order of the stub.
pub fn signatures() -> impl Iterator<Item = &'static Signature> {
    DEFINITIONS.iter().filter_map(|definition| match definition {
        Definition::Function(signature) => Some(signature),
        Definition::Class(_) => None,
    })
}

/// The function of this name.
#[must_use]
pub fn signature(name: &str) -> Option<&'static Signature> {
    signatures().find(|signature| signature.name == name)
}

/// The class of what a function gives, where that is no plain value.
#[must_use]
pub fn class_of(function: &str) -> Option<&'static Class> {
    let result = signature(function)?.result;
    DEFINITIONS.iter().find_map(|definition| match definition {
        Definition::Class(class) if class.name == result => Some(class),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stub_is_read() {
        assert!(names().contains(&"run_command") && names().contains(&"CommandResult"));
        assert_eq!(signature("ask").map(|ask| &ask.positional[..]), Some(&["question", "choices"][..]));
        assert_eq!(signature("CommandResult"), None);
        assert_eq!(class_of("run_command").map(|class| class.name), Some("CommandResult"));
        assert_eq!(class_of("llm"), None);
        assert_eq!(class_of("sleep"), None);
    }
}
