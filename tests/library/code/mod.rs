//! How code comes about, and how far it is trusted.

mod confidence;
mod examples;
mod generation;
mod nothing;
