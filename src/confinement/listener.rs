//! The listener that a program finds in its own network, on its way to whoever started the program.
//!
//! It is made where the program will be, in a network namespace that has nothing else, and comes here through a socket in the
//! private folder, before anything of the program is executed: nobody but the program can ever connect to it.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use tokio::{io::Interest, net::UnixListener};

/// The file of the socket in the private folder.
const SOCKET: &str = "listener";
/// What goes along with the listener: a message has to have something.
const GREETING: [u8; 1] = *b"!";

/// A listener that is to come.
pub struct Listener(UnixListener);

impl Listener {
    /// Gets ready to receive it.
    pub(super) fn expected(private: &Path) -> io::Result<Self> {
        UnixListener::bind(private.join(SOCKET)).map(Self)
    }

    /// Waits until it is there. Where the walls can't be built that is never.
    ///
    /// # Errors
    /// What the system says.
    pub async fn receive(self) -> io::Result<TcpListener> {
        let (stream, _) = self.0.accept().await?;
        stream
            .async_io(Interest::READABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut ancillary = RecvAncillaryBuffer::new(&mut space);
                let mut greeting = GREETING;
                recvmsg(&stream, &mut [IoSliceMut::new(&mut greeting)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
                let received: Option<OwnedFd> = ancillary.drain().find_map(|message| match message {
                    RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                    _ => None,
                });
                received.map(TcpListener::from).ok_or_else(|| io::Error::other("no listener came"))
            })
            .await
    }
}

/// Sends it, from where the program will be.
pub(super) fn send(listener: &TcpListener, private: &Path) -> io::Result<()> {
    let stream = UnixStream::connect(private.join(SOCKET))?;
    let descriptors = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("there is no room for it"));
    }
    sendmsg(&stream, &[IoSlice::new(&GREETING)], &mut ancillary, SendFlags::empty())?;
    Ok(())
}
