//! Each fault does what it says.

// What the tests share needs no other way to fail than they have themselves.
#![allow(clippy::unwrap_used)]

use std::io;
use std::time::Duration;

use aper_fault_proxy::{Counts, Fault, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A client and a server, connected through a proxy.
struct Line {
    proxy: Proxy,
    client: TcpStream,
    server: TcpStream,
    _listener: TcpListener,
}

impl Line {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        // Both ways, so that the proxy is at work when this returns.
        client.write_all(b"?").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'?');
        server.write_all(b"!").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'!');
        Self { proxy, client, server, _listener: listener }
    }
}

async fn read(stream: &mut TcpStream, bytes: usize) -> io::Result<Vec<u8>> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).await?;
    Ok(read)
}

fn nothing_came(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_cut_is_seen_by_both_sides() {
    let mut line = Line::new().await;
    line.proxy.inflict_on_all(Fault::Cut);
    assert!(line.client.read_u8().await.is_err());
    assert!(line.server.read_u8().await.is_err());
    assert_eq!(line.proxy.counts().cuts, 1);
}

#[tokio::test]
async fn what_was_stalled_comes_when_it_is_over() {
    let mut line = Line::new().await;
    line.proxy.inflict_on_all(Fault::Stall { lasting: Duration::from_secs(3_600) });
    line.client.write_all(b"late").await.unwrap();
    // Another connection, in the time of which this one's bytes would have come.
    let other = Line::new().await;
    assert!(nothing_came(&line.server));
    drop(other);
    line.proxy.heal();
    assert_eq!(read(&mut line.server, 4).await.unwrap(), b"late");
}

#[tokio::test]
async fn a_stall_ends_by_itself() {
    let mut line = Line::new().await;
    line.proxy.inflict_on_all(Fault::Stall { lasting: Duration::from_millis(20) });
    line.server.write_all(b"late").await.unwrap();
    assert_eq!(read(&mut line.client, 4).await.unwrap(), b"late");
}

#[tokio::test]
async fn a_black_hole_swallows_and_is_cut_when_the_network_heals() {
    let mut line = Line::new().await;
    line.proxy.inflict_on_all(Fault::BlackHole);
    line.client.write_all(b"lost").await.unwrap();
    line.server.write_all(b"lost too").await.unwrap();
    let other = Line::new().await;
    drop(other);
    line.proxy.heal();
    assert!(line.server.read_u8().await.is_err());
    assert!(line.client.read_u8().await.is_err());
}

#[tokio::test]
async fn drops_come_one_by_one_and_all_of_them() {
    let mut line = Line::new().await;
    line.proxy.inflict_on_all(Fault::Drip { lasting: Duration::from_secs(3_600) });
    line.client.write_all(b"drip drop").await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < 9 {
        let mut piece = [0; 9];
        let bytes = line.server.read(&mut piece).await.unwrap();
        assert_ne!(bytes, 0);
        heard.extend_from_slice(&piece[..bytes]);
        if heard.len() == 1 {
            // The first came alone: the rest was not with it.
            assert_eq!(bytes, 1);
        }
    }
    assert_eq!(heard, b"drip drop");
}

#[tokio::test]
async fn a_doubled_connection_lives_on_at_the_server() {
    let mut line = Line::new().await;
    line.proxy.inflict_on_all(Fault::Stall { lasting: Duration::from_secs(3_600) });
    line.client.write_all(b"ghost").await.unwrap();
    line.proxy.inflict_on_all(Fault::Double { late: Duration::ZERO });
    assert!(line.client.read_u8().await.is_err());
    assert_eq!(read(&mut line.server, 5).await.unwrap(), b"ghost");
    line.server.write_all(b"nobody hears this").await.unwrap();
    line.proxy.heal();
    assert!(line.server.read_u8().await.is_err());
    let expected = Counts { stalls: 1, doubles: 1, ..Counts::default() };
    assert_eq!(line.proxy.counts(), expected);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_connection_that_is_cut() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = Proxy::start(nobody).await.unwrap();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(client.read_u8().await.is_err());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    proxy.aim(listener.local_addr().unwrap());
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    client.write_all(b"there").await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    assert_eq!(read(&mut server, 5).await.unwrap(), b"there");
}
