//! What procedures there are: remembering, changing, finding, and the history of each.

mod clone;
mod definition;
mod history;
mod lookup;
mod recall;
mod recall_scope;
mod remember;
mod starters;

pub(in crate::library) use remember::similar;

pub use clone::CloneRequest;
pub use definition::{DefinitionDraft, DefinitionPatch};
pub use history::{VersionRef, VersionView};
pub use lookup::ProcedureRef;
pub use recall::{Found, RecallFilter};
pub use recall_scope::RecallScope;
pub use remember::{Remembered, Similar};
pub use starters::all as starter_procedures;
