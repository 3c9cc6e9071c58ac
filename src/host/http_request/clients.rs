//! The clients that make the connections, and the look-up of names that keeps private addresses out.
//!
//! There are two for the whole process: one for hosts that may have public addresses only, one for hosts that the policy
//! names, which may have private ones. A connection that is kept for reuse was made under the same rule as whoever gets
//! it next, and the addresses that are judged are those that are connected to: a name that changes between a check and a
//! connection has nothing to gain.

use std::{error::Error, sync::OnceLock};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use crate::host::{
    grants::Zone,
    network::{Nowhere, resolve},
};

/// The client for hosts of a zone.
pub async fn client(zone: Zone) -> Result<&'static Client, String> {
    static CLIENTS: OnceLock<[Client; 2]> = OnceLock::new();
    let [public, private] = if let Some(clients) = CLIENTS.get() {
        clients
    } else {
        // It reads the certificates of the system, which takes its time.
        let built = tokio::task::spawn_blocking(|| Ok([build(Zone::Public)?, build(Zone::Private)?]));
        let built = built.await.map_err(|error| {
            tracing::error!(%error, "the clients for requests were not made");
            "no request can be made; the log of the server says why".to_owned()
        })?;
        let built = built.map_err(|error: reqwest::Error| root_cause(&error))?;
        CLIENTS.get_or_init(|| built)
    };
    Ok(match zone {
        Zone::Public => public,
        Zone::Private => private,
    })
}

fn build(zone: Zone) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("repertoire/", env!("CARGO_PKG_VERSION")))
        // Every hop needs a grant, so they are followed one by one.
        .redirect(Policy::none())
        .referer(false)
        // A proxy looks names up by itself: whatever was decided here, it would connect elsewhere.
        .no_proxy()
        .dns_resolver(Resolver { zone })
        .build()
}

/// What the innermost of an error's causes says.
pub fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

struct Resolver {
    zone: Zone,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let zone = self.zone;
        Box::pin(async move {
            match resolve(name.as_str().to_owned(), 0, zone).await {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                // Each by itself: whoever asks looks for the former among the causes.
                Err(Nowhere::OutOfBounds(error)) => Err(error.into()),
                Err(Nowhere::Unknown(error)) => Err(error.into()),
            }
        })
    }
}
