//! What clients see of the server: the protocol, the schemas, questions, prompts.

pub mod approvals;
mod approvals_later;
mod arguments;
mod decisions;
mod policy_rules;
mod prompts;
mod protocol;
mod schemas;
mod unreadable;
