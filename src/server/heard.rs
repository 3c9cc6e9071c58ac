//! What a client's user said to a question that an earlier call was answered with.

use rmcp::model::ElicitResult;

/// What a client's user said.
pub enum Heard {
    /// Yes to the question with this digest.
    Agreed(String),
    /// This, of the candidate of which they saw what has this digest.
    Reviewed(String, Option<ElicitResult>),
}
