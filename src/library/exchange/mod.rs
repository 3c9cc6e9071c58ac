//! Procedures that come from elsewhere, and go there: files of this program, tables and lists of others, Python.
//!
//! [`read_procedures`] makes [`Incoming`] procedures of what is in a file and stores nothing; [`Services::bring_in`] stores
//! one of them, or says what that would change. What is there already and equal stays as it is, so that a file can be
//! imported again.
//!
//! [`Services::bring_in`]: crate::library::Services::bring_in

mod bring_in;
mod export;
mod incoming;
mod python_file;
mod read;
mod record;
mod skill;
mod skills_out;

pub use bring_in::Became;
pub use export::Export;
pub use incoming::{Incoming, Item};
pub use read::read_procedures;
pub use skills_out::{SkillFolder, write_folder};
