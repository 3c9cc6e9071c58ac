//! What clients see of the server: the protocol, the schemas, questions, prompts.

pub mod approvals;
mod approvals_later;
mod arguments;
mod completions;
mod decisions;
mod offered_grants;
mod policy_rules;
mod procedure_tools;
mod prompts;
mod protocol;
mod providers;
mod resources;
mod reviews;
mod schemas;
mod skills;
mod tasks;
mod unreadable;
