//! Whom a client trusts, unless it is told otherwise.

use std::sync::{Arc, OnceLock};

use aper::sync::driver::{Error, ErrorCode};
use rustls::{ClientConfig, RootCertStore};

/// Trusts the system's certificates. They are read once: for thousands of
/// clients, and for each of their attempts.
///
/// # Errors
///
/// [`ErrorCode::Address`] when the system has none.
pub(crate) fn of_system() -> Result<Arc<ClientConfig>, Error> {
    static OF_SYSTEM: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    OF_SYSTEM.get_or_init(read).clone().ok_or_else(|| {
        let text = "this system has no certificates to trust: give some by `Options::tls`";
        Error::new(ErrorCode::Address, text)
    })
}

fn read() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is a server that is not trusted, later.
    let (added, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = || ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (added > 0).then(|| Arc::new(config()))
}
