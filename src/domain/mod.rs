//! Plain data that every layer shares: procedures, versions, runs, permissions.
//!
//! Nothing here touches a file, a database, the network or the protocol.

pub mod confidence;
pub mod name;
pub mod permissions;
pub mod procedure;
pub mod run;
pub mod version;

pub use name::{NameError, ProcedureName};
pub use permissions::Permissions;
pub use procedure::{
    CommandStep, CreatedBy, Definition, Example, Parameter, ParameterType, ProcedureStep, Status, Step,
};
pub use run::{HostCall, Outcome, RunId, RunStatus};
pub use version::{VersionKind, VersionNumber};
