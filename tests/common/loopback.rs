//! A web service of a test's own on the loopback interface.

use std::{
    net::{SocketAddr, TcpListener},
    thread::JoinHandle,
};

use axum::Router;
use tokio_util::sync::CancellationToken;

/// The service, on a thread of its own. It ends with the value.
pub struct Loopback {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Serves `app` on a port of its own.
    pub fn serve(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                // Not a graceful end, which would wait for answers that never come.
                tokio::select! {
                    () = stopped.cancelled() => {}
                    result = axum::serve(listener, app) => result.unwrap(),
                }
            });
        });
        Self { address, stop, thread: Some(thread) }
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
