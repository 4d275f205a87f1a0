//! Who a client is to the operator: a hook, because only the operator knows.

use std::sync::Arc;

use aper::UserId;
use aper::journal::SessionKey;
use axum::http::HeaderMap;
use futures::future::BoxFuture;

/// What a client shows when it comes.
///
/// ```
/// use aper_server::{Credentials, Denied};
///
/// /// Lets only those into a private session who bring the proxy's header.
/// fn is_let_in(credentials: &Credentials) -> Result<(), Denied> {
///     let is_private = credentials.session.session.as_str().starts_with("private-");
///     if is_private && !credentials.headers.contains_key("x-employee") {
///         return Err(Denied::new("this session is for employees"));
///     }
///     Ok(())
/// }
///
/// let session = aper::journal::SessionKey {
///     machine: "counter".into(),
///     session: "private-7".parse()?,
/// };
/// let stranger = Credentials { session, token: None, headers: axum::http::HeaderMap::new() };
/// assert_eq!(is_let_in(&stranger), Err(Denied::new("this session is for employees")));
/// # Ok::<(), aper::InvalidSessionId>(())
/// ```
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
///
/// ```
/// let denied = aper_server::Denied::new("this token is not valid any more: log in again");
/// assert_eq!(denied.to_string(), denied.reason);
/// ```
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
/// [`ServerBuilder::authenticate`](crate::ServerBuilder::authenticate). What
/// has to keep something of its own may implement it instead:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, RwLock};
///
/// use aper::UserId;
/// use aper_server::{Authenticate, Credentials, Denied, Server};
/// use futures::future::{self, BoxFuture, FutureExt as _};
///
/// /// Those who are logged in, by their tokens.
/// #[derive(Clone, Default)]
/// struct LoggedIn(Arc<RwLock<HashMap<String, UserId>>>);
///
/// impl Authenticate for LoggedIn {
///     fn authenticate(
///         &self,
///         credentials: Credentials,
///     ) -> BoxFuture<'static, Result<Option<UserId>, Denied>> {
///         let users = self.0.read().expect("nobody panics while they hold it");
///         let user = credentials.token.and_then(|token| users.get(&token).cloned());
///         future::ready(user.map(Some).ok_or_else(|| Denied::new("log in first"))).boxed()
///     }
/// }
///
/// let server = Server::builder().authenticate(LoggedIn::default());
/// # drop(server);
/// ```
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
