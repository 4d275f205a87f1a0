//! Sessions that were begun under an earlier schema of their machine.

use std::fmt;

use super::{Authority, OpenError};
use crate::journal::Recovered;
use crate::state_machine::StateMachine;

/// The schemas of a machine, from the first that is still understood to the
/// present one, and the way from each to the next.
///
/// A journal of an earlier schema is replayed by the machine of that schema,
/// as it was then; the state that this leads to is migrated step by step, and
/// a snapshot of the present schema takes the place of the log. So a machine
/// of an earlier schema is kept as it was, with its transitions, for as long
/// as there may be journals of it.
///
/// ```
/// use aper::sync::Lineage;
/// use aper::{Context, NeverConflict, StateMachine};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct V1 { votes: u32 }
///
/// /// Counts the sides apart.
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct V2 { yes: u32, no: u32 }
///
/// impl StateMachine for V1 {
///     const NAME: &'static str = "poll";
///     type Transition = ();
///     type Conflict = NeverConflict;
///     fn apply(&mut self, _: &(), _: &Context) -> Result<(), NeverConflict> {
///         self.votes += 1;
///         Ok(())
///     }
/// }
///
/// impl StateMachine for V2 {
///     const NAME: &'static str = "poll";
///     const SCHEMA: u32 = 2;
///     type Transition = bool;
///     type Conflict = NeverConflict;
///     fn apply(&mut self, yes: &bool, _: &Context) -> Result<(), NeverConflict> {
///         *(if *yes { &mut self.yes } else { &mut self.no }) += 1;
///         Ok(())
///     }
/// }
///
/// let lineage = Lineage::<V1>::new().then(|old| V2 { yes: old.votes, no: 0 });
/// assert_eq!(lineage.schemas().collect::<Vec<_>>(), [1, 2]);
/// ```
pub struct Lineage<S: StateMachine> {
    earlier: Vec<(u32, Open<S>)>,
}

type Open<S> = Box<dyn Fn(Recovered, [u8; 32]) -> Result<Authority<S>, OpenError> + Send + Sync>;

impl<S: StateMachine> Lineage<S> {
    /// The schema of `S` and no other.
    #[must_use]
    pub fn new() -> Self {
        Self { earlier: Vec::new() }
    }

    /// The same, and the next one. `migrate` makes a state of the next schema
    /// of any state of this one. It must do so in the same way each time, and
    /// not panic: a session whose state it panics over cannot be opened.
    ///
    /// # Panics
    ///
    /// When the next machine has another name, or a schema that is not higher:
    /// then nobody could tell their journals apart.
    #[must_use]
    pub fn then<N: StateMachine>(
        self,
        migrate: impl Fn(S) -> N + Clone + Send + Sync + 'static,
    ) -> Lineage<N> {
        assert_eq!(S::NAME, N::NAME, "a machine keeps its name when its schema changes");
        assert!(S::SCHEMA < N::SCHEMA, "each schema has a higher number than the one before");
        let mut earlier: Vec<(u32, Open<N>)> = Vec::new();
        for (schema, open) in self.earlier {
            let migrate = migrate.clone();
            let open = move |recovered, seed| Ok(open(recovered, seed)?.migrated(&migrate));
            earlier.push((schema, Box::new(open)));
        }
        let open = move |recovered: Recovered, seed| {
            // Only a snapshot says of which schema a journal is: so there is one.
            let nothing = || unreachable!("a journal of an earlier schema has a snapshot");
            Ok(Authority::<S>::open_with(nothing, recovered, seed)?.migrated(&migrate))
        };
        earlier.push((S::SCHEMA, Box::new(open)));
        Lineage { earlier }
    }

    /// The schemas that are understood, the present one last.
    pub fn schemas(&self) -> impl Iterator<Item = u32> {
        self.earlier.iter().map(|(schema, _)| *schema).chain([S::SCHEMA])
    }

    /// [`Authority::open`] for a journal of any of these schemas. `initial`
    /// makes the state of a session that is new. When the authority
    /// [was migrated](Authority::was_migrated), store a snapshot of it before
    /// anything else.
    ///
    /// # Errors
    ///
    /// As [`Authority::open`]; and when the journal's schema is none of these.
    pub fn open(
        &self,
        initial: impl FnOnce() -> S,
        recovered: Recovered,
        seed: [u8; 32],
    ) -> Result<Authority<S>, OpenError> {
        let schema = recovered.snapshot.as_ref().map(|snapshot| snapshot.schema);
        let earlier = self.earlier.iter().find(|(earlier, _)| Some(*earlier) == schema);
        match earlier {
            Some((_, open)) => open(recovered, seed),
            None => Authority::open_with(initial, recovered, seed),
        }
    }
}

impl<S: StateMachine> Default for Lineage<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: StateMachine> fmt::Debug for Lineage<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.schemas()).finish()
    }
}
