//! The MCP surface: translates between the protocol and the services, and decides nothing else.
//!
//! [`serve_stdio`] answers the handshake before it touches the home, and ends when stdin closes. A tool is one file in
//! `tools`, which lists them; [`catalog`] says which of them a server shows.

mod answer;
pub mod catalog;
mod changes;
mod completions;
mod consent;
mod elicit;
mod envelope;
mod excerpt;
mod followed;
mod handler;
mod heard;
mod large_argument;
mod line;
mod procedure_tools;
mod progress;
mod prompts;
mod repair;
mod reply;
mod resources;
mod review_form;
mod rounds;
mod schema;
mod skills;
mod state;
mod tasks;
pub mod tool;
mod tools;
pub(crate) mod transport;
mod verbatim;

use std::{sync::Arc, time::Duration};

use rmcp::{ServiceExt, service::ServerInitializeError, transport::stdio_pipes};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Hinted as _, Keeper},
    library::Duties,
};
use state::Server;

pub use state::ServeOptions;
use transport::LineTransport;

/// How long calls may take to end after the client has gone. With what [`Duties::end`] takes that is within two seconds.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why a server ended otherwise than by its client closing the connection.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client and the server did not come together.
    #[error("the handshake failed: {0}")]
    Handshake(#[from] Box<ServerInitializeError>),
}

/// A pipe holds 64 KiB, so that the two ends take turns over each piece of a large message. These hold a megabyte, where
/// they are pipes and the system allows it.
#[cfg(target_os = "linux")]
fn widen_pipes() {
    const BYTES: usize = 1 << 20;
    let _ = rustix::pipe::fcntl_setpipe_size(std::io::stdin(), BYTES);
    let _ = rustix::pipe::fcntl_setpipe_size(std::io::stdout(), BYTES);
}

/// Serves one client over stdin and stdout until stdin closes, or `asked` says that the process is asked to end.
///
/// # Errors
/// [`ServeError`] when the connection fails. A client that leaves is not an error.
pub async fn serve_stdio(options: ServeOptions, asked: impl Future<Output = ()>) -> Result<(), ServeError> {
    let server = Server::new(options);
    let opening = server.clone();
    #[cfg(target_os = "linux")]
    widen_pipes();
    let (reader, writer) = stdio_pipes();
    let closed = CancellationToken::new();
    let transport = LineTransport::new(reader, writer, server.catalog.large_arguments(), closed.clone());
    tokio::pin!(asked);
    let shaken = tokio::select! {
        shaken = server.clone().serve(transport) => shaken,
        () = &mut asked => return Ok(()),
    };
    let running = match shaken {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Box::new(error).into()),
    };
    // The handshake is answered; what takes time begins now, not with the first call.
    let duties = Duties::begin(Keeper::Server, async move {
        match opening.services().await {
            // What may change nothing starts nothing either.
            Ok(services) if !opening.options.selection.read_only => Some(Arc::clone(services)),
            Ok(_) => None,
            Err(error) => {
                tracing::error!(error = error.in_full(), "the home can't be opened; every call will say so");
                None
            }
        }
    });
    let waiting = running.waiting();
    tokio::pin!(waiting);
    let ended = tokio::select! {
        ended = &mut waiting => Some(ended),
        () = closed.cancelled() => None,
        () = &mut asked => {
            tracing::info!("asked to end");
            None
        }
    };
    duties.end(server.services.get()).await;
    // Calls whose runs were stopped may still want to say so, but nobody is left to wait for long.
    if ended.is_none() && tokio::time::timeout(LAST_WORDS, waiting).await.is_err() {
        tracing::debug!("some calls were not answered any more");
    }
    Ok(())
}
