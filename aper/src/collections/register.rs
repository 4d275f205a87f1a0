//! [`Register`]: one value, who wrote it and when.

use serde::{Deserialize, Serialize};

use super::Value;
use crate::context::Context;
use crate::diff::Diff;
use crate::id::ClientId;
use crate::state_machine::{NeverConflict, StateMachine};
use crate::time::Timestamp;

/// One value, with the client who set it and the server's time at which that
/// was. The last to set it wins.
///
/// Until somebody sets it, the value is that of the initial state, by
/// [`ClientId::SERVER`] at [`Timestamp::ZERO`].
///
/// | operation | cost |
/// |---|---|
/// | clone, `Set` | a clone of `T` |
/// | [`get`](Self::get), [`author`](Self::author), [`at`](Self::at) | O(1) |
///
/// ```
/// use aper::collections::Register;
/// use aper::{ClientId, Context, StateMachine, Timestamp};
///
/// let mut motto = Register::new(String::new());
/// let cx = Context::for_test().by(ClientId(3)).at(Timestamp::from_millis(1000));
/// motto.apply(&Register::set("fast and loose".to_owned()), &cx)?;
/// assert_eq!(motto.get(), "fast and loose");
/// assert_eq!((motto.author(), motto.at()), (ClientId(3), Timestamp::from_millis(1000)));
/// # Ok::<(), aper::NeverConflict>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register<T> {
    value: T,
    author: ClientId,
    at: Timestamp,
}

/// What can happen to a [`Register`].
///
/// ```
/// use aper::collections::{Register, RegisterTransition};
/// assert_eq!(Register::set("fast"), RegisterTransition::Set("fast"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegisterTransition<T> {
    /// This is the value now.
    Set(T),
}

impl<T> Register<T> {
    /// A register that nobody has set yet.
    pub const fn new(value: T) -> Self {
        Self { value, author: ClientId::SERVER, at: Timestamp::ZERO }
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// Who set the value.
    pub const fn author(&self) -> ClientId {
        self.author
    }

    /// When the value was set.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The transition that sets the value.
    pub const fn set(value: T) -> RegisterTransition<T> {
        RegisterTransition::Set(value)
    }
}

impl<T> From<T> for Register<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Value> StateMachine for Register<T> {
    const NAME: &'static str = "register";
    const ATOMIC: bool = true;
    type Transition = RegisterTransition<T>;
    type Conflict = NeverConflict;

    fn apply(
        &mut self,
        transition: &RegisterTransition<T>,
        cx: &Context,
    ) -> Result<(), NeverConflict> {
        let RegisterTransition::Set(value) = transition;
        *self = Self { value: value.clone(), author: cx.client(), at: cx.now() };
        Ok(())
    }

    fn merge(
        _: &RegisterTransition<T>,
        later: &RegisterTransition<T>,
    ) -> Option<RegisterTransition<T>> {
        Some(later.clone())
    }

    /// The value; its author is who takes it back, now.
    fn inverse(&self, _: &RegisterTransition<T>) -> Vec<RegisterTransition<T>> {
        vec![Self::set(self.value.clone())]
    }

    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.value(self, earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::testing::{check, context, json};

    #[test]
    fn it_remembers_who_and_when() {
        let script = [Register::set(5), Register::set(6)];
        let (register, refused) = check(&Register::new(0), &script);
        assert_eq!((*register.get(), refused), (6, 0));
        assert_eq!((register.author(), register.at()), (context(1).client(), context(1).now()));
    }

    #[test]
    fn in_javascript_it_is_an_object() {
        assert_eq!(json(&Register::new(1)), r#"{"value":1,"author":0,"at":0}"#);
    }
}
