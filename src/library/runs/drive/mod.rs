//! Driving the frames of a run: the only part of the engine that performs anything.
//!
//! From the bottom: [`tree`] is what the frames share, [`intake`] takes their calls, [`perform`] does what they ask for,
//! [`frame`] drives one of them, [`ask`] and [`finish`] are how a run pauses and ends, [`execute`] drives the whole.

pub mod ask;
mod execute;
mod finish;
mod frame;
mod intake;
mod perform;
pub mod tree;
