//! Homes and the tenants in them.

mod absent;
mod backups;
mod broken;
mod follow_ups;
mod read_only;
mod rights;
mod tenants;
mod tenants_apart;
mod torture;
mod users_apart;
