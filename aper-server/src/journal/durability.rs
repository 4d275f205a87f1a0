//! What "kept" means.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// When an append is answered. Whichever it is, a journal that is dropped in
/// good order has synced all.
///
/// As text: `synced`, `interval:MS` or `memory`.
///
/// ```
/// use aper_server::journal::Durability;
/// use std::time::Duration;
/// let interval: Durability = "interval:50".parse()?;
/// assert_eq!(interval, Durability::Interval(Duration::from_millis(50)));
/// assert_eq!("synced".parse(), Ok(Durability::Synced));
/// assert!("sometimes".parse::<Durability>().is_err());
/// # Ok::<(), aper_server::journal::InvalidDurability>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the disk says that it has it. A power failure loses nothing that
    /// anybody was told.
    #[default]
    Synced,
    /// When the operating system has it; it is synced so much later at the
    /// most. The end of the process loses nothing, a power failure what was
    /// told within that time.
    Interval(Duration),
    /// When the operating system has it, which writes it in its own time. The
    /// end of the process loses nothing, a power failure whatever was told
    /// since the system last wrote.
    Memory,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Synced => f.write_str("synced"),
            Self::Interval(interval) => write!(f, "interval:{}", interval.as_millis()),
            Self::Memory => f.write_str("memory"),
        }
    }
}

impl FromStr for Durability {
    type Err = InvalidDurability;

    fn from_str(text: &str) -> Result<Self, InvalidDurability> {
        match text.split_once(':') {
            None if text == "synced" => Ok(Self::Synced),
            None if text == "memory" => Ok(Self::Memory),
            Some(("interval", millis)) => {
                let millis = millis.parse().ok().filter(|millis| *millis > 0);
                Ok(Self::Interval(Duration::from_millis(millis.ok_or(InvalidDurability)?)))
            }
            _ => Err(InvalidDurability),
        }
    }
}

/// A text that is no [`Durability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write synced, interval:MS with a number of milliseconds from 1 on, or memory")]
pub struct InvalidDurability;
