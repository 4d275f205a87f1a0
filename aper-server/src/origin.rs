//! From which web pages a browser may connect.
//!
//! A browser lets any page open a WebSocket to any server, with the user's
//! cookies; what it does is to say truthfully which page that is. So the
//! server has to look.

use axum::http::{HeaderMap, header};

/// The pages that may connect: by default those of the server's own origin.
/// What is no browser sends no `Origin`, and may always connect: it could
/// claim any.
///
/// ```
/// use aper_server::Origins;
/// let origins = Origins::same().and("https://app.example.com");
/// // A slash at the end and capital letters make no difference.
/// assert_eq!(origins, Origins::same().and("https://App.example.com/"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    policy: Policy,
    allowed: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Policy {
    #[default]
    Same,
    Any,
}

impl Origins {
    /// The server's own: host and port of `Origin` are those of `Host`. Behind
    /// a proxy that changes `Host`, name the public origin with
    /// [`and`](Self::and).
    #[must_use]
    pub fn same() -> Self {
        Self::default()
    }

    /// All. For servers whose sessions hold nothing that a foreign page must
    /// not see or do in its visitor's name.
    ///
    /// ```
    /// use aper_server::{Origins, Server};
    /// let server = Server::builder().origins(Origins::any());
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn any() -> Self {
        Self { policy: Policy::Any, ..Self::default() }
    }

    /// These as well: scheme, host and port, as in `https://app.example.com`.
    #[must_use]
    pub fn and(mut self, origin: impl Into<String>) -> Self {
        self.allowed.push(origin.into().trim_end_matches('/').to_ascii_lowercase());
        self
    }

    /// Whether a request may connect; if not, why.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let (origin, another) = (origins.next(), origins.next());
        let Some(origin) = origin else { return Ok(()) };
        if self.policy == Policy::Any {
            return Ok(());
        }
        let origin = match (origin.to_str(), another) {
            (Ok(origin), None) => origin.to_ascii_lowercase(),
            _ => return Err("the Origin header is malformed".to_owned()),
        };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if host.is_some_and(|host| is_same(&origin, host)) || self.allowed.contains(&origin) {
            return Ok(());
        }
        let host = host.unwrap_or("this server");
        Err(format!(
            "pages of {origin} may not connect to {host}: the server's operator has to allow \
             that origin"
        ))
    }
}

fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let host = host.to_ascii_lowercase();
    let bare =
        |authority: &str| authority.strip_suffix(default_port).unwrap_or(authority).to_owned();
    bare(authority) == bare(&host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(origins: &Origins, origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        origins.check(&headers).is_ok()
    }

    #[test]
    fn the_same_origin_may_connect_and_others_may_not() {
        let same = Origins::same();
        for (origin, host) in [
            ("http://localhost:4000", "localhost:4000"),
            ("https://example.com", "example.com"),
            ("https://example.com", "example.com:443"),
            ("https://Example.com", "example.COM"),
            ("http://[::1]:4000", "[::1]:4000"),
        ] {
            assert!(check(&same, Some(origin), host), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://localhost:4001", "localhost:4000"),
            ("https://example.com.evil.org", "example.com"),
            ("https://evil.org", "example.com"),
            ("http://example.com", "example.com:443"),
            ("null", "example.com"),
            ("example.com", "example.com"),
            ("ftp://example.com", "example.com"),
            ("", "example.com"),
        ] {
            assert!(!check(&same, Some(origin), host), "{origin} {host}");
        }
    }

    #[test]
    fn what_is_no_browser_may_connect() {
        assert!(check(&Origins::same(), None, "example.com"));
    }

    #[test]
    fn allowed_origins_may_connect() {
        let origins = Origins::same().and("https://App.example.com/");
        assert!(check(&origins, Some("https://app.example.com"), "api.example.com"));
        assert!(!check(&origins, Some("http://app.example.com"), "api.example.com"));
        assert!(check(&Origins::any(), Some("https://evil.org"), "example.com"));
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("example.com"));
        headers.append(header::ORIGIN, HeaderValue::from_static("https://example.com"));
        headers.append(header::ORIGIN, HeaderValue::from_static("https://evil.org"));
        assert!(Origins::same().check(&headers).is_err());
    }
}
