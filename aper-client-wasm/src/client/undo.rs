//! Undo and redo. A client that keeps none carries none of its code: what does
//! it is reached through an object that only [`Client::keep_undo`] makes.

use std::cell::RefCell;
use std::rc::Rc;

use aper::sync::driver::{Driver, NotTaken};
use aper::sync::{Outcome, Ticket, UndoStack, Undone};
use aper::{LocalTime, StateMachine};
use futures::channel::oneshot;

use super::shell::Ended;
use super::{Client, Submission};

/// An [`UndoStack`].
pub(super) trait Undo<S: StateMachine> {
    fn submit(
        &mut self,
        driver: &mut Driver<S>,
        now: LocalTime,
        transition: S::Transition,
    ) -> Result<Ticket, NotTaken<S::Conflict>>;
    fn step(&mut self, driver: &mut Driver<S>, now: LocalTime, way: Way) -> Option<Undone<S>>;
    fn can(&self, way: Way) -> bool;
    fn settled(&mut self, ticket: Ticket, outcome: &Outcome<S::Conflict>);
    fn gesture(&mut self, begins: Gesture);
}

/// Which way through what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Taking back.
    Back,
    /// Doing again.
    Forth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gesture {
    Begins,
    Ends,
}

impl<S: StateMachine> Undo<S> for UndoStack<S> {
    fn submit(
        &mut self,
        driver: &mut Driver<S>,
        now: LocalTime,
        transition: S::Transition,
    ) -> Result<Ticket, NotTaken<S::Conflict>> {
        self.submit(driver, now, transition)
    }

    fn step(&mut self, driver: &mut Driver<S>, now: LocalTime, way: Way) -> Option<Undone<S>> {
        match way {
            Way::Back => self.undo(driver, now),
            Way::Forth => self.redo(driver, now),
        }
    }

    fn can(&self, way: Way) -> bool {
        match way {
            Way::Back => self.can_undo(),
            Way::Forth => self.can_redo(),
        }
    }

    fn settled(&mut self, ticket: Ticket, outcome: &Outcome<S::Conflict>) {
        self.settled(ticket, outcome);
    }

    fn gesture(&mut self, gesture: Gesture) {
        match gesture {
            Gesture::Begins => self.begin_gesture(),
            Gesture::Ends => self.end_gesture(),
        }
    }
}

impl<S: StateMachine> Client<S> {
    /// From now on what is submitted can be taken back, as far as the machine
    /// says [how](StateMachine::inverse); see [`UndoStack`]. Does nothing when
    /// it is so already.
    ///
    /// ```no_run
    /// use aper::collections::Counter;
    /// use aper::sync::Outcome;
    /// use aper_client_wasm::{Client, Error};
    ///
    /// # fn say(_: String) {}
    /// async fn page(client: &Client<Counter>) -> Result<(), Error> {
    ///     client.keep_undo();
    ///     client.begin_gesture();
    ///     client.submit(Counter::add(1));
    ///     client.submit(Counter::add(2));
    ///     client.end_gesture();
    ///
    ///     // Ctrl+Z: both at once.
    ///     assert!(client.can_undo() && !client.can_redo());
    ///     if let Some(undone) = client.undo()
    ///         && let Outcome::Refused { refusal, .. } = undone.await?
    ///     {
    ///         say(format!("that cannot be taken back: {refusal}"));
    ///     }
    ///     client.redo();
    ///     Ok(())
    /// }
    /// ```
    pub fn keep_undo(&self) {
        self.shell.undo.borrow_mut().get_or_insert_with(|| Box::new(UndoStack::new()));
    }

    /// Takes the last gesture back; `None` when there is none. The future tells
    /// how that ended: with the first refusal, if there was one.
    pub fn undo(&self) -> Option<Submission<S::Conflict>> {
        self.step(Way::Back)
    }

    /// Does again what was last taken back; `None` when there is nothing.
    pub fn redo(&self) -> Option<Submission<S::Conflict>> {
        self.step(Way::Forth)
    }

    fn step(&self, way: Way) -> Option<Submission<S::Conflict>> {
        let (send, receive) = oneshot::channel();
        let settle = move |ended| drop(send.send(ended));
        self.step_then(way, settle).then_some(Submission(receive))
    }

    /// Whether there is something to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.can(Way::Back)
    }

    /// Whether there is something to do again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        self.can(Way::Forth)
    }

    pub(crate) fn can(&self, way: Way) -> bool {
        self.shell.undo.borrow().as_ref().is_some_and(|undo| undo.can(way))
    }

    /// What is submitted from now on is taken back at once.
    pub fn begin_gesture(&self) {
        self.gesture(Gesture::Begins);
    }

    /// The gesture is over.
    pub fn end_gesture(&self) {
        self.gesture(Gesture::Ends);
    }

    pub(crate) fn gesture(&self, gesture: Gesture) {
        if let Some(undo) = &mut *self.shell.undo.borrow_mut() {
            undo.gesture(gesture);
        }
    }

    /// Takes a step, and has `settle` told how it ended; false if there was
    /// none to take.
    pub(crate) fn step_then(
        &self,
        way: Way,
        settle: impl FnOnce(Ended<S::Conflict>) + 'static,
    ) -> bool {
        let shell = &self.shell;
        let stepped = shell.turn(|driver, now| {
            shell.undo.borrow_mut().as_mut().and_then(|undo| undo.step(driver, now, way))
        });
        match stepped {
            None => return false,
            Some(Err(refused)) => shell.not_taken(refused, Box::new(settle)),
            Some(Ok(tickets)) => self.wait_for_all(tickets, settle),
        }
        true
    }

    /// How all of these ended: with the first refusal or error, or as the last.
    fn wait_for_all(
        &self,
        tickets: Vec<Ticket>,
        settle: impl FnOnce(Ended<S::Conflict>) + 'static,
    ) {
        let (last, ends) = (tickets.len(), RefCell::new((0, None)));
        let all = Rc::new((ends, RefCell::new(Some(settle))));
        for ticket in tickets {
            let all = Rc::clone(&all);
            let one: super::shell::Settle<S::Conflict> = Box::new(move |ended| {
                let (count, end) = &mut *all.0.borrow_mut();
                *count += 1;
                if !matches!(end, Some(Err(_) | Ok(Outcome::Refused { .. }))) {
                    *end = Some(ended);
                }
                if *count == last
                    && let (Some(end), Some(settle)) = (end.take(), all.1.take())
                {
                    settle(end);
                }
            });
            self.shell.waiting.borrow_mut().push_back((ticket, one));
        }
    }
}
