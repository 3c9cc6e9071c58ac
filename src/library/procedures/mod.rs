//! What procedures there are: remembering, changing, finding, and the history of each.

mod clone;
mod definition;
mod history;
mod lookup;
mod recall;
mod remember;
mod starters;

pub(in crate::library) use remember::similar;

pub use clone::CloneRequest;
pub use definition::{DefinitionDraft, DefinitionPatch};
pub use history::{VersionRef, VersionView};
pub use lookup::{Found, ProcedureRef, RecallFilter};
pub use recall::RecallScope;
pub use remember::{Remembered, Similar};
pub use starters::all as starter_procedures;
