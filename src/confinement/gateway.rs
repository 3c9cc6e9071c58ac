//! Who serves the listener of a program: somebody above, who judges what goes through it.

use std::{io, net::TcpListener, sync::Arc};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::Listener;

/// The only way to the network that a program has whose network is [`super::Network::Proxied`].
pub trait Gateway: Send + Sync {
    /// Serves whoever connects to `listener`, until it is cancelled or dropped; every connection ends with that.
    ///
    /// # Errors
    /// When the listener can't be used.
    fn serve(self: Arc<Self>, listener: TcpListener, cancel: CancellationToken) -> BoxFuture<'static, io::Result<()>>;
}

/// Lets `gateway` serve what comes from a program, as soon as that is there; until it is cancelled or dropped.
pub async fn serve(listener: Listener, gateway: Arc<dyn Gateway>, cancel: CancellationToken) {
    let served = match listener.receive().await {
        Ok(listener) => gateway.serve(listener, cancel).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::warn!(%error, "a program has no way to its hosts");
    }
}
