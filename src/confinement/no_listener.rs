//! No listener of a program is ever to come where programs have no network of their own.

use std::{io, net::TcpListener};

/// A listener that is to come.
pub enum Listener {}

impl Listener {
    /// Waits until it is there.
    ///
    /// # Errors
    /// What the system says.
    #[expect(clippy::unused_async, reason = "it takes its time elsewhere")]
    pub async fn receive(self) -> io::Result<TcpListener> {
        match self {}
    }
}
