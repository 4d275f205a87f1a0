//! What a client shows of itself, and sees of the others.

use super::*;
use crate::presence::WithPresence;
use crate::protocol::{PresenceChange, PresenceExtent, PresenceUpdate};

impl WithPresence for Sum {
    type Presence = String;
}

impl Script {
    pub(super) fn show(&mut self, text: String) {
        if let Err(error) = self.driver.set_presence(self.time(), &text) {
            self.log.push(error.code.as_str().to_owned());
        }
    }

    /// The server tells what others show: `1=a` is that client 1 shows `a`,
    /// `1=` that it shows nothing, and `all` that nobody else shows anything.
    pub(super) fn told(&mut self, changes: &str) {
        let (extent, changes) = match changes.strip_prefix("all") {
            Some(changes) => (PresenceExtent::Everything, changes),
            None => (PresenceExtent::Changes, changes),
        };
        let change = |change: &str| {
            let (client, value) = change.split_once('=').unwrap();
            let encoded = |value: &str| Payload(encode(value).unwrap());
            PresenceChange {
                client: ClientId(client.parse().unwrap()),
                value: Some(value).filter(|value| !value.is_empty()).map(encoded),
            }
        };
        let changes = changes.split_whitespace().map(change).collect();
        self.frame(&ServerMessage::Presence(PresenceUpdate { extent, changes }));
    }

    pub(super) fn others(&self) -> String {
        let others = self.driver.replica().presences().decoded::<String>();
        let other = |(client, text): (&ClientId, &String)| format!("{client}={text}");
        let others: Vec<_> = others.iter().map(other).collect();
        format!("see [{}]", others.join(" "))
    }
}

#[test]
fn what_is_shown_is_sent_at_once_and_then_once_in_an_interval() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         show a => show a
         show b
         show c
         at 32
         show d
         at 33 => [33], show d
         at 200
         show e => show e
         at 1000",
    );
}

#[test]
fn the_last_value_is_sent_also_when_it_is_none() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         show a => show a
         hide
         at 100 => [33], show nothing
         hide
         at 200",
    );
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         show a => show a
         at 100
         show a
         at 1000",
    );
}

#[test]
fn what_is_shown_offline_is_told_on_each_connection() {
    check(
        "show a
         show b
         at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, show b, online 0
         ended 1006 => offline 0
         show c
         reconnect => open
         opened => hello from 1, connecting 0
         welcome 1 => show c, online 0
         ended 1006 => offline 0
         hide
         reconnect => open
         opened => hello from 1, connecting 0
         welcome 1 => online 0
         at 1000",
    );
}

#[test]
fn nobody_is_known_to_be_here_without_a_connection() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         told all 1=a 2=b 7=me => see [1=a 2=b]
         told 1=c 3=d => see [1=c 2=b 3=d]
         told 2= => see [1=c 3=d]
         ended 1006 => see [], offline 0
         reconnect => open
         opened => hello from 1, connecting 0
         welcome 1 => online 0
         told all 3=e => see [3=e]
         told all => see []",
    );
}

#[test]
fn what_is_too_long_is_not_shown() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         show a => show a
         at 100
         show-long 4094 => too-big
         at 200
         show-long 4093 => show LONG
         close => close 1000, closed 0
         show b",
    );
}

#[test]
fn what_is_shown_does_not_hide_that_the_server_is_silent() {
    check(
        "at 0 => [0], open
         opened => hello
         welcome 1 => I am 7, online 0
         at 9990
         show a => show a
         show b
         at 29990 => [10000], ping, [10023], show b
         show c => show c
         at 30000 => [30000], close 4007, offline 0",
    );
}
