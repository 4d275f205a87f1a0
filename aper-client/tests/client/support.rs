//! What the tests share: a machine, and a server of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aper::collections::List;
use aper::journal::{Journal, MemoryJournal};
use aper::{Context, Prediction, StateMachine};
use aper_client::{Client, Options, Outcome};
use aper_fault_proxy::Proxy;
use aper_server::{Server, ServerBuilder};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What was noted, in the order in which it was accepted. It takes everything
/// twice that it is given twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes(pub(crate) Vec<Note>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Note {
    /// The number of one who writes.
    Of(u16, u32),
    /// Is refused.
    Bad,
    /// Is refused, by the server.
    BadLater,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("bad notes are not taken")]
pub(crate) struct IsBad;

impl StateMachine for Notes {
    const NAME: &'static str = "notes";
    type Transition = Note;
    type Conflict = IsBad;

    fn apply(&mut self, note: &Note, _: &Context) -> Result<(), IsBad> {
        match note {
            Note::Of(..) => self.0.push(note.clone()),
            Note::Bad | Note::BadLater => return Err(IsBad),
        }
        Ok(())
    }

    fn predict(&self, note: &Note) -> Prediction {
        match note {
            Note::BadLater => Prediction::Wait,
            Note::Of(..) | Note::Bad => Prediction::Optimistic,
        }
    }
}

/// The same machine of a later program.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LaterNotes(List<u32>);

impl StateMachine for LaterNotes {
    const NAME: &'static str = "notes";
    const SCHEMA: u32 = 2;
    type Transition = Note;
    type Conflict = IsBad;

    fn apply(&mut self, _: &Note, _: &Context) -> Result<(), IsBad> {
        Ok(())
    }
}

/// A server, which can be stopped and started again on what it kept.
pub(crate) struct World {
    journal: Arc<dyn Journal>,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut world = Self { journal, address, stop: None, running: None };
        world.serve(listener, configure);
        world
    }

    fn serve(
        &mut self,
        listener: TcpListener,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) {
        let builder = Server::builder().machine(|_| Notes::default());
        let server = configure(builder.journal(Arc::clone(&self.journal))).build().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // A world that is dropped stops its server as well.
            let _ = stopped.await;
        };
        self.stop = Some(stop);
        self.running = Some(tokio::spawn(server.serve(listener, shutdown)));
    }

    pub(crate) async fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        self.running.take().unwrap().await.unwrap();
    }

    /// Starts another server with what the last one kept, at an address of its
    /// own.
    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.serve(listener, |builder| builder);
    }

    pub(crate) fn url(&self) -> String {
        url(self.address)
    }

    pub(crate) fn client(&self) -> Client<Notes> {
        Client::connect(&self.url(), Options::new()).unwrap()
    }

    /// A client that comes through a proxy.
    pub(crate) fn client_through(&self, proxy: &Proxy) -> Client<Notes> {
        Client::connect(&url(proxy.address()), Options::new()).unwrap()
    }

    pub(crate) async fn proxy(&self) -> Proxy {
        Proxy::start(self.address).await.unwrap()
    }
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("ws://{address}/notes/one")
}

/// Submits a note and waits for its end.
pub(crate) async fn write(client: &Client<Notes>, by: u16, number: u32) -> Outcome<IsBad> {
    within(client.submit(Note::Of(by, number))).await.unwrap()
}

/// Nothing here takes as long as this, except what never comes to be.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("it never came to be")
}
