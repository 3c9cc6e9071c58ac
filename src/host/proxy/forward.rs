//! One request to the proxy: a tunnel, or a request of plain HTTP that is passed on.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Empty, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode, Uri, Version,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderValue},
    http::uri::{Authority, PathAndQuery, Scheme},
};
use hyper_util::rt::TokioIo;
use tokio::{io::copy_bidirectional, net::TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Place, Proxy, dial::Failure, headers::remove_hop_by_hop};
use crate::domain::Host;

/// What an answer of the proxy has to say.
type Body = BoxBody<Bytes, hyper::Error>;

impl Proxy {
    /// Answers a request. `place` is held for as long as the connection of a tunnel is.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        place: Arc<Place>,
        ended: CancellationToken,
    ) -> Response<Body> {
        let answered = if *request.method() == Method::CONNECT {
            self.tunnel(request, place, ended).await
        } else {
            self.pass_on(request, ended).await
        };
        answered.unwrap_or_else(refusal)
    }

    /// Connects, and then carries bytes both ways.
    async fn tunnel(
        &self,
        request: Request<Incoming>,
        place: Arc<Place>,
        ended: CancellationToken,
    ) -> Result<Response<Body>, Failure> {
        let authority = request.uri().authority();
        let (host, port) = target(authority, None)?;
        let mut there = self.dial(&host, port).await?;
        let carrying = async move {
            let _place = place;
            let here = hyper::upgrade::on(request).await?;
            // However it ends, both sides see their connections closed.
            let _ = copy_bidirectional(&mut TokioIo::new(here), &mut there).await;
            Ok::<(), hyper::Error>(())
        };
        drop(tokio::spawn(async move {
            if let Some(Err(error)) = ended.run_until_cancelled(carrying).await {
                tracing::debug!(%error, "a tunnel was not begun");
            }
        }));
        Ok(Response::new(Empty::new().map_err(|never| match never {}).boxed()))
    }

    /// Sends a request on, over a connection of its own.
    async fn pass_on(&self, request: Request<Incoming>, ended: CancellationToken) -> Result<Response<Body>, Failure> {
        let uri = request.uri();
        if uri.scheme().is_none() {
            let why = "this is a proxy: ask it for a whole address, as `http://…`, or for a tunnel with CONNECT";
            return Err(Failure::new(StatusCode::BAD_REQUEST, why));
        }
        if uri.scheme() != Some(&Scheme::HTTP) {
            let why = format!("only `http:` can be passed on, not `{}`; use CONNECT", uri.scheme_str().unwrap_or("?"));
            return Err(Failure::new(StatusCode::BAD_REQUEST, why));
        }
        let (host, port) = target(uri.authority(), Some(80))?;
        let there = self.dial(&host, port).await?;
        let request = onward(request, &host, port)?;
        let answer = send(there, request, ended).await.map_err(|error| {
            Failure::new(StatusCode::BAD_GATEWAY, format!("`{host}:{port}` gave no answer that can be read: {error}"))
        })?;
        Ok(answer)
    }
}

/// Host and port of a request.
fn target(authority: Option<&Authority>, default: Option<u16>) -> Result<(Host, u16), Failure> {
    let unreadable = |why: String| Failure::new(StatusCode::BAD_REQUEST, why);
    let Some(authority) = authority else { return Err(unreadable("the request names no host".to_owned())) };
    if authority.as_str().contains('@') {
        return Err(unreadable("the address has a user name or a password in it".to_owned()));
    }
    let port = authority.port_u16().or(default).filter(|port| *port > 0);
    let target = Host::parse(authority.host()).zip(port);
    target.ok_or_else(|| unreadable(format!("`{authority}` is no host with a port")))
}

/// The request as its host gets it. The header `host` says what was judged, whatever the program wrote there.
fn onward(mut request: Request<Incoming>, host: &Host, port: u16) -> Result<Request<Incoming>, Failure> {
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let named = if port == 80 { host.to_string() } else { format!("{host}:{port}") };
    let named =
        HeaderValue::from_str(&named).map_err(|error| Failure::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    *request.uri_mut() = Uri::from(path);
    *request.version_mut() = Version::HTTP_11;
    remove_hop_by_hop(request.headers_mut());
    request.headers_mut().insert(HOST, named);
    Ok(request)
}

async fn send(there: TcpStream, request: Request<Incoming>, ended: CancellationToken) -> hyper::Result<Response<Body>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(there)).await?;
    // It lives until the answer has been read.
    drop(tokio::spawn(async move { ended.run_until_cancelled(connection).await }));
    let mut answer = sender.send_request(request).await?;
    remove_hop_by_hop(answer.headers_mut());
    Ok(answer.map(|body| body.boxed()))
}

/// Says why a request was not done.
fn refusal(failure: Failure) -> Response<Body> {
    let Failure { status, why } = failure;
    let body = Full::new(Bytes::from(format!("{why}\n"))).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
