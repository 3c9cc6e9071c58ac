//! The only way to the network that a confined program has: a proxy for HTTP, and for whatever else through its `CONNECT`.
//!
//! It listens where nobody but that program can reach it, looks names up itself, and judges every host and every address
//! as `http_request` does. What is said inside a tunnel is not looked at: a grant of a host is a grant to say anything to
//! it. Bytes are not counted; whoever reaches a host may send it what it has.

mod dial;
mod forward;
mod headers;

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;

use super::reach::Reach;
use crate::confinement::Gateway;

/// How many connections a program has at once; further ones wait.
const CONNECTIONS: usize = 64;
/// The largest head of a request.
const HEAD_BYTES: usize = 64 * 1024;
/// How long a connection may take to send one, the first or the next.
const HEAD_TIME: Duration = Duration::from_mins(1);
/// How many different refusals are kept.
const REFUSALS: usize = 8;
/// How long it waits where the system has no room for another connection.
const RETRY: Duration = Duration::from_millis(50);

/// A proxy for one program and all that it starts.
pub struct Proxy {
    reach: Reach,
    /// Whose it is, in the log.
    program: String,
    refused: Mutex<Vec<String>>,
}

impl Proxy {
    /// One that lets `program` (as the log calls it) reach `reach`.
    #[must_use]
    pub const fn new(program: String, reach: Reach) -> Self {
        Self { reach, program, refused: Mutex::new(Vec::new()) }
    }

    async fn accept_all(self: Arc<Self>, listener: TcpListener, cancel: CancellationToken) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let ended = cancel.child_token();
        let _end_all = ended.clone().drop_guard();
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = ended.cancelled() => return Ok(()),
                accepted = accept(&listener, &room) => accepted,
            };
            match accepted {
                Ok((stream, place)) => drop(tokio::spawn(Arc::clone(&self).connection(stream, place, ended.clone()))),
                Err(error) => {
                    tracing::debug!(%error, "a program was not let into the proxy");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// What was refused, in sentences: each once, and no more than a few.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, place: Place, ended: CancellationToken) {
        // A tunnel keeps it when HTTP has ended.
        let place = Arc::new(place);
        let serving = ended.clone();
        let service = service_fn(move |request| {
            let (proxy, place, ended) = (Arc::clone(&self), Arc::clone(&place), serving.clone());
            async move { Ok::<_, std::convert::Infallible>(proxy.answer(request, place, ended).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        if let Some(Err(error)) = ended.run_until_cancelled(connection).await {
            tracing::debug!(%error, "a connection to the proxy broke");
        }
    }

    /// Notes a refusal, for the log and for whoever reads what the program came to.
    fn refuse(&self, why: String) -> String {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REFUSALS && !refused.contains(&why) {
            tracing::warn!(program = self.program, "refused to a program: {why}");
            refused.push(why.clone());
        }
        why
    }
}

impl Gateway for Proxy {
    fn serve(self: Arc<Self>, listener: TcpListener, cancel: CancellationToken) -> BoxFuture<'static, io::Result<()>> {
        Box::pin(self.accept_all(listener, cancel))
    }
}

/// A place among the connections.
type Place = OwnedSemaphorePermit;

async fn accept(listener: &tokio::net::TcpListener, room: &Arc<Semaphore>) -> io::Result<(TcpStream, Place)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

#[cfg(test)]
mod tests;
