//! Where a name leads, and which of those addresses may be reached.
//!
//! Whether a host is granted is said in [`super::grants`]. What is decided here holds for whoever makes a connection: a
//! request of a procedure, and a program that reaches the network through the proxy.

mod addresses;
mod names;

pub use names::{Nowhere, OutOfBounds, resolve};
