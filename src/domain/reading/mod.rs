//! Reading what agents pass, as what they mean by it.
//!
//! Clients and models differ in how they write the same: a number as text, an object as JSON text, `null` for what they leave
//! out. One reader for the arguments of tools and for the parameters of procedures takes what can mean only one thing, and
//! names the place and the wanted type of what can't. Nothing is guessed: `"2.5"` is no whole number, `"yes"` is not true.
//! Data of the agent's own, whose type nobody declared, is never touched.

mod fit;
mod format;
mod misfit;
mod shape;
mod words;

pub use fit::{accepts, fit};
pub use format::Format;
pub use misfit::Misfit;
pub use shape::{Field, LIST_ONLY, Shape};
pub use words::plain;
