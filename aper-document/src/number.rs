//! [`Number`]: what JSON and JavaScript call a number.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The greatest integer up to which there are no gaps.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// A number as JavaScript has it: 64 bits of floating point, and neither an
/// infinity nor "not a number". Nothing tells a negative zero from zero.
///
/// ```
/// use aper_document::Number;
///
/// assert_eq!(Number::new(0.5).map(Number::get), Some(0.5));
/// assert_eq!(Number::new(f64::NAN), None);
/// assert_eq!(Number::new(-0.0), Some(Number::from(0)));
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Number(f64);

/// A floating-point number that JSON does not have.
///
/// ```
/// use aper_document::{InvalidNumber, Json};
/// use serde::Deserialize;
/// use serde::de::IntoDeserializer;
/// use serde::de::value::{Error, F64Deserializer};
///
/// // JSON cannot say it, but other formats can.
/// let infinite: F64Deserializer<Error> = f64::INFINITY.into_deserializer();
/// let error = Json::deserialize(infinite).unwrap_err();
/// assert_eq!(error.to_string(), InvalidNumber.to_string());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("JSON has neither infinities nor what is not a number")]
pub struct InvalidNumber;

impl Number {
    /// The number; none if it is infinite or not a number.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        // Adding zero makes zero of a negative zero, and changes nothing else.
        value.is_finite().then_some(Self(value + 0.0))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The number, if it is an integer that no other integer is rounded to:
    /// from −(2⁵³ − 1) to 2⁵³ − 1.
    ///
    /// ```
    /// use aper_document::Number;
    ///
    /// let integer = |value: f64| Number::new(value).and_then(Number::as_integer);
    /// assert_eq!(integer(-7.0), Some(-7));
    /// assert_eq!(integer(0.5), None);
    /// assert_eq!(integer(9_007_199_254_740_992.0), None, "what follows is rounded to it too");
    /// ```
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation)] // saturates, and is compared
        let integer = self.0 as i64;
        let is_exact = integer.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs()
            && Self::rounded(integer) == self;
        is_exact.then_some(integer)
    }

    /// The nearest number.
    pub(crate) fn rounded(integer: i64) -> Self {
        #[expect(clippy::cast_precision_loss)] // as JavaScript reads it
        let value = integer as f64;
        Self(value)
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self(f64::from(value))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// In a compact encoding: a small integer takes two bytes instead of nine.
#[derive(Serialize, Deserialize)]
enum Encoded {
    Integer(i64),
    Float(f64),
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.as_integer(), serializer.is_human_readable()) {
            (Some(integer), true) => integer.serialize(serializer),
            (None, true) => self.0.serialize(serializer),
            (Some(integer), false) => Encoded::Integer(integer).serialize(serializer),
            (None, false) => Encoded::Float(self.0).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = if deserializer.is_human_readable() {
            f64::deserialize(deserializer)?
        } else {
            match Encoded::deserialize(deserializer)? {
                Encoded::Integer(integer) => Self::rounded(integer).0,
                Encoded::Float(value) => value,
            }
        };
        Self::new(value).ok_or_else(|| D::Error::custom(InvalidNumber))
    }
}

#[cfg(test)]
mod tests {
    use aper::protocol::{decode, encode};

    use super::*;

    #[test]
    fn integers_are_told_from_what_is_rounded() {
        let integer = |value: f64| Number::new(value).and_then(Number::as_integer);
        assert_eq!(integer(-7.0), Some(-7));
        assert_eq!(integer(0.5), None);
        assert_eq!(integer(9_007_199_254_740_991.0), Some(MAX_SAFE_INTEGER));
        assert_eq!(integer(9_007_199_254_740_992.0), None);
        // The integer of the last two has no absolute value.
        for far in [1e300, -1e300, -9_223_372_036_854_775_808.0] {
            assert_eq!(integer(far), None);
        }
    }

    #[test]
    fn every_number_survives_and_small_integers_are_short() {
        for value in
            [0.0, -0.0, 1.0, -1.5, 9_007_199_254_740_993.0, 1e300, -1e300, f64::MIN_POSITIVE]
        {
            let number = Number::new(value).unwrap();
            assert_eq!(decode::<Number>(&encode(&number).unwrap()), Ok(number));
            let text = serde_json::to_string(&number).unwrap();
            assert_eq!(serde_json::from_str::<Number>(&text).unwrap(), number, "{text}");
        }
        assert_eq!(encode(&Number::from(-3)).unwrap().len(), 2);
        assert_eq!(serde_json::to_string(&Number::from(3)).unwrap(), "3");
    }

    #[test]
    fn no_bytes_make_what_is_no_number() {
        for value in [f64::NAN, f64::INFINITY] {
            assert!(decode::<Number>(&encode(&Encoded::Float(value)).unwrap()).is_err());
        }
    }
}
