//! What starts procedures beside a caller: events, and the clock.

mod events;
mod scheduler;

pub use events::Triggered;
