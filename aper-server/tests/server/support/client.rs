//! A native client: a replica, driven by a task over a WebSocket.

use std::collections::BTreeMap;
use std::time::Duration;

use aper::protocol::{ClientMessage, CloseCode, Hello, Payload, ServerMessage, decode, encode};
use aper::sync::replica::{Input, Output};
use aper::sync::{Event, Outcome, Replica, SubmitError, Ticket};
use aper::{Identity, LocalTime, StateMachine, Timestamp, Version};
use futures::{SinkExt, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::world::{Network, Socket};

/// What a test sees of a client.
#[derive(Clone, Debug)]
pub struct View<S: StateMachine> {
    pub state: Option<S>,
    pub version: Option<Version>,
    pub pending: usize,
    pub identity: Option<Identity>,
    pub caught_up: bool,
    pub connected: bool,
    pub settled: BTreeMap<Ticket, Outcome<S::Conflict>>,
    /// How often the state came as a snapshot.
    pub snapshots: usize,
    /// Of which version the last one was.
    pub snapshot: Option<Version>,
    /// The number of the last close frame.
    pub closed: Option<(u16, String)>,
    pub server_time: Option<Timestamp>,
    pub diverged: bool,
    /// What the others show, as bytes.
    pub presences: BTreeMap<u64, Vec<u8>>,
    /// Messages about what others show.
    pub presence_messages: usize,
}

pub struct Client<S: StateMachine> {
    orders: mpsc::UnboundedSender<Order<S>>,
    view: watch::Receiver<View<S>>,
}

enum Order<S: StateMachine> {
    Submit(S::Transition, oneshot::Sender<Result<Ticket, SubmitError<S::Conflict>>>),
    Show(Option<Payload>),
    Connect(Box<Socket>),
    /// As if the cable were pulled, or with a close frame.
    Disconnect(Farewell),
    /// Read nothing, answer nothing, from now on.
    Freeze,
    Thaw,
}

enum Farewell {
    None,
    Close,
}

impl<S: StateMachine + std::fmt::Debug> Client<S> {
    /// A new client, connected.
    pub async fn connect(network: &Network, path: &str) -> Self {
        let client = Self::offline(None);
        client.reconnect(network, path).await;
        client
    }

    /// A new client that holds no state, with or without an identity.
    pub fn offline(identity: Option<Identity>) -> Self {
        Self::with_hello(identity, |_| {})
    }

    /// One that says something else in its `Hello`.
    pub fn with_hello(
        identity: Option<Identity>,
        change: impl Fn(&mut Hello) + Send + 'static,
    ) -> Self {
        let (orders, orders_taken) = mpsc::unbounded_channel();
        let replica = Replica::new(identity);
        let view = View {
            state: None,
            version: None,
            pending: 0,
            identity,
            caught_up: false,
            connected: false,
            settled: BTreeMap::new(),
            snapshots: 0,
            snapshot: None,
            closed: None,
            server_time: None,
            diverged: false,
            presences: BTreeMap::new(),
            presence_messages: 0,
        };
        let (view, watched) = watch::channel(view);
        let driver = Driver {
            replica,
            socket: None,
            frozen: false,
            started: Instant::now(),
            view,
            change: Box::new(change),
        };
        tokio::spawn(driver.run(orders_taken));
        Self { orders, view: watched }
    }

    /// Connects anew and waits until the client has caught up.
    pub async fn reconnect(&self, network: &Network, path: &str) {
        self.attach(network.socket(path).await.unwrap());
        self.wait(|view| view.caught_up).await;
    }

    /// Uses a socket, without waiting for anything.
    pub fn attach(&self, socket: Socket) {
        self.order(Order::Connect(Box::new(socket)));
    }

    /// Shows this to the others.
    pub fn show(&self, value: &[u8]) {
        self.order(Order::Show(Some(Payload(value.to_vec()))));
    }

    pub fn hide(&self) {
        self.order(Order::Show(None));
    }

    pub fn id(&self) -> u64 {
        self.identity().client.0
    }

    /// Waits until this is what this client sees of another.
    pub async fn sees_of(&self, other: u64, value: Option<&[u8]>) -> View<S> {
        self.wait(|view| view.presences.get(&other).map(Vec::as_slice) == value).await
    }

    pub async fn submit(&self, change: S::Transition) -> Ticket {
        self.try_submit(change).await.unwrap()
    }

    pub async fn try_submit(
        &self,
        change: S::Transition,
    ) -> Result<Ticket, SubmitError<S::Conflict>> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Submit(change, reply));
        answer.await.unwrap()
    }

    /// Submits and waits for the end of it.
    pub async fn settle(&self, change: S::Transition) -> Outcome<S::Conflict> {
        let ticket = self.submit(change).await;
        self.outcome(ticket).await
    }

    pub async fn outcome(&self, ticket: Ticket) -> Outcome<S::Conflict> {
        self.wait(|view| view.settled.contains_key(&ticket)).await.settled[&ticket].clone()
    }

    pub async fn cut(&self) {
        self.order(Order::Disconnect(Farewell::None));
        self.wait(|view| !view.connected).await;
    }

    pub async fn close(&self) {
        self.order(Order::Disconnect(Farewell::Close));
        self.wait(|view| !view.connected).await;
    }

    pub fn freeze(&self) {
        self.order(Order::Freeze);
    }

    pub fn thaw(&self) {
        self.order(Order::Thaw);
    }

    /// Waits until something is so, and gives what is then seen.
    pub async fn wait(&self, condition: impl Fn(&View<S>) -> bool) -> View<S> {
        let mut view = self.view.clone();
        let met = timeout(Duration::from_secs(3600), view.wait_for(condition)).await;
        match met {
            Ok(met) => met.unwrap().clone(),
            Err(_) => panic!("it never came to be; the client is at {:?}", self.now()),
        }
    }

    /// Waits for the state to be so.
    pub async fn sees(&self, condition: impl Fn(&S) -> bool) -> S {
        self.wait(|view| view.state.as_ref().is_some_and(&condition)).await.state.unwrap()
    }

    /// Waits for the end of the connection, and gives its code.
    pub async fn closed(&self) -> CloseCode {
        let view = self.wait(|view| view.closed.is_some()).await;
        let (number, reason) = view.closed.unwrap();
        CloseCode::from_number(number).unwrap_or_else(|| panic!("{number} {reason}"))
    }

    pub fn now(&self) -> View<S> {
        self.view.borrow().clone()
    }

    pub fn identity(&self) -> Identity {
        self.now().identity.unwrap()
    }

    fn order(&self, order: Order<S>) {
        assert!(self.orders.send(order).is_ok(), "the client is running");
    }
}

struct Driver<S: StateMachine> {
    replica: Replica<S>,
    socket: Option<Socket>,
    frozen: bool,
    started: Instant,
    view: watch::Sender<View<S>>,
    change: Box<dyn Fn(&mut Hello) + Send>,
}

impl<S: StateMachine> Driver<S> {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order<S>>) {
        loop {
            let due = self.replica.next_timeout();
            let due = due.map(|at| self.started + Duration::from_millis(at.as_millis()));
            let frozen = self.frozen;
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.order(order).await,
                    None => return,
                },
                message = next(self.socket.as_mut()), if !frozen => self.message(message).await,
                () = at(due), if !frozen => self.handle(Input::Timeout).await,
            }
            self.show();
        }
    }

    async fn order(&mut self, order: Order<S>) {
        match order {
            Order::Submit(change, reply) => {
                let submitted = self.replica.submit(self.now(), change);
                self.drain().await;
                self.show();
                let _ = reply.send(submitted);
            }
            Order::Show(value) => {
                self.replica.set_presence(self.now(), value);
                self.drain().await;
            }
            Order::Connect(socket) => {
                self.disconnected().await;
                self.socket = Some(*socket);
                self.view.send_modify(|view| view.closed = None);
                self.handle(Input::Connected).await;
            }
            Order::Disconnect(Farewell::None) => self.disconnected().await,
            Order::Disconnect(Farewell::Close) => {
                if let Some(socket) = &mut self.socket {
                    let _ = socket.close(None).await;
                    while let Some(Ok(_)) = socket.next().await {}
                }
                self.disconnected().await;
            }
            Order::Freeze => self.frozen = true,
            Order::Thaw => self.frozen = false,
        }
    }

    async fn message(&mut self, message: Option<Message>) {
        match message {
            Some(Message::Binary(bytes)) => {
                let message: ServerMessage = decode(&bytes).unwrap();
                if let ServerMessage::Snapshot(header) = &message {
                    self.view.send_modify(|view| {
                        view.snapshots += 1;
                        view.snapshot = Some(header.version);
                    });
                }
                if matches!(message, ServerMessage::Presence(_)) {
                    self.view.send_modify(|view| view.presence_messages += 1);
                }
                self.handle(Input::Message(message)).await;
            }
            Some(Message::Close(frame)) => {
                let frame = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                self.view.send_modify(|view| view.closed = frame.or(Some((1005, String::new()))));
            }
            Some(_) => {}
            None => self.disconnected().await,
        }
    }

    async fn disconnected(&mut self) {
        if self.socket.take().is_some() {
            self.handle(Input::Disconnected).await;
        }
    }

    async fn handle(&mut self, input: Input) {
        self.replica.handle(self.now(), input);
        self.drain().await;
    }

    async fn drain(&mut self) {
        while let Some(output) = self.replica.next_output() {
            match output {
                Output::Send(mut message) => {
                    if let ClientMessage::Hello(hello) = &mut message {
                        (self.change)(hello);
                    }
                    let bytes = encode(&message).unwrap();
                    if let Some(socket) = &mut self.socket {
                        // A connection that has ended is noticed by reading.
                        let _ = socket.send(Message::Binary(bytes.into())).await;
                    }
                }
                Output::Event(Event::Settled { ticket, outcome }) => {
                    self.view.send_modify(|view| {
                        let before = view.settled.insert(ticket, outcome);
                        assert!(before.is_none(), "{ticket:?} was settled twice");
                    })
                }
                Output::Event(Event::Diverged { .. }) => {
                    self.view.send_modify(|view| view.diverged = true);
                }
                Output::Event(_) => {}
                Output::Store { .. } => unreachable!("nothing keeps its outbox"),
                Output::Reconnect { code, reason } => panic!("{code:?}: {reason}"),
            }
        }
    }

    fn show(&self) {
        self.view.send_modify(|view| {
            view.state = self.replica.state().cloned();
            view.version = self.replica.version();
            view.pending = self.replica.pending();
            view.identity = self.replica.identity();
            view.caught_up = self.replica.is_caught_up();
            view.connected = self.socket.is_some();
            let presences = self.replica.presences().iter();
            view.presences = presences.map(|(client, value)| (client.0, value.0.clone())).collect();
            view.server_time = self.replica.server_time(self.now());
        });
    }

    fn now(&self) -> LocalTime {
        LocalTime::from_millis(self.started.elapsed().as_millis() as u64)
    }
}

async fn next(socket: Option<&mut Socket>) -> Option<Message> {
    match socket {
        Some(socket) => socket.next().await.and_then(Result::ok),
        None => std::future::pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
