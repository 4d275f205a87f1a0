//! What a client may be told before it connects.

use std::fmt;
#[cfg(feature = "tls")]
use std::sync::Arc;

use aper::Identity;

/// What [`Client::connect`](crate::Client::connect) may be told.
///
/// ```
/// use aper_client::Options;
///
/// let kept = "3.00000000000000000000000000000007"; // by an earlier run
/// let options = Options::new()
///     .token("ada's secret")
///     .identity(kept.parse()?)
///     .header("x-region", "eu-west"); // for a proxy in front of the server
/// assert!(!format!("{options:?}").contains("secret"));
/// # Ok::<(), aper::InvalidIdentity>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Options {
    pub(crate) token: Option<String>,
    pub(crate) identity: Option<Identity>,
    pub(crate) headers: Vec<(String, String)>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

impl Options {
    /// A client that nobody knows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows this to the operator's own authentication, on every connection.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The client that was here before: what
    /// [`Client::identity`](crate::Client::identity) gave then. A server that
    /// does not know it any more gives another.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sends this with the request that opens a connection, for what is in
    /// front of the server, or for its authentication. (Pages cannot do this.)
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Trusts and shows other certificates than the system's.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use aper_client::Options;
    /// use rustls::pki_types::CertificateDer;
    /// use rustls::pki_types::pem::PemObject as _;
    ///
    /// # let file = "tests/client/tls/certificate.pem";
    /// // A server of one's own, whose certificate nobody else has signed.
    /// let mut trusted = rustls::RootCertStore::empty();
    /// trusted.add(CertificateDer::from_pem_file(file)?)?;
    /// let config =
    ///     rustls::ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
    /// let options = Options::new().tls(Arc::new(config));
    /// # drop(options);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }
}

impl fmt::Debug for Options {
    /// Without what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client = self.identity.map(|identity| identity.client);
        f.debug_struct("Options").field("client", &client).finish_non_exhaustive()
    }
}
