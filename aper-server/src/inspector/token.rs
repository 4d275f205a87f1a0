//! What opens the inspector.

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq;

/// The secret that an operator shows to see into sessions: at least 16
/// characters of those that can stand in a header. It does not print itself.
///
/// ```
/// use aper_server::AdminToken;
///
/// let token = AdminToken::new("correct horse battery staple")?;
/// assert!(!format!("{token:?}").contains("horse"));
/// assert!(AdminToken::new("1234").is_err());
/// # Ok::<(), aper_server::InvalidAdminToken>(())
/// ```
#[derive(Clone)]
pub struct AdminToken(Box<str>);

/// A text that is no [`AdminToken`].
///
/// ```
/// let error = "1234".parse::<aper_server::AdminToken>().unwrap_err();
/// assert!(error.to_string().contains("at least 16"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an admin token is at least 16 characters of printable ASCII, none a space at an end")]
pub struct InvalidAdminToken;

/// Shortest token, in bytes: nobody guesses 16 random characters.
const TOKEN_BYTES: usize = 16;

impl AdminToken {
    /// A token that is this text.
    ///
    /// # Errors
    ///
    /// When it is shorter than 16 characters, or has others than printable
    /// ASCII, or begins or ends with a space.
    pub fn new(token: &str) -> Result<Self, InvalidAdminToken> {
        let printable = token.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if token.len() < TOKEN_BYTES || !printable || token.trim() != token {
            return Err(InvalidAdminToken);
        }
        Ok(Self(token.into()))
    }

    /// Whether this is it. Takes the same time whatever is the same of it, but
    /// for the length.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl FromStr for AdminToken {
    type Err = InvalidAdminToken;

    fn from_str(token: &str) -> Result<Self, InvalidAdminToken> {
        Self::new(token)
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let token = AdminToken::new("0123456789abcdef").unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdefg", "0123456789abcdeF"] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_none() {
        for bad in ["short", " 0123456789abcdef", "0123456789abcdef\n", "0123456789abcdéf"] {
            assert!(AdminToken::new(bad).is_err(), "{bad:?}");
        }
    }
}
