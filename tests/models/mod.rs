//! Language models.

mod providers;
