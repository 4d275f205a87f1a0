//! Which request goes where.

use std::sync::Arc;

use aper::journal::SessionKey;
use aper::{InvalidSessionId, SessionId};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use super::{Shared, upgrade};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let inspector = shared.inspector.as_ref().map(|inspector| inspector.router());
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/{machine}/{session}", any(session))
        .fallback(fallback)
        .with_state(shared)
        .merge(inspector.unwrap_or_default())
}

/// A request with a sentence for an answer.
pub(super) fn sentence(status: StatusCode, text: impl Into<String>) -> Response {
    let mut text = text.into();
    text.push('\n');
    (status, text).into_response()
}

/// A session's address. Static files may have addresses of the same form.
async fn session(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if upgrade::is_wanted(&request) {
        return match key_of(&shared, request.uri().path()) {
            Ok(key) => upgrade::upgrade(shared, key, request),
            Err((status, text)) => sentence(status, text),
        };
    }
    let path = request.uri().path().to_owned();
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let file = static_file(&shared, request).await;
    if is_get && file.status() == StatusCode::NOT_FOUND {
        return match key_of(&shared, &path) {
            Ok(_) => upgrade_required(),
            Err((status, text)) => sentence(status, text),
        };
    }
    file
}

async fn fallback(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    static_file(&shared, request).await
}

async fn static_file(shared: &Shared, request: Request) -> Response {
    let Some(directory) = &shared.static_files else { return nothing_here() };
    let file = ServeDir::new(directory).oneshot(request).await;
    let file = file.unwrap_or_else(|never| match never {});
    if file.status() == StatusCode::NOT_FOUND {
        return nothing_here();
    }
    let mut file = file.map(Body::new);
    // A page may be replaced at any time; what a page's build gave a name
    // after its content, the page asks for by another name then.
    file.headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(header::HeaderValue::from_static("no-cache"));
    file
}

/// The session that a path names, the last two segments of it.
fn key_of(shared: &Shared, path: &str) -> Result<Arc<SessionKey>, (StatusCode, String)> {
    let mut segments = path.rsplit('/');
    let (session, machine) =
        (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let Some(registered) = shared.hub.machine(machine) else {
        let text = format!("this server has no machine `{machine}`: check the address");
        return Err((StatusCode::NOT_FOUND, text));
    };
    let unnamed = |error: InvalidSessionId| (StatusCode::BAD_REQUEST, error.to_string());
    let session: SessionId = session.parse().map_err(unnamed)?;
    Ok(Arc::new(SessionKey { machine: registered.version().name.into(), session }))
}

fn nothing_here() -> Response {
    sentence(StatusCode::NOT_FOUND, "there is nothing at this address")
}

pub(super) fn upgrade_required() -> Response {
    let text = "this is the address of a session: connect to it by WebSocket";
    let mut response = sentence(StatusCode::UPGRADE_REQUIRED, text);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, header::HeaderValue::from_static("13"));
    response
}
