//! A home that is open: the process that has it open, its key, its index, and taking care of its database.

mod archive;
mod backup;
mod gates;
mod health;
mod index;
mod indexing;
mod key;
mod maintenance;
mod mending;
mod private;
mod renames;
mod session;
mod standing;
mod stores;
mod trial;
mod trying;
mod users;

pub(in crate::library) use {
    gates::shown as shown_code,
    index::Plan,
    key::Key,
    stores::{DATABASE, HISTORY, open},
    trial::{confidence_left, told as told_examples},
};

pub use backup::{BackedUp, Restored, back_up, restore, restore_database, set_database_aside};
pub use health::{Health, History};
pub use maintenance::Maintenance;
pub use mending::Rebuilt;
pub use private::{Open, create_new, make_folder, open_to_others};
pub use session::Session;
pub use trial::{Trial, Trier};
