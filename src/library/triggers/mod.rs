//! What starts procedures beside a caller: events, and the clock.

mod conditions;
mod events;
mod keepers;
mod now;
mod scheduler;
mod warning;

pub use events::Triggered;
pub use keepers::Clock;
