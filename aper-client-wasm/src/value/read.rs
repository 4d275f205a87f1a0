//! From a JavaScript value to a Rust one.

use aper::limits::DECODE_DEPTH;
use js_sys::{Array, Reflect};
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::{Fault, MAX_SAFE_INTEGER};

// A getter or a proxy can throw from any look at a value. An exception that
// nobody catches would fly through this module and leave it half done, so
// nothing is asked of a value by an import that does not catch.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Array, js_name = isArray)]
    fn is_array(value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = entries)]
    fn entries_of(value: &JsValue) -> Result<Array, JsValue>;
}

fn threw<E>(_: E) -> Fault {
    Fault::custom("a getter threw an exception")
}

/// The value as a `T`. May run the application's code: a value can have
/// getters.
pub(crate) fn read<T: DeserializeOwned>(value: JsValue) -> Result<T, Fault> {
    T::deserialize(Value { value, depth: 0, place: Place::Value })
}

struct Value {
    value: JsValue,
    /// What is nested deeper than a server would follow is not followed here
    /// either; a value may even contain itself.
    depth: u32,
    place: Place,
}

/// Keys of objects are always texts, those of maps may be numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Value,
}

impl Value {
    fn inside(&self, value: JsValue) -> Result<Self, Fault> {
        if self.depth >= DECODE_DEPTH {
            return Err(Fault::custom("it is nested too deep"));
        }
        Ok(Self { value, depth: self.depth + 1, place: Place::Value })
    }

    fn is_nothing(&self) -> bool {
        self.value.is_undefined() || self.value.is_null()
    }

    fn is_array(&self) -> bool {
        is_array(&self.value).unwrap_or(false)
    }

    /// The elements, if this is an array.
    fn array(&self) -> Result<Option<Elements>, Fault> {
        if !self.is_array() {
            return Ok(None);
        }
        let length = Reflect::get(&self.value, &JsValue::from_str("length")).map_err(threw)?;
        // Between 0 and 2^32, or a proxy's lie; the cast saturates.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let length = length.as_f64().unwrap_or_default() as u32;
        let within = Self { value: self.value.clone(), ..*self };
        Ok(Some(Elements { within, length, next: 0 }))
    }

    fn entries<'de, V: Visitor<'de>>(&self, visitor: &V) -> Result<Array, Fault> {
        if !self.value.is_object() || self.is_array() {
            return Err(self.mismatch(visitor));
        }
        entries_of(&self.value).map_err(threw)
    }

    fn integer(&self) -> Option<i64> {
        if let (Place::Key, Some(key)) = (self.place, self.value.as_string()) {
            return key.parse().ok();
        }
        let number = self.value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let (integer, largest) = (number as i64, MAX_SAFE_INTEGER as f64);
        #[expect(clippy::cast_precision_loss, clippy::float_cmp)] // exact below 2^53
        let is_integer = number.abs() <= largest && integer as f64 == number;
        is_integer.then_some(integer)
    }

    fn mismatch<'de, V: Visitor<'de>>(&self, visitor: &V) -> Fault {
        let unexpected = if self.is_nothing() {
            Unexpected::Unit
        } else if self.value.as_bool().is_some() {
            Unexpected::Bool(true)
        } else if self.integer().is_some() {
            Unexpected::Signed(0)
        } else if self.value.as_f64().is_some() {
            Unexpected::Float(0.0)
        } else if self.value.is_string() {
            Unexpected::Str("")
        } else if self.is_array() {
            Unexpected::Seq
        } else if self.value.is_object() {
            Unexpected::Map
        } else {
            Unexpected::Other("a value of another kind")
        };
        Fault::invalid_type(unexpected, visitor)
    }

    fn elements<'de, V: Visitor<'de>>(
        self,
        length: Option<usize>,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Some(elements) = self.array()? else { return Err(self.mismatch(&visitor)) };
        let found = elements.length as usize;
        if length.is_some_and(|length| length != found) {
            return Err(Fault::invalid_length(found, &visitor));
        }
        visitor.visit_seq(elements)
    }
}

/// Methods that all ask for the same kind of value.
macro_rules! read_as {
    ($($method:ident)* => |$self:ident, $visitor:ident| $body:expr) => {$(
        fn $method<V: Visitor<'de>>($self, $visitor: V) -> Result<V::Value, Fault> {
            $body
        }
    )*};
}

impl<'de> Deserializer<'de> for Value {
    type Error = Fault;

    read_as! {
        deserialize_any => |self, visitor| {
            if self.is_nothing() {
                visitor.visit_unit()
            } else if let Some(value) = self.value.as_bool() {
                visitor.visit_bool(value)
            } else if let Some(value) = self.value.as_string() {
                visitor.visit_string(value)
            } else if let Some(value) = self.integer() {
                visitor.visit_i64(value)
            } else if let Some(value) = self.value.as_f64() {
                visitor.visit_f64(value)
            } else if self.is_array() {
                self.deserialize_seq(visitor)
            } else {
                self.deserialize_map(visitor)
            }
        }
    }

    read_as! {
        deserialize_bool => |self, visitor| match self.value.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.mismatch(&visitor)),
        }
    }

    read_as! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 =>
        |self, visitor| match self.integer() {
            // Each type's own visitor knows what it can hold.
            Some(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            None => Err(self.mismatch(&visitor)),
        }
    }

    read_as! {
        deserialize_f32 deserialize_f64 => |self, visitor| match self.value.as_f64() {
            Some(value) => visitor.visit_f64(value),
            None => Err(self.mismatch(&visitor)),
        }
    }

    read_as! {
        deserialize_char deserialize_str deserialize_string deserialize_identifier =>
        |self, visitor| match self.value.as_string() {
            Some(value) => visitor.visit_string(value),
            None => Err(self.mismatch(&visitor)),
        }
    }

    read_as! {
        deserialize_bytes deserialize_byte_buf => |self, visitor| {
            let Some(mut elements) = self.array()? else { return Err(self.mismatch(&visitor)) };
            let mut bytes = Vec::new();
            while let Some(element) = elements.next_value()? {
                let byte = element.integer().and_then(|byte| u8::try_from(byte).ok());
                bytes.push(byte.ok_or_else(|| Fault::custom("there is something that is no byte"))?);
            }
            visitor.visit_byte_buf(bytes)
        }
    }

    read_as! {
        deserialize_option => |self, visitor| if self.is_nothing() {
            visitor.visit_none()
        } else {
            visitor.visit_some(Value { depth: self.depth + 1, ..self })
        }
    }

    read_as! {
        deserialize_unit => |self, visitor| if self.is_nothing() {
            visitor.visit_unit()
        } else {
            Err(self.mismatch(&visitor))
        }
    }

    read_as! {
        deserialize_seq => |self, visitor| self.elements(None, visitor)
    }

    read_as! {
        deserialize_map => |self, visitor| {
            let entries = self.entries(&visitor)?;
            visitor.visit_map(Entries { within: self, entries, next: 0, value: None })
        }
    }

    read_as! {
        deserialize_ignored_any => |self, visitor| visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.depth >= DECODE_DEPTH {
            return Err(Fault::custom("it is nested too deep"));
        }
        visitor.visit_newtype_struct(Self { depth: self.depth + 1, ..self })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.elements(Some(length), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.elements(Some(length), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if !self.value.is_object() || self.is_array() {
            return Err(self.mismatch(&visitor));
        }
        visitor.visit_map(Fields { within: self, fields: fields.iter(), value: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.value.is_string() {
            let content = self.inside(JsValue::UNDEFINED)?;
            return visitor.visit_enum(Variant { name: self, content });
        }
        let entries = self.entries(&visitor)?;
        if entries.length() != 1 {
            return Err(Fault::custom("the object of a variant has one field, the variant's name"));
        }
        let entry = entries.get(0).unchecked_into::<Array>();
        let name = self.inside(entry.get(0))?;
        let content = self.inside(entry.get(1))?;
        visitor.visit_enum(Variant { name, content })
    }
}

struct Elements {
    within: Value,
    length: u32,
    next: u32,
}

impl Elements {
    fn next_value(&mut self) -> Result<Option<Value>, Fault> {
        if self.next == self.length {
            return Ok(None);
        }
        let element = Reflect::get_u32(&self.within.value, self.next).map_err(threw)?;
        self.next += 1;
        self.within.inside(element).map(Some)
    }
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.next_value()?.map(|element| seed.deserialize(element)).transpose()
    }
}

struct Entries {
    within: Value,
    entries: Array,
    next: u32,
    value: Option<JsValue>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        if self.next == self.entries.length() {
            return Ok(None);
        }
        let entry = self.entries.get(self.next).unchecked_into::<Array>();
        self.next += 1;
        self.value = Some(entry.get(1));
        let key = Value { place: Place::Key, ..self.within.inside(entry.get(0))? };
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.within.inside(self.value.take().unwrap_or_default())?)
    }
}

/// The fields that a struct has, of those that an object has.
struct Fields {
    within: Value,
    fields: std::slice::Iter<'static, &'static str>,
    value: Option<JsValue>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        for field in self.fields.by_ref() {
            let value =
                Reflect::get(&self.within.value, &JsValue::from_str(field)).map_err(threw)?;
            if !value.is_undefined() {
                self.value = Some(value);
                let field: StrDeserializer<'_, Fault> = field.into_deserializer();
                return seed.deserialize(field).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.within.inside(self.value.take().unwrap_or_default())?)
    }
}

struct Variant {
    name: Value,
    content: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Fault;
    type Variant = Value;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Value), Fault> {
        Ok((seed.deserialize(self.name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Value {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        if self.is_nothing() { Ok(()) } else { Err(Fault::custom("this variant has no content")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.elements(Some(length), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_struct("", fields, visitor)
    }
}
