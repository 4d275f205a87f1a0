//! A value that only grows, for those who wait for it to grow. The runtime's
//! `watch` does more, and takes a third of a kilobyte for it.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The latest value.
#[derive(Default)]
pub(crate) struct Latest<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Default)]
struct State<T> {
    value: T,
    /// It never grows again.
    is_last: bool,
}

impl<T: Copy + Ord> Latest<T> {
    pub(crate) fn new(value: T) -> Self {
        let state = State { value, is_last: false };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    pub(crate) fn get(&self) -> T {
        self.state().value
    }

    /// This is the value from now on, unless a greater one came before it.
    pub(crate) fn raise(&self, value: T) {
        let mut state = self.state();
        let is_greater = state.value < value;
        if is_greater {
            state.value = value;
        }
        drop(state);
        if is_greater {
            self.changed.notify_waiters();
        }
    }

    /// It does not grow any more.
    pub(crate) fn end(&self) {
        self.state().is_last = true;
        self.changed.notify_waiters();
    }

    /// Waits until the value is greater than this; none when it never will be.
    pub(crate) async fn beyond(&self, value: T) -> Option<T> {
        loop {
            let mut changed = pin!(self.changed.notified());
            // What comes after this look is noticed.
            changed.as_mut().enable();
            {
                let state = self.state();
                if state.value > value {
                    return Some(state.value);
                }
                if state.is_last {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_told_of_what_is_greater() {
        let latest = Latest::new(3);
        assert_eq!(latest.beyond(2).await, Some(3));
        let raise = async {
            tokio::task::yield_now().await;
            latest.raise(1);
            tokio::task::yield_now().await;
            latest.raise(4);
        };
        let both = tokio::join!(latest.beyond(3), latest.beyond(3), raise);
        assert_eq!((both.0, both.1), (Some(4), Some(4)));
        latest.raise(2);
        assert_eq!(latest.get(), 4);
    }

    #[tokio::test]
    async fn nobody_waits_for_what_has_ended() {
        let latest = Latest::new(1);
        let (waited, ()) = tokio::join!(latest.beyond(1), async { latest.end() });
        assert_eq!(waited, None);
        assert_eq!(latest.beyond(0).await, Some(1));
    }
}
