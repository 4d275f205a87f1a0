//! The page. All that it needs is in this program; it loads nothing from
//! anywhere else, and its policy forbids it. It holds no secrets, so it is
//! served to everybody: what it shows it has to ask for, with the token.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

/// What the page may do: what it is made of, and ask this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, kind and content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("", HTML, include_str!("page/index.html")),
    ("style.css", "text/css; charset=utf-8", include_str!("page/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("main.js", SCRIPT, include_str!("page/main.js")),
    ("recording.js", SCRIPT, include_str!("page/recording.js")),
    ("server.js", SCRIPT, include_str!("page/server.js")),
    ("timeline.js", SCRIPT, include_str!("page/timeline.js")),
    ("tree.js", SCRIPT, include_str!("page/tree.js")),
    ("views.js", SCRIPT, include_str!("page/views.js")),
];

pub(super) fn router() -> Router {
    let mut router = Router::new()
        // Relative, since the server may be a part of another one.
        .route("/inspector", get(async || Redirect::temporary("inspector/")))
        .route("/inspector/{*rest}", get(async || StatusCode::NOT_FOUND));
    for &(name, kind, content) in FILES {
        let path = format!("/inspector/{name}");
        router = router.route(&path, get(async move || file(kind, content)));
    }
    router
}

fn file(kind: &'static str, content: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content).into_response()
}
