//! From a Rust value to JSON text.

use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{Fault, MAX_SAFE_INTEGER};

/// The value as JSON text. What JSON has no numbers for (infinities) is null,
/// as it is in JavaScript's own `JSON.stringify`.
///
/// # Errors
///
/// For an integer that JavaScript's numbers cannot be exact about, and for a
/// map whose keys are neither texts nor integers.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T) -> Result<String, Fault> {
    let mut text = String::new();
    append(&mut text, value)?;
    Ok(text)
}

/// The same, after what is there already.
pub(super) fn append<T: Serialize + ?Sized>(text: &mut String, value: &T) -> Result<(), Fault> {
    value.serialize(Writer { text, place: Place::Value })
}

struct Writer<'t> {
    text: &'t mut String,
    place: Place,
}

/// A key must be a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Value,
}

impl<'t> Writer<'t> {
    /// What a key cannot be.
    fn value(&mut self) -> Result<&mut String, Fault> {
        match self.place {
            Place::Value => Ok(self.text),
            Place::Key => Err(Fault::custom("the key of a map must be a text or an integer")),
        }
    }

    fn word(mut self, word: &str) -> Result<(), Fault> {
        self.value()?.push_str(word);
        Ok(())
    }

    fn integer(self, magnitude: u64, sign: &str) -> Result<(), Fault> {
        if magnitude > MAX_SAFE_INTEGER {
            let text = "is beyond what JavaScript's numbers can be exact about";
            return Err(Fault::custom(format_args!("the integer {sign}{magnitude} {text}")));
        }
        let quote = if self.place == Place::Key { "\"" } else { "" };
        write!(self.text, "{quote}{sign}{magnitude}{quote}").map_err(Fault::custom)
    }

    fn string(self, value: &str) {
        self.text.push('"');
        for character in value.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\0'..='\u{1f}' => {
                    self.text.push_str("\\u00");
                    for digit in [u32::from(character) >> 4, u32::from(character) & 15] {
                        self.text.extend(char::from_digit(digit, 16));
                    }
                }
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }

    fn open(mut self, opening: &str, closing: &'static str) -> Result<Inside<'t>, Fault> {
        self.value()?.push_str(opening);
        Ok(Inside { text: self.text, closing, is_empty: true })
    }

    /// `{"variant":`, and then `opening`.
    fn variant(
        mut self,
        variant: &str,
        opening: &str,
        closing: &'static str,
    ) -> Result<Inside<'t>, Fault> {
        self.value()?.push('{');
        Writer { text: self.text, place: Place::Value }.string(variant);
        self.text.push(':');
        self.open(opening, closing)
    }
}

macro_rules! write_integers {
    ($($method:ident $type:ty)*) => {$(
        fn $method(self, value: $type) -> Result<(), Fault> {
            let magnitude = u64::try_from(value.unsigned_abs()).unwrap_or(u64::MAX);
            self.integer(magnitude, if value < 0 { "-" } else { "" })
        }
    )*};
}

macro_rules! write_naturals {
    ($($method:ident $type:ty)*) => {$(
        fn $method(self, value: $type) -> Result<(), Fault> {
            self.integer(u64::try_from(value).unwrap_or(u64::MAX), "")
        }
    )*};
}

#[allow(clippy::unnecessary_fallible_conversions, clippy::useless_conversion)] // by macro
impl<'t> Serializer for Writer<'t> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Inside<'t>;
    type SerializeTuple = Inside<'t>;
    type SerializeTupleStruct = Inside<'t>;
    type SerializeTupleVariant = Inside<'t>;
    type SerializeMap = Inside<'t>;
    type SerializeStruct = Inside<'t>;
    type SerializeStructVariant = Inside<'t>;

    write_integers! {
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_i128 i128
    }
    write_naturals! {
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64 serialize_u128 u128
    }

    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        self.word(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), Fault> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Fault> {
        if value.is_finite() { self.word(&digits(value)) } else { self.word("null") }
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Fault> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.word("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        self.word("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.word("null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Fault> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let inside = self.variant(variant, "", "}")?;
        value.serialize(Writer { text: inside.text, place: Place::Value })?;
        inside.text.push('}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside<'t>, Fault> {
        self.open("[", "]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside<'t>, Fault> {
        self.open("[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside<'t>, Fault> {
        self.open("[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside<'t>, Fault> {
        self.variant(variant, "[", "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside<'t>, Fault> {
        self.open("{", "}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside<'t>, Fault> {
        self.open("{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside<'t>, Fault> {
        self.variant(variant, "{", "}}")
    }
}

/// Inside of an array or an object.
struct Inside<'t> {
    text: &'t mut String,
    closing: &'static str,
    is_empty: bool,
}

impl Inside<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T, place: Place) -> Result<(), Fault> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.text.push(',');
        }
        value.serialize(Writer { text: self.text, place })
    }

    fn content<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.text.push(':');
        value.serialize(Writer { text: self.text, place: Place::Value })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Fault> {
        self.element(name, Place::Key)?;
        self.content(value)
    }

    fn close(self) {
        self.text.push_str(self.closing);
    }
}

/// The traits of what holds elements.
macro_rules! write_elements {
    ($($trait:ident $method:ident)*) => {$(
        impl $trait for Inside<'_> {
            type Ok = ();
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.element(value, Place::Value)
            }

            fn end(self) -> Result<(), Fault> {
                self.close();
                Ok(())
            }
        }
    )*};
}

write_elements! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// The traits of what holds named fields.
macro_rules! write_fields {
    ($($trait:ident)*) => {$(
        impl $trait for Inside<'_> {
            type Ok = ();
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Fault> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Fault> {
                self.close();
                Ok(())
            }
        }
    )*};
}

write_fields! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Inside<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.element(key, Place::Key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.content(value)
    }

    fn end(self) -> Result<(), Fault> {
        self.close();
        Ok(())
    }
}

/// JavaScript writes its numbers itself.
#[cfg(target_arch = "wasm32")]
fn digits(number: f64) -> String {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = String)]
        fn text_of(number: f64) -> String;
    }

    text_of(number)
}

#[cfg(not(target_arch = "wasm32"))]
fn digits(number: f64) -> String {
    number.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Newtype(u8);

    #[derive(Serialize)]
    struct Tuple(u8, bool);

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        first_field: Option<u8>,
        second: Vec<Variants>,
    }

    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "camelCase")]
    enum Variants {
        Unit,
        Newtype(u8),
        Tuple(u8, u8),
        Struct { field: () },
    }

    #[track_caller]
    fn check<T: Serialize + ?Sized>(value: &T, json: &str) {
        match write(value) {
            Ok(text) => {
                assert_eq!(text, json);
                // And it is JSON by somebody else's judgement.
                let parsed = serde_json::from_str::<serde_json::Value>(&text).unwrap();
                assert_eq!(parsed, serde_json::to_value(value).unwrap());
            }
            Err(fault) => assert_eq!(fault.to_string(), json),
        }
    }

    #[test]
    fn values_are_written_as_json_has_them() {
        check(&true, "true");
        check(&-7i8, "-7");
        check(&i64::from(i32::MIN), "-2147483648");
        check(&0u128, "0");
        check(&1.5f64, "1.5");
        check(&f64::NAN, "null");
        check(&'x', "\"x\"");
        check("say \"hi\"\\\n\u{1}é😀", "\"say \\\"hi\\\"\\\\\\u000a\\u0001é😀\"");
        check(&(), "null");
        check(&Unit, "null");
        check(&Newtype(3), "3");
        check(&Tuple(3, false), "[3,false]");
        check(&Some(Some(2)), "2");
        check(&None::<u8>, "null");
        check(&[0u8; 0], "[]");
        check(&vec![vec![1], vec![], vec![2, 3]], "[[1],[],[2,3]]");
    }

    #[test]
    fn structs_and_variants_are_objects_with_their_names() {
        let second = vec![
            Variants::Unit,
            Variants::Newtype(1),
            Variants::Tuple(1, 2),
            Variants::Struct { field: () },
        ];
        check(
            &Named { first_field: None, second },
            "{\"firstField\":null,\"second\":[\"unit\",{\"newtype\":1},{\"tuple\":[1,2]},\
             {\"struct\":{\"field\":null}}]}",
        );
    }

    #[test]
    fn keys_are_texts() {
        check(&BTreeMap::from([("__proto__", 1), ("b", 2)]), "{\"__proto__\":1,\"b\":2}");
        check(&BTreeMap::from([(-1, 1), (2, 2)]), "{\"-1\":1,\"2\":2}");
        check(&BTreeMap::from([(Variants::Unit, 1)]), "{\"unit\":1}");
        let refused = "the key of a map must be a text or an integer";
        check(&BTreeMap::from([((), 1)]), refused);
        check(&BTreeMap::from([(Variants::Newtype(1), 1)]), refused);
    }

    #[test]
    fn an_integer_that_would_lose_digits_is_refused() {
        check(&MAX_SAFE_INTEGER, "9007199254740991");
        let beyond = "is beyond what JavaScript's numbers can be exact about";
        check(&(MAX_SAFE_INTEGER + 1), &format!("the integer 9007199254740992 {beyond}"));
        check(&i64::MIN, &format!("the integer -9223372036854775808 {beyond}"));
        check(&u128::MAX, &format!("the integer {} {beyond}", u64::MAX));
    }
}
