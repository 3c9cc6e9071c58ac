//! Newline-delimited JSON-RPC over stdin and stdout.
//!
//! rmcp's own stdio transport says nothing to a line that it can't read, and its caller waits for ever. This one
//! answers every such line with a JSON-RPC error, and goes on with the next. What a line means is for [`mod@line`].

use std::{io, sync::Arc};

use rmcp::{
    RoleServer,
    model::{CallToolResult, ClientRequest, ErrorData, GetMeta as _, JsonRpcResponse, ServerResult},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Mutex,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    envelope::Scanner,
    large_argument::LargeArgument,
    line::{self, Line, Refusal},
    verbatim,
};

/// Longest line that is read. Longer ones are dropped as they come and answered with an error.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;
/// A read buffer that grew larger than this for one message is given back afterwards.
const KEPT_BUFFER_BYTES: usize = 1024 * 1024;

/// The server's end of the connection.
pub struct LineTransport<R, W> {
    reader: BufReader<R>,
    writer: Arc<Mutex<W>>,
    /// The line so far. Kept here because `receive` may be dropped between two chunks and called again.
    line: Vec<u8>,
    /// The arguments that are not made values where they are large.
    large_arguments: Vec<LargeArgument>,
    /// The line is too long; its rest is only looked through for whose request it is.
    discarding: Option<Scanner>,
    /// Answers to unreadable lines are being written.
    answering: Option<JoinHandle<io::Result<()>>>,
    /// Cancelled when stdin has ended, which is when the client has gone.
    closed: CancellationToken,
    /// The handshake has begun. Notifications before it make no sense and would end it.
    opened: bool,
}

impl<R: AsyncRead + Unpin, W> LineTransport<R, W> {
    /// A transport over any pair of byte streams. `closed` is cancelled when the reader has ended.
    pub fn new(reader: R, writer: W, large_arguments: Vec<LargeArgument>, closed: CancellationToken) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, reader),
            writer: Arc::new(Mutex::new(writer)),
            line: Vec::new(),
            large_arguments,
            discarding: None,
            answering: None,
            closed,
            opened: false,
        }
    }

    /// Reads up to the next line end. `None` at the end of the stream.
    async fn read_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', available);
            let taken = end.map_or(available.len(), |at| at + 1);
            if self.discarding.is_none() && self.line.len() + taken > MAX_LINE_BYTES {
                let mut scanner = Scanner::default();
                scanner.read(&std::mem::take(&mut self.line));
                self.discarding = Some(scanner);
            }
            match &mut self.discarding {
                Some(scanner) => scanner.read(&available[..taken]),
                None => self.line.extend_from_slice(&available[..taken]),
            }
            self.reader.consume(taken);
            if end.is_some() {
                return Ok(Some(match self.discarding.take() {
                    Some(scanner) => line::refused(scanner.finish(), &line_too_long()),
                    None => self.take_line(),
                }));
            }
        }
    }

    fn take_line(&mut self) -> Line {
        let read = line::read(self.line.trim_ascii(), &self.large_arguments);
        if self.line.capacity() > KEPT_BUFFER_BYTES {
            self.line = Vec::new();
        } else {
            self.line.clear();
        }
        read
    }

    /// Whether the message is for rmcp, which takes nothing but requests before its handshake has begun.
    fn is_let_through(&mut self, message: &RxJsonRpcMessage<RoleServer>) -> bool {
        let RxJsonRpcMessage::<RoleServer>::Request(request) = message else { return self.opened };
        self.opened |= match &request.request {
            ClientRequest::InitializeRequest(_) => true,
            ClientRequest::DiscoverRequest(_) => false,
            request => request.get_meta().protocol_version().is_some(),
        };
        true
    }
}

impl<R, W> LineTransport<R, W>
where
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// Answers what was not read. In a task of its own, because `receive` may be dropped in the middle of a line.
    fn answer(&mut self, refusals: &[Refusal]) {
        tracing::warn!(count = refusals.len(), "a message that can't be read was answered with an error");
        let mut lines = Vec::new();
        for refusal in refusals {
            match refusal.to_json() {
                Ok(json) => lines.extend([json, b"\n".to_vec()].concat()),
                Err(error) => tracing::error!(%error, "an error can't be written"),
            }
        }
        let writer = Arc::clone(&self.writer);
        self.answering = Some(tokio::spawn(async move { write_bytes(&mut *writer.lock().await, &lines).await }));
    }
}

fn line_too_long() -> ErrorData {
    let most = MAX_LINE_BYTES / (1024 * 1024);
    ErrorData::invalid_request(format!("the message is longer than {most} MiB and was not read; send less"), None)
}

impl<R, W> Transport<RoleServer> for LineTransport<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let writer = Arc::clone(&self.writer);
        async move { write(&writer, message).await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(answering) = &mut self.answering {
                let written = answering.await;
                self.answering = None;
                if !matches!(written, Ok(Ok(()))) {
                    self.closed.cancel();
                    return None;
                }
            }
            let read = match self.read_line().await {
                Ok(Some(read)) => read,
                Ok(None) => {
                    self.closed.cancel();
                    return None;
                }
                Err(error) => {
                    tracing::error!(%error, "reading from stdin failed");
                    self.closed.cancel();
                    return None;
                }
            };
            match read {
                Line::Message(message) if self.is_let_through(&message) => return Some(*message),
                Line::Message(_) | Line::Nothing => {}
                Line::Refused(refusals) => self.answer(&refusals),
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.writer.lock().await.shutdown().await
    }
}

async fn write<W: AsyncWrite + Unpin>(
    writer: &Mutex<W>,
    mut message: TxJsonRpcMessage<RoleServer>,
) -> Result<(), io::Error> {
    let taken = match &mut message {
        TxJsonRpcMessage::<RoleServer>::Response(JsonRpcResponse {
            result:
                ServerResult::CallToolResult(CallToolResult { structured_content: Some(Value::Object(content)), .. }),
            ..
        }) => verbatim::take_out(content),
        _ => Vec::new(),
    };
    let mut line = serde_json::to_vec(&message)?;
    if !taken.is_empty() {
        line = verbatim::put_back(&line, &taken);
    }
    line.push(b'\n');
    write_bytes(&mut *writer.lock().await, &line).await
}

async fn write_bytes<W: AsyncWrite + Unpin>(writer: &mut W, lines: &[u8]) -> Result<(), io::Error> {
    writer.write_all(lines).await?;
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn exchange(input: &[u8]) -> (usize, String) {
        let (client, server) = tokio::io::duplex(1 << 20);
        let (reader, _keep) = tokio::io::split(server);
        let (mut from_server, to_client) = tokio::io::duplex(1 << 20);
        let mut transport = LineTransport::new(reader, to_client, Vec::new(), CancellationToken::new());
        let (_, mut to_server) = tokio::io::split(client);
        to_server.write_all(input).await.unwrap();
        to_server.shutdown().await.unwrap();
        let mut messages = 0;
        while transport.receive().await.is_some() {
            messages += 1;
        }
        drop(transport);
        let mut answers = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut from_server, &mut answers).await.unwrap();
        (messages, answers)
    }

    #[tokio::test]
    async fn unreadable_lines_are_answered_and_the_next_is_read() {
        let good = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        for (bad, code) in [
            (&b"\xff\xfe{}"[..], "-32700"),
            (b"{\"jsonrpc\":", "-32700"),
            (b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", "-32600"),
        ] {
            let input = [bad, b"\n", good, b"\n"].concat();
            let (messages, answers) = exchange(&input).await;
            assert_eq!(messages, 1, "{}", String::from_utf8_lossy(bad));
            assert!(answers.contains(code), "{answers}");
        }
    }

    #[tokio::test]
    async fn stray_notifications_before_the_first_request_are_dropped() {
        let (messages, answers) = exchange(
            b"\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"x/y\"}\n",
        )
        .await;
        assert_eq!((messages, answers.as_str()), (0, ""));
    }
}
