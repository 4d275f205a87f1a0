//! As much of Yjs as setting a number takes: an update in its first format, as
//! the message of y-websocket that carries it. Written by hand, since a
//! generator that kept a document for each client would measure itself.
//!
//! Each client sets keys of its own, one after the other, as a client does that
//! has seen what it did before: the new value follows the old one, and deletes
//! it.

use anyhow::{Context as _, Result, ensure};

/// Keys that a client sets in turn.
const KEYS: u64 = 10;

const MESSAGE_SYNC: u64 = 0;
const SYNC_UPDATE: u64 = 2;

/// An item that holds a plain value; that it says after which other it comes;
/// that it is the value of a key.
const ANY: u8 = 8;
const HAS_ORIGIN: u8 = 0x80;
const HAS_KEY: u8 = 0x20;

/// A plain value that is an integer.
const INTEGER: u8 = 125;

/// The message with a client's `seq`-th mutation, from 1.
pub(super) fn update(author: u64, seq: u64) -> Vec<u8> {
    let clock = seq - 1;
    let before = clock.checked_sub(KEYS);
    let mut update = Vec::with_capacity(48);
    // One client's structs: one, from this clock on.
    write_unsigned(&mut update, 1);
    write_unsigned(&mut update, 1);
    write_unsigned(&mut update, client(author));
    write_unsigned(&mut update, clock);
    if let Some(before) = before {
        update.push(ANY | HAS_ORIGIN | HAS_KEY);
        write_unsigned(&mut update, client(author));
        write_unsigned(&mut update, before);
    } else {
        update.push(ANY | HAS_KEY);
        // The parent, by its name at the top of the document; then the key.
        write_unsigned(&mut update, 1);
        write_text(&mut update, "map");
        write_text(&mut update, &format!("{author}-{}", clock % KEYS));
    }
    write_unsigned(&mut update, 1);
    update.push(INTEGER);
    write_signed(&mut update, seq % 65_536);
    // What is deleted: as many clients, ranges, and the range.
    match before {
        None => write_unsigned(&mut update, 0),
        Some(before) => {
            for number in [1, client(author), 1, before, 1] {
                write_unsigned(&mut update, number);
            }
        }
    }
    let mut message = Vec::with_capacity(update.len() + 4);
    write_unsigned(&mut message, MESSAGE_SYNC);
    write_unsigned(&mut message, SYNC_UPDATE);
    write_unsigned(&mut message, update.len() as u64);
    message.extend_from_slice(&update);
    message
}

/// Whose mutation a message tells, and its number; none if it tells none.
pub(super) fn read(mut message: &[u8]) -> Result<Option<(u64, u64)>> {
    let bytes = &mut message;
    if (read_unsigned(bytes)?, read_unsigned(bytes)?) != (MESSAGE_SYNC, SYNC_UPDATE) {
        return Ok(None);
    }
    let _length = read_unsigned(bytes)?;
    let (clients, structs) = (read_unsigned(bytes)?, read_unsigned(bytes)?);
    ensure!((clients, structs) == (1, 1), "an update of more than one mutation");
    let (client, clock) = (read_unsigned(bytes)?, read_unsigned(bytes)?);
    Ok(Some((client.checked_sub(1).context("no client of ours")?, clock + 1)))
}

/// Yjs numbers its clients from 1.
fn client(author: u64) -> u64 {
    author + 1
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn write_unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    out.push(number as u8);
}

/// One that is not negative: the sign has a bit of the first byte.
fn write_signed(out: &mut Vec<u8>, number: u64) {
    let more = if number > 0x3f { 0x80 } else { 0 };
    out.push(more | (number & 0x3f) as u8);
    if more != 0 {
        write_unsigned(out, number >> 6);
    }
}

fn read_unsigned(bytes: &mut &[u8]) -> Result<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first().context("a number ends too soon")?;
        *bytes = rest;
        ensure!(shift < 64, "a number is too long");
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return Ok(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (author, seq) in [(0, 1), (3, 10), (3, 11), (400, 70_000)] {
            assert_eq!(read(&update(author, seq)).unwrap(), Some((author, seq)));
        }
        assert_eq!(read(&[0, 0, 1, 0]).unwrap(), None, "a state vector tells nothing");
    }

    /// What Yjs 13.6 wrote for `map.set('0-0', 1)` of client 1, and, ten keys
    /// later, for `map.set('0-0', 11)`.
    #[test]
    fn the_bytes_are_those_of_yjs() {
        let first = b"\x01\x01\x01\x00\x28\x01\x03map\x030-0\x01\x7d\x01\x00";
        let eleventh = b"\x01\x01\x01\x0a\xa8\x01\x00\x01\x7d\x0b\x01\x01\x01\x00\x01";
        assert_eq!(update(0, 1), [b"\x00\x02\x12", first.as_slice()].concat());
        assert_eq!(update(0, 11), [b"\x00\x02\x0f", eleventh.as_slice()].concat());
    }
}
