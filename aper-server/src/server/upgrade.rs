//! From an HTTP request to a WebSocket, by hand: so that buffers are small and
//! bounded, and the bytes pass through as few layers as possible.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aper::journal::SessionKey;
use aper::limits::SERVER_FRAME_BYTES;
use aper::protocol::SUBPROTOCOL;
use aper::sync::ConnectionId;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::{Instrument, debug, info, info_span, warn};

use super::Shared;
use super::http::{sentence, upgrade_required};
use crate::connection::Connection;
use crate::connection::metered::Metered;
use crate::connection::outlet::Outlet;
use crate::connection::stall::StallGuard;
use crate::session::Traffic;

/// What is read from the system at once. The library allocates it for every
/// connection and keeps it, so that idle connections cost this much each.
const READ_BUFFER: usize = 512;

/// What is gathered before it is written to the system, unless it is flushed.
const WRITE_BUFFER: usize = 32 * 1024;

/// From where a connection comes, for the log.
#[derive(Clone, Debug)]
pub(super) struct Peer(pub(super) Arc<str>);

/// Whether a request wants to become a WebSocket.
pub(super) fn is_wanted(request: &Request) -> bool {
    *request.method() == Method::GET
        && names(request.headers(), header::CONNECTION, "upgrade")
        && names(request.headers(), header::UPGRADE, "websocket")
}

/// Answers a request for an upgrade, and serves the connection that comes of
/// it in a task of its own.
pub(super) fn upgrade(shared: Arc<Shared>, key: Arc<SessionKey>, mut request: Request) -> Response {
    let headers = request.headers();
    let peer = peer_of(&request);
    if let Err(reason) = shared.origins.check(headers) {
        warn!(session = %key, peer, reason, "connection refused");
        return sentence(StatusCode::FORBIDDEN, reason);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return upgrade_required();
    }
    let Some(accept) = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .map(|key| derive_accept_key(key.as_bytes()))
        .and_then(|accept| HeaderValue::try_from(accept).ok())
    else {
        let text = "a WebSocket handshake has the header Sec-WebSocket-Key";
        return sentence(StatusCode::BAD_REQUEST, text);
    };
    if !names(headers, header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        let text = format!(
            "this server speaks the WebSocket subprotocol `{SUBPROTOCOL}`: a client has to offer \
             it, or is of another version than the server"
        );
        info!(session = %key, peer, "connection refused: it does not offer {SUBPROTOCOL}");
        return sentence(StatusCode::BAD_REQUEST, text);
    }
    let Ok(place) = Arc::clone(&shared.connections).try_acquire_owned() else {
        warn!(session = %key, peer, limit = shared.limits.connections, "too many connections");
        let text = "the server has as many connections as it may: try again later";
        return sentence(StatusCode::SERVICE_UNAVAILABLE, text);
    };

    let traffic = shared.inspector.as_ref().map(|_| Arc::default());
    let id = ConnectionId(shared.next_connection.fetch_add(1, Ordering::Relaxed));
    let mut connection = Connection {
        id,
        machine: shared.hub.machine(&key.machine).expect("it was looked up for the key").version(),
        headers: headers.clone(),
        hub: Arc::clone(&shared.hub),
        authenticate: shared.authenticate.clone(),
        clock: shared.clock,
        limits: Arc::clone(&shared.limits),
        key: Arc::clone(&key),
        traffic: traffic.clone(),
    };
    let span = info_span!(parent: None, "connection", id = id.0, session = %key, peer);
    let upgrading = hyper::upgrade::on(&mut request);
    // What comes before the connection is apart: it would keep its room.
    let serve = async move {
        match Box::pin(outlet(upgrading, &shared, traffic)).await {
            Some(outlet) => Box::pin(connection.serve(&outlet)).await,
            None => debug!("the connection ended before it was upgraded"),
        }
        drop(place);
    };
    tokio::spawn(serve.instrument(span));
    switching_protocols(accept)
}

type Io = Metered<StallGuard<TokioIo<Upgraded>>>;

/// The upgraded connection; none if it ended before.
async fn outlet(
    upgrading: OnUpgrade,
    shared: &Shared,
    traffic: Option<Arc<Traffic>>,
) -> Option<Arc<Outlet<Io>>> {
    let limits = &shared.limits;
    let io = timeout(limits.headers_within, upgrading).await.ok()?.ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(SERVER_FRAME_BYTES + 2 * WRITE_BUFFER)
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.message_bytes));
    let io = StallGuard::new(TokioIo::new(io), limits.write_within);
    let io = Metered::new(io, limits, traffic);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    Some(Arc::new(Outlet::new(socket)))
}

fn switching_protocols(accept: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    response
}

/// Whether a header that is a list has this element.
fn names(headers: &HeaderMap, name: HeaderName, element: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).any(|one| one.trim().eq_ignore_ascii_case(element))
}

fn peer_of(request: &Request) -> String {
    let extensions = request.extensions();
    let own = extensions.get::<Peer>().map(|peer| peer.0.to_string());
    let of_application =
        || extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.to_string());
    own.or_else(of_application).unwrap_or_default()
}
