//! Homes and the tenants in them.

mod tenants;
mod tenants_apart;
