//! What clients see of the server: the protocol, the schemas, questions, prompts.

mod approvals;
mod approvals_later;
mod prompts;
mod protocol;
mod schemas;
