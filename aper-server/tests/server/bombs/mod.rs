//! Messages and manners that cost their sender little and were made to cost
//! the server dear. Two tables: [`messages`] is what can be in a frame,
//! [`manners`] is what can be done to a socket. The server is a real one, on a
//! TCP port, and somebody else is in the same session all the while.
//!
//! `cargo xtask fuzz --bombs` holds the lines that these tests print against
//! limits in time too, which no test does.

mod machine;
mod manners;
mod messages;
mod target;

use std::time::{Duration, Instant};

use aper::protocol::handshake::MachineVersion;
use aper::protocol::{ClientMessage, decode};
use tokio::time::timeout;

use self::machine::{Growth, Thicket};
use self::manners::Manner;
use self::messages::Bomb;
use self::target::{Answer, Target};

/// Most memory for reading a message, in bytes.
const READING_BYTES: u64 = 1024 * 1024;

/// Most memory for a whole server with two clients, one of them bad, in bytes:
/// a message as long as may be, in the socket's buffer, in the message and in
/// the transition; and the buffers of the two connections.
const SERVING_BYTES: u64 = 2 * 1024 * 1024;

/// Longer than any limit of the server that a bomb runs into, and so long that
/// no busy machine gets there.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// How often reading is timed; the best counts.
const TIMES: usize = 5;

/// Reads a message as the server does: the connection first, the session then.
fn read(message: &[u8]) {
    match decode::<ClientMessage>(message) {
        Ok(ClientMessage::Submit(submissions)) => {
            for submission in submissions {
                let _either = decode::<Growth>(&submission.transition.0);
            }
        }
        Ok(ClientMessage::Hello(hello)) => {
            let _either = MachineVersion::of::<Thicket>().check(&hello);
        }
        Ok(
            ClientMessage::Ping { .. } | ClientMessage::Checked { .. } | ClientMessage::Presence(_),
        )
        | Err(_) => {}
    }
}

#[test]
fn reading_takes_little_memory() {
    for Bomb { name, message, .. } in messages::all() {
        let bytes = allocation_counter::measure(|| read(&message)).bytes_max;
        let time = || {
            let start = Instant::now();
            read(&message);
            start.elapsed()
        };
        let best = (0..TIMES).map(|_| time()).min().unwrap();
        println!("BOMB {name} ms={:.3} bytes={bytes}", best.as_secs_f64() * 1e3);
        assert!(bytes <= READING_BYTES, "{name}: {bytes} bytes");
    }
}

#[test]
fn a_message_costs_its_connection_alone() {
    for bomb in messages::all() {
        let name = bomb.name;
        check(name, bomb.answer, Manner::message(bomb.place, bomb.message));
    }
}

#[test]
fn bad_manners_cost_their_connection_alone() {
    for (name, manner, answer) in manners::all() {
        check(name, answer, manner);
    }
}

/// A server of its own for each, so that its memory is known.
#[track_caller]
fn check(name: &str, expected: Answer, manner: Manner) {
    let target = Target::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answered = runtime.block_on(async {
        let mut ada = target.neighbour().await;
        ada.adds().await;
        let bomb = timeout(ANSWERED_WITHIN, manner.be(target.address(), expected));
        let (answer, ()) = tokio::join!(bomb, ada.adds());
        ada.adds().await;
        answer
    });
    let bytes = target.stop();
    assert_eq!(answered.expect("it is answered in time"), expected, "{name}");
    assert!(bytes <= SERVING_BYTES, "{name}: {bytes} bytes");
}
