//! Homes and the tenants in them.

mod follow_ups;
mod tenants;
mod tenants_apart;
