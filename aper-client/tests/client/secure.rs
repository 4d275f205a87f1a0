//! Servers at `wss://`.
//!
//! The certificate in `tls/` is for `localhost`, signed by itself, and trusted
//! by nobody but these tests; its key is no secret.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aper_client::{Client, Connection, Options, Outcome};
use aper_server::Server;
use axum::serve::Listener;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::{Note, Notes, within, write};

struct Secure {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, peer) = self.listener.accept().await.unwrap();
            // Who does not trust the certificate ends the handshake.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("tls/certificate.pem")).unwrap()
}

/// Where a server of notes is, with the certificate.
async fn serve() -> String {
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/notes/one", listener.local_addr().unwrap().port());
    let server = Server::builder().machine(|_| Notes::default()).build().unwrap();
    let secure = Secure { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(server.serve_on(secure, std::future::pending()));
    url
}

#[tokio::test]
async fn a_certificate_that_is_trusted_is_a_connection_as_any_other() {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let options = Options::new().tls(Arc::new(config));
    let ada = Client::<Notes>::connect(&serve().await, options).unwrap();
    assert!(matches!(write(&ada, 1, 1).await, Outcome::Confirmed(_)));
    assert_eq!(ada.confirmed().unwrap().0, [Note::Of(1, 1)]);
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_no_connection() {
    let config = ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let options = Options::new().tls(Arc::new(config));
    let ada = Client::<Notes>::connect(&serve().await, options).unwrap();
    let mut status = ada.watch_status();
    within(status.wait_for(|status| status.connection == Connection::Offline)).await.unwrap();
    assert_eq!(ada.identity(), None);
}
