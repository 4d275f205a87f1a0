//! Polls in sessions over a bad network: connections are lost, messages are
//! late, the server crashes, pages are reloaded. The simulation is Aper's own
//! code for server and browser; a failure names its seed and the steps to it.

use {{ident}}_machine::{Poll, Transition};

use aper::testing::{Config, Random, simulate};

/// What a user does, whatever they see.
fn whim(random: &mut Random, _: Option<&Poll>) -> Transition {
    match random.below(10) {
        0 => Transition::Ask {
            question: format!("Question {}?", random.below(3)),
        },
        1 | 2 => Transition::Add {
            text: format!("Choice {}", random.below(12)),
        },
        3 => Transition::Withdraw,
        4 if random.below(4) == 0 => Transition::Close,
        4 | 5 => Transition::Reopen,
        _ => Transition::Vote {
            choice: random.below(9) as u32,
        },
    }
}

#[test]
fn everybody_ends_up_with_the_same_poll() {
    let (mut confirmed, mut refused) = (0, 0);
    for seed in 0..300 {
        let report = simulate(seed, &Config::default(), Poll::default(), whim)
            .unwrap_or_else(|failure| panic!("{failure}"));
        confirmed += report.confirmed;
        refused += report.refused;
    }
    // Or the whims have shown nothing.
    assert!(
        confirmed > 1_000 && refused > 100,
        "{confirmed} confirmed, {refused} refused"
    );
}
