//! Asking a language model: one request with its messages, one answer with its text.
//!
//! The only module that knows the providers and their protocols. What to ask and what to make of the answer is left to
//! its callers. [`Model::complete`] is the entry.

mod client;
mod error;
mod failure;
mod meter;
mod protocol;

use crate::config::ModelSettings;

pub use client::Model;
pub use error::ModelError;
pub use meter::Meter;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What the model is to be and to do.
    System,
    /// Who asks.
    User,
    /// The model, in an earlier answer.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub text: String,
}

/// An answer; its text is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What the model wrote.
    pub text: String,
    /// Whether it was cut at `max_output_tokens`.
    pub truncated: bool,
    pub usage: Usage,
}

/// Tokens that were read and written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Read by the model.
    pub input_tokens: u64,
    /// Written by the model, its hidden reasoning included.
    pub output_tokens: u64,
}

impl Usage {
    /// Counts another answer in.
    pub const fn add(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }

    /// What it costs in US dollars; `None` when the configuration names no prices.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no conversation has 2^53 tokens")]
    pub fn cost_usd(&self, settings: &ModelSettings) -> Option<f64> {
        let input = self.input_tokens as f64 * settings.input_cost_per_million?;
        let output = self.output_tokens as f64 * settings.output_cost_per_million?;
        Some((input + output) / 1e6)
    }
}
