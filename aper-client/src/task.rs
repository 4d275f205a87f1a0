//! What does the things that the driver wants done.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use aper::StateMachine;
use aper::sync::driver::Input;
use futures::future::BoxFuture;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::core::{Core, Order};
use crate::socket::{Address, Socket};

/// Runs a client until it is closed.
pub(crate) async fn run<S: StateMachine>(core: Arc<Core<S>>, address: Address) {
    let running = Running(core);
    let core = &*running.0;
    let mut link = Link::None;
    let mut alarm = pin!(sleep_until(Instant::now()));
    core.handle(Input::Timeout); // the first attempt
    loop {
        while let Some(order) = core.next_order() {
            link = link.follow(order, &address);
        }
        if core.is_over() {
            break;
        }
        let due = core.next_timeout();
        set(alarm.as_mut(), due);
        tokio::select! {
            input = std::future::poll_fn(|cx| link.poll(cx, core)) => core.handle(input),
            () = alarm.as_mut(), if due.is_some() => core.handle(Input::Timeout),
            () = core.wake.notified() => {}
        }
    }
    if let Link::Closing(goodbye) = link {
        goodbye.await;
    }
}

/// Ends what waits for a client, also if its task is dropped or panics.
struct Running<S: StateMachine>(Arc<Core<S>>);

impl<S: StateMachine> Drop for Running<S> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// An alarm that is set for an earlier time is left alone, since every frame
/// would move it by a little. Who is woken too early sets it again.
fn set(alarm: Pin<&mut Sleep>, due: Option<Instant>) {
    if let Some(due) = due
        && (alarm.is_elapsed() || due < alarm.deadline())
    {
        alarm.reset(due);
    }
}

/// The connection, on its way or there.
enum Link {
    None,
    Opening(BoxFuture<'static, Result<Socket, Input>>),
    Open(Box<Socket>),
    /// Nothing more is heard of it. The next one does not wait for its end.
    Closing(BoxFuture<'static, ()>),
}

impl Link {
    fn follow(self, order: Order, address: &Address) -> Self {
        match (order, self) {
            (Order::Close { code, reason }, Self::Open(socket)) => {
                Self::Closing(Box::pin(socket.close(code, reason)))
            }
            (Order::Close { .. }, link @ Self::Closing(_)) => link,
            // An attempt, or nothing: there is nobody to say goodbye to.
            (Order::Close { .. }, _) => Self::None,
            (Order::Open, _) => Self::Opening(Box::pin(address.clone().open())),
        }
    }

    /// What happens to it next, for the driver.
    fn poll<S: StateMachine>(&mut self, cx: &mut Context<'_>, core: &Core<S>) -> Poll<Input> {
        match self {
            Self::None => Poll::Pending,
            Self::Opening(opening) => match std::task::ready!(opening.as_mut().poll(cx)) {
                Ok(socket) => {
                    *self = Self::Open(Box::new(socket));
                    Poll::Ready(Input::Opened)
                }
                Err(ended) => {
                    *self = Self::None;
                    Poll::Ready(ended)
                }
            },
            Self::Open(socket) => {
                let heard = std::task::ready!(socket.poll(cx, || core.next_frame()));
                if let Input::Ended { .. } = heard {
                    *self = Self::None;
                }
                Poll::Ready(heard)
            }
            Self::Closing(goodbye) => {
                std::task::ready!(goodbye.as_mut().poll(cx));
                *self = Self::None;
                Poll::Pending
            }
        }
    }
}
