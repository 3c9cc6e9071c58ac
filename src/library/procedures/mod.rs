//! What procedures there are: remembering, changing, finding, and the history of each.

mod callable;
mod clone;
mod completion;
mod definition;
mod history;
mod letters;
mod lookup;
mod recall;
mod recall_scope;
mod relevance;
mod remember;
mod rename;
pub(in crate::library) mod runtime_choice;
mod starters;
mod take_over;
mod template;
mod text_words;
mod word_forms;

pub(in crate::library) use remember::{near, similar};

pub use callable::{Callable, CallableParameter};
pub use clone::CloneRequest;
pub(crate) use definition::check as check_definition;
pub use definition::{DefinitionDraft, DefinitionPatch};
pub use history::{VersionRef, VersionView};
pub use lookup::ProcedureRef;
pub use recall::{Found, Looked, LookedAt, RecallFilter, signals_of_likelihood, signals_of_relevance};
pub use recall_scope::RecallScope;
pub use remember::{NewCode, Remembered, Similar};
pub use rename::Naming;
pub use runtime_choice::with_dependencies;
pub use starters::all as starter_procedures;
pub use template::TemplateVariable;
