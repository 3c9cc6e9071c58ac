//! Plain data that every layer shares: procedures, versions, runs, permissions.
//!
//! Nothing here touches a file, a database, the network or the protocol.

pub mod action;
pub mod artifact;
pub mod canonical;
pub mod confidence;
pub mod hint;
pub mod host_module;
pub mod inbox;
pub mod learning;
pub mod name;
pub mod network;
pub mod permissions;
pub mod procedure;
pub mod reducers;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod scope;
pub mod skill;
pub mod stats;
pub mod step;
pub mod step_shape;
pub mod trigger;
pub mod version;
pub mod workflow;

pub use action::{ActionStep, ActionType, OnFailure};
pub use hint::Hinted;
pub use host_module::{GateKind, Nature};
pub use inbox::{ItemKind, NewItem};
pub use name::{NameError, ProcedureName};
pub use network::{Host, HostGrant};
pub use permissions::Permissions;
pub use procedure::{CreatedBy, Definition, Example, Parameter, ParameterType, Procedure, ProcedureFilter, Status};
pub use reducers::Reducer;
pub use run::{DecisionRecord, HostCall, Outcome, Run, RunFilter, RunId, RunStatus};
pub use step::{CommandStep, ProcedureStep, Step, ToolStep};
pub use step_shape::StepShape;
pub use trigger::Trigger;
pub use version::{VersionKind, VersionNumber};
