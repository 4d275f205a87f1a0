//! A server that runs alone: its accept loop, with a deadline on every phase
//! of a connection and a bound on their number.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tracing::{debug, info};

use super::upgrade::Peer;
use super::{MANY, Server};
use crate::connection::stall::StallGuard;
use crate::hub::stopped;
use crate::limits::Limits;

/// Longest head of a request, in bytes. At it: answered 431.
const HEAD_BYTES: usize = 32 * 1024;

pub(super) async fn serve<L>(
    server: &Server,
    mut listener: L,
    shutdown: impl Future<Output = ()> + Send,
) where
    L: Listener,
    L::Addr: std::fmt::Debug,
{
    if let Ok(address) = listener.local_addr() {
        info!(?address, "listening");
    }
    let limits = Arc::clone(&server.shared.limits);
    let most = limits.http_connections.min(MANY);
    let places = Arc::new(Semaphore::new(most));
    let (stop, stopping) = watch::channel(false);
    let router = server.router();
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let ((io, address), place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let peer = Peer(format!("{address:?}").into());
        let connection =
            connection(io, peer, router.clone(), Arc::clone(&limits), stopping.clone());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
    info!("stopping: no new connections, clients are told to come back");
    drop(listener);
    stop.send_replace(true);
    server.shut_down().await;
    let rest = places.acquire_many(u32::try_from(most).expect("MANY fits"));
    let _ = tokio::time::timeout(limits.close_within, rest).await;
}

/// One HTTP connection, up to its end or its upgrade.
async fn connection<Io>(
    io: Io,
    peer: Peer,
    router: Router,
    limits: Arc<Limits>,
    mut stopping: watch::Receiver<bool>,
) where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        request
    });
    let io = TokioIo::new(StallGuard::new(io, limits.write_within));
    let serve = http1::Builder::new()
        .timer(TokioTimer::new())
        // Also the longest pause between two requests.
        .header_read_timeout(limits.headers_within)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(io, TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(serve);
    let ended = tokio::select! {
        ended = &mut serve => ended,
        () = stopped(&mut stopping) => {
            serve.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits.shutdown_within, serve).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "an HTTP connection ended early");
    }
}
