//! Names and scopes: what each name is bound to, and what an expression therefore means.

pub mod collect;
pub mod meaning;
pub mod rename;
pub mod scope;
pub mod uses;
