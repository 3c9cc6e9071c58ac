//! Newline-delimited JSON-RPC over stdin and stdout.
//!
//! rmcp's own stdio transport says nothing to a line that it can't read, and its caller waits for ever. This one
//! answers every such line with a JSON-RPC error, and goes on with the next.

use std::{borrow::Cow, io, sync::Arc};

use rmcp::{
    RoleServer,
    model::{
        CallToolRequest, CallToolRequestMethod, CallToolRequestParams, CallToolResult, ClientRequest, ErrorCode,
        ErrorData, JsonRpcResponse, JsonRpcVersion2_0, RequestId, ServerResult,
    },
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Mutex,
};
use tokio_util::sync::CancellationToken;

use super::{
    large_argument::{self, LargeArgument},
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
    /// The line is too long; its rest is dropped.
    discarding: bool,
    /// An answer to an unreadable line that is still to be written.
    answer: Option<ErrorData>,
    /// Cancelled when stdin has ended, which is when the client has gone.
    closed: CancellationToken,
    /// A request has been seen. Notifications before it make no sense and would end rmcp's handshake.
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
            discarding: false,
            answer: None,
            closed,
            opened: false,
        }
    }

    /// Reads up to the next line end. `None` at the end of the stream.
    async fn read_line(&mut self) -> io::Result<Option<Result<(), ErrorData>>> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', available);
            let taken = end.map_or(available.len(), |at| at + 1);
            if !self.discarding && self.line.len() + taken > MAX_LINE_BYTES {
                self.discarding = true;
                self.line = Vec::new();
            }
            if !self.discarding {
                self.line.extend_from_slice(&available[..taken]);
            }
            self.reader.consume(taken);
            if end.is_some() {
                let too_long = std::mem::take(&mut self.discarding);
                return Ok(Some(if too_long { Err(line_too_long()) } else { Ok(()) }));
            }
        }
    }

    fn take_message(&mut self) -> Result<Option<RxJsonRpcMessage<RoleServer>>, ErrorData> {
        let parsed = parse(self.line.trim_ascii(), &self.large_arguments);
        if self.line.capacity() > KEPT_BUFFER_BYTES {
            self.line = Vec::new();
        } else {
            self.line.clear();
        }
        let message = parsed?;
        match &message {
            Some(RxJsonRpcMessage::<RoleServer>::Request(_)) => self.opened = true,
            Some(_) if !self.opened => return Ok(None),
            _ => {}
        }
        Ok(message)
    }
}

fn line_too_long() -> ErrorData {
    let most = MAX_LINE_BYTES / (1024 * 1024);
    ErrorData::invalid_request(format!("the message is longer than {most} MiB and was not read; send less"), None)
}

/// A call of a tool, which is what nearly every line is. rmcp takes a message apart twice to find out what it is: with
/// the state of a workflow in it that is most of the time that saving it takes. What does not look exactly like this is
/// left to rmcp.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolCall {
    #[serde(rename = "jsonrpc")]
    _version: JsonRpcVersion2_0,
    id: RequestId,
    #[serde(rename = "method")]
    _method: CallToolRequestMethod,
    params: CallToolRequestParams,
}

fn read_call(line: &[u8]) -> Option<(CallToolRequestParams, RequestId)> {
    let ToolCall { id, params, .. } = serde_json::from_slice(line).ok()?;
    Some((params, id))
}

fn call_of(mut params: CallToolRequestParams, id: RequestId) -> RxJsonRpcMessage<RoleServer> {
    // Where rmcp looks for it.
    let meta = params.meta.take();
    let mut request = CallToolRequest::new(params);
    if let Some(meta) = meta {
        request.extensions.insert(meta);
    }
    RxJsonRpcMessage::<RoleServer>::request(ClientRequest::CallToolRequest(request), id)
}

fn parse(line: &[u8], large_arguments: &[LargeArgument]) -> Result<Option<RxJsonRpcMessage<RoleServer>>, ErrorData> {
    if line.is_empty() {
        return Ok(None);
    }
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if let Some((params, id)) = large_argument::read(line, large_arguments, read_call).or_else(|| read_call(line)) {
        return Ok(Some(call_of(params, id)));
    }
    match serde_json::from_slice(line) {
        Ok(message) => Ok(Some(message)),
        Err(error) => explain(line, &error),
    }
}

/// Why a line is not a message that the protocol knows.
fn explain(line: &[u8], error: &serde_json::Error) -> Result<Option<RxJsonRpcMessage<RoleServer>>, ErrorData> {
    #[derive(Deserialize)]
    struct Envelope<'l> {
        #[serde(borrow)]
        method: Option<Cow<'l, str>>,
        id: Option<serde_json::Value>,
    }
    if std::str::from_utf8(line).is_err() {
        return Err(ErrorData::parse_error("the line is not valid UTF-8, so it is no JSON-RPC message", None));
    }
    match serde_json::from_slice::<Envelope<'_>>(line) {
        // Notifications get no answer, whatever they are.
        Ok(Envelope { method: Some(method), id: None }) => {
            tracing::debug!(%method, "an unknown notification was ignored");
            Ok(None)
        }
        Ok(Envelope { method, .. }) => {
            let method = method.map_or_else(String::new, |method| format!(" `{method}`"));
            Err(ErrorData::invalid_request(format!("the request{method} is malformed: {error}"), None))
        }
        Err(_) => Err(ErrorData::parse_error(format!("the line is no JSON-RPC message: {error}"), None)),
    }
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
            if let Some(error) = &self.answer {
                let message = TxJsonRpcMessage::<RoleServer>::error(error.clone(), None);
                // Written before it is forgotten: this future may be dropped while it waits for the lock.
                let mut writer = self.writer.lock().await;
                self.answer = None;
                write_line(&mut *writer, &message).await.ok()?;
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
            match read.and_then(|()| self.take_message()) {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(code = error.code.0, "an unreadable message was answered with an error");
                    debug_assert!(matches!(error.code, ErrorCode::PARSE_ERROR | ErrorCode::INVALID_REQUEST));
                    self.answer = Some(error);
                }
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
    write_bytes(&mut *writer.lock().await, line).await
}

async fn write_line<W: AsyncWrite + Unpin>(
    writer: &mut W,
    message: &TxJsonRpcMessage<RoleServer>,
) -> Result<(), io::Error> {
    write_bytes(writer, serde_json::to_vec(message)?).await
}

async fn write_bytes<W: AsyncWrite + Unpin>(writer: &mut W, mut line: Vec<u8>) -> Result<(), io::Error> {
    line.push(b'\n');
    writer.write_all(&line).await?;
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

    #[test]
    fn a_tool_call_is_read_as_rmcp_reads_it() {
        let meta = r#"{"progressToken":7,"x/y":{"a":[1]}}"#;
        for call in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#.to_owned(),
            format!(
                r#"{{"id":"b","params":{{"_meta":{meta},"arguments":{{"z":1,"a":"é\n"}},"name":"a"}},"method":"tools/call","jsonrpc":"2.0"}}"#
            ),
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":null,"requestState":"s"}}"#
                .to_owned(),
        ] {
            let ToolCall { params, id, .. } = serde_json::from_str(&call).unwrap();
            let fast = call_of(params, id);
            let general: RxJsonRpcMessage<RoleServer> = serde_json::from_str(&call).unwrap();
            let [fast, general] = [fast, general].map(|message| format!("{message:?}"));
            assert_eq!(fast, general);
        }
        for other in [
            r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"result":{}}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"a"}}"#,
        ] {
            assert!(serde_json::from_str::<ToolCall>(other).is_err(), "{other}");
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
