//! One WebSocket: opened, read and written without ever waiting for one of
//! the two in the other's way.

use std::pin::Pin;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aper::limits::{CLIENT_FRAME_BYTES, SERVER_FRAME_BYTES};
use aper::protocol::{CloseCode, SUBPROTOCOL};
use aper::sync::driver::{Error, ErrorCode, Input};
use futures::{Sink, SinkExt, Stream, StreamExt};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_tungstenite::Connector;
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, IntoClientRequest};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as SocketError};
use tokio_tungstenite::tungstenite::http::{Response, StatusCode, Uri};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::options::Options;

/// What is read from the system at once. The library allocates it for every
/// connection and keeps it, so that idle clients cost this much each.
const READ_BUFFER: usize = 4 * 1024;

/// What is gathered before it is written to the system, unless it is flushed.
const WRITE_BUFFER: usize = 4 * 1024;

/// Time for the server's answer to a close frame. After it: the connection is
/// dropped.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What a connection is called that ended without a close frame.
const NO_CLOSE_FRAME: u16 = 1006;

/// The sentence of a server's refusal, at most.
const REASON_BYTES: usize = 200;

/// Where to connect, and what to show there.
#[derive(Clone)]
pub(crate) struct Address {
    request: ClientRequestBuilder,
    #[cfg(feature = "tls")]
    connector: Connector,
}

/// An open connection.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Address {
    /// # Errors
    ///
    /// [`ErrorCode::Address`].
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, Error> {
        let not = |what: &str| Error::new(ErrorCode::Address, format!("`{url}` {what}"));
        let uri: Uri = url.parse().map_err(|_| not("is no URL"))?;
        match uri.scheme_str() {
            Some("ws") => {}
            Some("wss") if cfg!(feature = "tls") => {}
            Some("wss") => return Err(not("needs the feature `tls` of aper-client")),
            _ => return Err(not("does not begin with ws:// or wss://")),
        }
        #[cfg(feature = "tls")]
        let connector = match (uri.scheme_str(), &options.tls) {
            (Some("wss"), Some(config)) => Connector::Rustls(Arc::clone(config)),
            (Some("wss"), None) => Connector::Rustls(crate::tls::of_system()?),
            _ => Connector::Plain,
        };
        let mut request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
        for (name, value) in &options.headers {
            request = request.with_header(name, value);
        }
        let made = request.clone().into_client_request();
        made.map_err(|error| not(&format!("cannot be asked for: {error}")))?;
        Ok(Self {
            request,
            #[cfg(feature = "tls")]
            connector,
        })
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// What became of the attempt, for the driver.
    pub(crate) async fn open(self) -> Result<Socket, Input> {
        // What a client may send at a time is bounded by what the server lets
        // it have without an answer, and this is only the way to the system.
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(CLIENT_FRAME_BYTES + 2 * WRITE_BUFFER)
            .max_message_size(Some(SERVER_FRAME_BYTES))
            .max_frame_size(Some(SERVER_FRAME_BYTES));
        // Small messages must not wait for each other: no Nagle.
        #[cfg(feature = "tls")]
        let opened = tokio_tungstenite::connect_async_tls_with_config(
            self.request,
            Some(config),
            true,
            Some(self.connector),
        );
        #[cfg(not(feature = "tls"))]
        let opened = tokio_tungstenite::connect_async_with_config(self.request, Some(config), true);
        match opened.await {
            Ok((stream, _)) => Ok(Socket(stream)),
            Err(SocketError::Http(response)) => Err(turned_away(&response)),
            Err(_) => Err(lost()),
        }
    }
}

impl Socket {
    /// Sends what there is to send, as far as it can be taken, and gives what
    /// is heard next. Nothing is lost when it is not polled again.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut next_frame: impl FnMut() -> Option<Vec<u8>>,
    ) -> Poll<Input> {
        let sent = self.poll_send(cx, &mut next_frame);
        let heard = self.poll_hear(cx);
        // What a connection said last is still there when it takes no more.
        match sent {
            Poll::Ready(Err(_)) if heard.is_pending() => Poll::Ready(lost()),
            _ => heard,
        }
    }

    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        loop {
            let message = match ready!(Pin::new(&mut self.0).poll_next(cx)) {
                Some(Ok(message)) => message,
                Some(Err(SocketError::Capacity(CapacityError::MessageTooLong { .. }))) => {
                    return Poll::Ready(nothing());
                }
                Some(Err(_)) | None => return Poll::Ready(lost()),
            };
            return Poll::Ready(match message {
                Message::Binary(bytes) => Input::Frame(bytes.into()),
                Message::Text(_) => nothing(),
                Message::Close(frame) => {
                    // The answer, as far as it can be sent.
                    let _ = Pin::new(&mut self.0).poll_flush(cx);
                    ended(frame)
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                    // A ping's answer waits in the library until it is flushed.
                    let _ = Pin::new(&mut self.0).poll_flush(cx);
                    continue;
                }
            });
        }
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        next_frame: &mut impl FnMut() -> Option<Vec<u8>>,
    ) -> Poll<Result<(), SocketError>> {
        let mut stream = Pin::new(&mut self.0);
        loop {
            ready!(stream.as_mut().poll_ready(cx))?;
            let Some(frame) = next_frame() else { break };
            stream.as_mut().start_send(Message::Binary(Bytes::from(frame)))?;
        }
        stream.poll_flush(cx)
    }

    /// Says goodbye, and waits a little for the answer.
    pub(crate) async fn close(mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code: code.number().into(), reason: reason.into() };
        let goodbye = async {
            if self.0.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, goodbye).await;
    }
}

/// A frame that is too long, or of the wrong kind, is told as one without
/// bytes, which is no message either.
fn nothing() -> Input {
    Input::Frame(Vec::new())
}

fn lost() -> Input {
    Input::Ended { code: NO_CLOSE_FRAME, reason: String::new() }
}

fn ended(frame: Option<CloseFrame>) -> Input {
    match frame {
        Some(frame) => {
            Input::Ended { code: frame.code.into(), reason: frame.reason.as_str().to_owned() }
        }
        None => lost(),
    }
}

/// The server, or what is in front of it, answered that there will be no
/// WebSocket. It is asked again all the same: what is in front of a server
/// says many things while the server starts.
fn turned_away(response: &Response<Option<Vec<u8>>>) -> Input {
    let code = match response.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => CloseCode::Full,
        _ => CloseCode::Unavailable,
    };
    let body = response.body().as_deref().unwrap_or_default();
    let said = String::from_utf8_lossy(&body[..body.len().min(REASON_BYTES)]);
    let line = said.lines().next().unwrap_or_default().trim();
    let reason = format!("the server answered {}: {line}", response.status());
    Input::Ended { code: code.number(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(url: &str) -> String {
        let error = Address::new(url, &Options::new()).err().expect("it was taken");
        assert_eq!(error.code, ErrorCode::Address);
        error.to_string()
    }

    #[test]
    fn addresses_that_cannot_be_tried_are_told_at_once() {
        assert!(Address::new("ws://[::1]:4000/counter/one", &Options::new()).is_ok());
        assert_eq!(refused("over there"), "`over there` is no URL");
        assert!(refused("http://host/counter/one").ends_with("begin with ws:// or wss://"));
        assert!(refused("/counter/one").ends_with("begin with ws:// or wss://"));
        let header = Options::new().header("no name", "x");
        assert!(Address::new("ws://host/counter/one", &header).is_err());
        #[cfg(not(feature = "tls"))]
        assert!(refused("wss://host/counter/one").ends_with("the feature `tls` of aper-client"));
    }

    #[test]
    fn an_answer_that_is_no_websocket_is_a_reason() {
        let answer = |status: u16, body: &str| {
            let mut response = Response::new(Some(body.as_bytes().to_vec()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            match turned_away(&response) {
                Input::Ended { code, reason } => (code, reason),
                other => panic!("{other:?}"),
            }
        };
        let expected = "the server answered 404 Not Found: no such machine";
        assert_eq!(answer(404, "no such machine\nfor you"), (4009, expected.to_owned()));
        assert_eq!(answer(503, "").0, 4003);
    }
}
