//! Who a client is to the operator: a hook, because only the operator knows.

use std::sync::Arc;

use aper::UserId;
use aper::journal::SessionKey;
use axum::http::HeaderMap;
use futures::future::BoxFuture;

/// What a client shows when it comes.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Where it wants to go.
    pub session: SessionKey,
    /// The token that the application gave its client.
    pub token: Option<String>,
    /// The headers of its request, cookies among them.
    pub headers: HeaderMap,
}

/// A client may not come in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denied {
    /// Why, in a sentence that the client is told.
    pub reason: String,
}

impl Denied {
    /// A refusal with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Decides who comes in, and as whom. An async function does; see
/// [`ServerBuilder::authenticate`](crate::ServerBuilder::authenticate).
pub trait Authenticate: Send + Sync + 'static {
    /// Says as whom the client is known, if as anybody; or that it may not
    /// come in, whereupon it is closed as
    /// [`CloseCode::Unauthorized`](aper::protocol::CloseCode::Unauthorized).
    fn authenticate(
        &self,
        credentials: Credentials,
    ) -> BoxFuture<'static, Result<Option<UserId>, Denied>>;
}

impl<F, Answer> Authenticate for F
where
    F: Fn(Credentials) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Option<UserId>, Denied>> + Send + 'static,
{
    fn authenticate(
        &self,
        credentials: Credentials,
    ) -> BoxFuture<'static, Result<Option<UserId>, Denied>> {
        Box::pin(self(credentials))
    }
}

pub(crate) type Hook = Arc<dyn Authenticate>;
