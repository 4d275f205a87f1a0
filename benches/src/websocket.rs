//! As much of WebSocket (RFC 6455) as measuring needs: the handshake, and
//! whole binary messages. By hand, so that the generator is never what is
//! measured, and the hand-written floor owes nothing to a library.

/// Bytes of a connection until its head is complete, at most.
const HEAD_BYTES: usize = 8 * 1024;

/// The request that opens a WebSocket at `path`, offering `subprotocol`.
#[must_use]
pub fn request(path: &str, subprotocol: Option<&str>) -> Vec<u8> {
    let offer = subprotocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
        offer.unwrap_or_default()
    )
    .into_bytes()
}

/// The length of a request's or a response's head, when all of it is there.
///
/// # Errors
///
/// When it is longer than any that is expected here.
pub fn head(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    match end {
        Some(end) => Ok(Some(end + 4)),
        None if bytes.len() > HEAD_BYTES => Err(Malformed),
        None => Ok(None),
    }
}

/// Who sends a frame: a client masks it, a server does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A client. The mask is zero, which is a mask like any other.
    Client,
    /// A server.
    Server,
}

/// Adds a binary message to `out`.
pub fn write(out: &mut Vec<u8>, sender: Sender, payload: &[u8]) {
    write_frame(out, sender, 0x82, payload);
}

/// Adds the answer to a ping to `out`.
pub fn write_pong(out: &mut Vec<u8>, sender: Sender, payload: &[u8]) {
    write_frame(out, sender, 0x8a, payload);
}

fn write_frame(out: &mut Vec<u8>, sender: Sender, first: u8, payload: &[u8]) {
    let mask = if sender == Sender::Client { 0x80 } else { 0 };
    out.push(first);
    match payload.len() {
        len @ 0..126 => out.push(mask | len as u8),
        len @ 126..65_536 => {
            out.push(mask | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(mask | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    if sender == Sender::Client {
        out.extend_from_slice(&[0; 4]);
    }
    out.extend_from_slice(payload);
}

/// A frame at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Where its payload begins,
    pub start: usize,
    /// and ends, and with it the frame.
    pub end: usize,
    /// What the payload is masked with.
    pub mask: [u8; 4],
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole binary message.
    Binary,
    /// A question whether the other side is there.
    Ping,
    /// Its answer.
    Pong,
    /// The end.
    Close,
}

/// Bytes that are no frame of those that are expected here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the bytes are no WebSocket frame of a whole binary message")
    }
}

impl std::error::Error for Malformed {}

/// The frame at the beginning of `bytes`, when all of it is there.
///
/// # Errors
///
/// When there is none, or one of a kind that nobody sends here.
pub fn frame(bytes: &[u8]) -> Result<Option<Frame>, Malformed> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let kind = match first {
        0x82 => Kind::Binary,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8a => Kind::Pong,
        _ => return Err(Malformed),
    };
    let (len, mut start) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (u64::from_be_bytes(*len), 10),
            None => return Ok(None),
        },
        len => (u64::from(len), 2),
    };
    let mut mask = [0; 4];
    if second & 0x80 != 0 {
        match bytes.get(start..start + 4) {
            Some(four) => mask.copy_from_slice(four),
            None => return Ok(None),
        }
        start += 4;
    }
    let len = usize::try_from(len).ok().filter(|&len| len < 1 << 30).ok_or(Malformed)?;
    let end = start + len;
    Ok((bytes.len() >= end).then_some(Frame { kind, start, end, mask }))
}

/// Takes the mask off a payload, or puts it on.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    if mask != [0; 4] {
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_whatever_its_length_and_its_pieces() {
        for len in [0, 1, 125, 126, 65_535, 65_536, 100_000] {
            let payload: Vec<u8> = (0..len).map(|n| n as u8).collect();
            for sender in [Sender::Client, Sender::Server] {
                let mut bytes = Vec::new();
                write(&mut bytes, sender, &payload);
                for cut in [0, 1, 3.min(bytes.len() - 1), bytes.len() - 1] {
                    assert_eq!(frame(&bytes[..cut]), Ok(None), "{len} bytes, cut at {cut}");
                }
                let read = frame(&bytes).unwrap().unwrap();
                assert_eq!((read.kind, read.end), (Kind::Binary, bytes.len()));
                assert_eq!(bytes[read.start..read.end], payload);
            }
        }
    }

    #[test]
    fn a_mask_comes_off_as_it_went_on() {
        let mut payload = *b"a payload";
        unmask(&mut payload, [1, 2, 3, 4]);
        assert_ne!(payload, *b"a payload");
        unmask(&mut payload, [1, 2, 3, 4]);
        assert_eq!(payload, *b"a payload");
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        let request = request("/map/one", Some("aper.1"));
        assert_eq!(head(&request), Ok(Some(request.len())));
        assert_eq!(head(&request[..request.len() - 1]), Ok(None));
        assert_eq!(head(&[b'a'; 9_000]), Err(Malformed));
    }

    #[test]
    fn text_and_fragments_are_malformed() {
        assert_eq!(frame(&[0x81, 0]), Err(Malformed));
        assert_eq!(frame(&[0x02, 0]), Err(Malformed));
    }
}
