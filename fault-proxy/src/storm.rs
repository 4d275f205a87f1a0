//! Many faults, one after the other, as a seed decides.

use std::time::Duration;

use tokio::time::sleep;

use crate::{Fault, Proxy};

/// A bad network. The same seed decides the same faults, in the same order and
/// after the same pauses; which connections there are then is the world's
/// affair.
///
/// ```
/// use aper_fault_proxy::Storm;
/// let (mut one, mut other) = (Storm::new(7), Storm::new(7));
/// assert_eq!(one.next_fault(), other.next_fault());
/// ```
#[derive(Clone, Debug)]
pub struct Storm {
    random: fastrand::Rng,
}

impl Storm {
    /// The storm of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed) }
    }

    /// What happens next. A black hole is rare, because it takes a connection
    /// as long as a heartbeat's patience.
    pub fn next_fault(&mut self) -> Fault {
        let random = &mut self.random;
        match random.u32(0..100) {
            0..35 => Fault::Cut,
            35..60 => Fault::Stall { lasting: Duration::from_millis(random.u64(50..3_000)) },
            60..70 => Fault::BlackHole,
            70..85 => Fault::Drip { lasting: Duration::from_millis(random.u64(200..3_000)) },
            _ => Fault::Double { late: Duration::from_millis(random.u64(0..3_000)) },
        }
    }

    /// Rages over a proxy, with pauses of up to `longest_pause`, until it is
    /// dropped.
    pub async fn rage(&mut self, proxy: &Proxy, longest_pause: Duration) {
        loop {
            sleep(longest_pause.mul_f64(self.random.f64())).await;
            let (fault, nth) = (self.next_fault(), self.random.usize(..));
            proxy.inflict(nth, fault);
        }
    }
}
