//! What a transition may know besides the state.

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt::{self, Debug};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng, TryRng};

use crate::id::{ClientId, UserId, Version};
use crate::time::Timestamp;

/// The seed of the random numbers of one transition.
pub type Chance = [u8; 16];

/// What a transition may know besides the state. Equal on the server and on
/// every client, except that a prediction has the client's estimate of the
/// time, and no chance.
///
/// ```
/// use aper::{ClientId, Context, Timestamp};
///
/// let cx = Context::for_test().by(ClientId(4)).at(Timestamp::from_millis(9_000));
/// assert_eq!((cx.client(), cx.now().as_millis()), (ClientId(4), 9_000));
/// let mut cards = [1, 2, 3, 4];
/// cx.rng().shuffle(&mut cards);
/// cards.sort();
/// assert_eq!(cards, [1, 2, 3, 4]);
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    client: ClientId,
    user: Option<UserId>,
    now: Timestamp,
    version: Version,
    chance: Chance,
    draws: Cell<u64>,
}

impl Context {
    /// A context of its parts.
    ///
    /// ```
    /// use aper::{ClientId, Context, Timestamp, UserId, Version};
    ///
    /// let ada = Some(UserId::new("ada"));
    /// let cx = Context::new(ClientId(4), ada, Timestamp::ZERO, Version(12), [7; 16]);
    /// assert_eq!(cx.user().map(UserId::as_str), Some("ada"));
    /// assert_eq!(cx.version(), Version(12));
    /// ```
    #[must_use]
    pub fn new(
        client: ClientId,
        user: Option<UserId>,
        now: Timestamp,
        version: Version,
        chance: Chance,
    ) -> Self {
        Self { client, user, now, version, chance, draws: Cell::new(0) }
    }

    /// A context for a unit test of a machine: client 1, no user, time 0,
    /// version 1, and a fixed seed. [`by`](Self::by) and [`at`](Self::at) make
    /// others of it.
    #[must_use]
    pub fn for_test() -> Self {
        Self::new(ClientId(1), None, Timestamp::ZERO, Version(1), [0; 16])
    }

    /// The same, by another client.
    #[must_use]
    pub fn by(mut self, client: ClientId) -> Self {
        self.client = client;
        self
    }

    /// The same, at another time.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// The same, with other chances.
    ///
    /// ```
    /// use aper::Context;
    ///
    /// let roll = |chance: u8| Context::for_test().with_chance([chance; 16]).rng().below(1_000);
    /// assert_eq!(roll(1), roll(1));
    /// assert_ne!(roll(1), roll(2));
    /// ```
    #[must_use]
    pub fn with_chance(mut self, chance: Chance) -> Self {
        self.chance = chance;
        self
    }

    /// Who submitted the transition; [`ClientId::SERVER`] for a timer and for
    /// what [`StateMachine::on_client`](crate::StateMachine::on_client) gave.
    #[must_use]
    pub fn client(&self) -> ClientId {
        self.client
    }

    /// As whom the operator's authentication knows the client, if there is any.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// When the server accepted the transition; in a prediction, the client's
    /// estimate of the server's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The version that the transition makes.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// A random generator whose numbers the server alone chooses: drawn afresh
    /// for each transition, told to the clients with the entry, and not to be
    /// derived by anybody beforehand. Every call starts a new, independent
    /// sequence.
    ///
    /// It is a [`rand_core::Rng`], for use with the `rand` crate, and has
    /// [`below`](ContextRng::below) and [`shuffle`](ContextRng::shuffle) of
    /// its own for machines that need no more.
    ///
    /// ```
    /// use aper::Context;
    /// let roll = 1 + Context::for_test().rng().below(6);
    /// assert!((1..=6).contains(&roll));
    /// ```
    #[must_use]
    pub fn rng(&self) -> ContextRng {
        let stream = self.draws.get();
        self.draws.set(stream + 1);
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&self.chance);
        let mut inner = ChaCha8Rng::from_seed(seed);
        inner.set_stream(stream);
        ContextRng { inner }
    }

    /// Whether anybody asked for the random generator: if not, the seed need
    /// not be kept.
    pub(crate) fn drew(&self) -> bool {
        self.draws.get() > 0
    }
}

/// A deterministic random generator: [`Context::rng`]. ChaCha with 8 rounds,
/// the same on every platform.
///
/// ```
/// use aper::{Context, ContextRng};
///
/// fn deal(rng: &mut ContextRng) -> [u8; 5] {
///     let mut cards: Vec<u8> = (0..52).collect();
///     rng.shuffle(&mut cards);
///     [(); 5].map(|()| cards.swap_remove(rng.below(cards.len() as u64) as usize))
/// }
/// let cx = Context::for_test();
/// assert_eq!(deal(&mut cx.clone().rng()), deal(&mut cx.rng()), "the same on every client");
/// ```
pub struct ContextRng {
    inner: ChaCha8Rng,
}

impl ContextRng {
    /// A number below `bound`, each as likely as any other (by rejection, so
    /// without the bias of a plain remainder).
    ///
    /// # Panics
    ///
    /// When `bound` is 0: there is no such number.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        let unbiased = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.inner.next_u64();
            if number < unbiased {
                return number % bound;
            }
        }
    }

    /// Puts the elements into a random order, each order as likely as any
    /// other (Fisher and Yates).
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for last in (1..elements.len()).rev() {
            let chosen = self.below(last as u64 + 1);
            elements.swap(last, usize::try_from(chosen).expect("chosen is at most last"));
        }
    }
}

impl Debug for ContextRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextRng")
    }
}

impl TryRng for ContextRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.inner.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.inner.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_decides_and_each_draw_is_new() {
        let draw = |chance: Chance| {
            let cx = Context::for_test().with_chance(chance);
            [cx.rng().next_u64(), cx.rng().next_u64()]
        };
        assert_eq!(draw([1; 16]), draw([1; 16]));
        assert_ne!(draw([1; 16]), draw([2; 16]));
        let [first, second] = draw([1; 16]);
        assert_ne!(first, second);
    }

    /// Pinned, because journals replay these numbers.
    #[test]
    fn the_sequence_of_a_seed_never_changes() {
        let cx = Context::for_test().with_chance([7; 16]);
        let mut cards: Vec<u8> = (0..8).collect();
        cx.rng().shuffle(&mut cards);
        assert_eq!(format!("{:?} {}", cards, cx.rng().below(1_000_000)), PINNED);
    }

    const PINNED: &str = "[6, 3, 0, 7, 4, 1, 5, 2] 130540";

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let mut rng = Context::for_test().rng();
        let mut seen = [0u32; 5];
        for _ in 0..1000 {
            seen[rng.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }
}
