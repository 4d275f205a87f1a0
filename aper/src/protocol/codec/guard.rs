//! A serde deserializer around another that counts nesting and elements, for
//! a format that counts neither.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::limits::{DECODE_DEPTH, DECODE_SPARE_ELEMENTS};

/// Room reserved for a sequence on its own word, in elements.
const TRUSTED_LENGTH: usize = 4096;

/// What one value may still use up.
pub(super) struct Budget {
    elements: Cell<usize>,
    exceeded: Cell<Option<Exceeded>>,
}

#[derive(Clone, Copy)]
pub(super) enum Exceeded {
    Depth,
    Elements,
}

impl Budget {
    pub(super) fn for_bytes(bytes: usize) -> Self {
        let elements = bytes.saturating_add(DECODE_SPARE_ELEMENTS);
        Self { elements: Cell::new(elements), exceeded: Cell::new(None) }
    }

    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get()
    }

    fn exceed<E: Error>(&self, what: Exceeded) -> E {
        self.exceeded.set(Some(what));
        E::custom("a decoding budget is used up")
    }
}

/// Decodes a `T` within a budget.
pub(super) struct Guarded<'b, T> {
    place: Place<'b>,
    target: PhantomData<T>,
}

impl<'b, T> Guarded<'b, T> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        let place = Place { budget, depth: 0, elements: Elements::Free };
        Self { place, target: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Guarded<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(At { inner: deserializer, place: self.place })
    }
}

/// Where in the value the decoder stands.
#[derive(Clone, Copy)]
struct Place<'b> {
    budget: &'b Budget,
    depth: u32,
    elements: Elements,
}

/// Whether the elements of the container are counted: those whose number the
/// bytes claim are, those whose number the type gives are not.
#[derive(Clone, Copy)]
enum Elements {
    Counted,
    Free,
}

impl<'b> Place<'b> {
    fn inside<E: Error>(self, elements: Elements) -> Result<Self, E> {
        if self.depth >= DECODE_DEPTH {
            return Err(self.budget.exceed(Exceeded::Depth));
        }
        Ok(Self { depth: self.depth + 1, elements, ..self })
    }

    fn take_element<E: Error>(self) -> Result<(), E> {
        if let Elements::Free = self.elements {
            return Ok(());
        }
        match self.budget.elements.get().checked_sub(1) {
            Some(left) => self.budget.elements.set(left),
            None => return Err(self.budget.exceed(Exceeded::Elements)),
        }
        Ok(())
    }
}

/// Anything of serde's, at a place: deserializer, visitor, access or seed.
struct At<'b, I> {
    inner: I,
    place: Place<'b>,
}

impl<'b, I> At<'b, I> {
    fn wrap<J>(&self, inner: J) -> At<'b, J> {
        At { inner, place: self.place }
    }
}

/// Methods whose value holds no other value: passed on as they are.
macro_rules! pass_on {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for At<'_, D> {
    type Error = D::Error;

    pass_on! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_bytes
        deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    // Owned text and bytes are asked for as borrowed ones: those are checked
    // against the bytes that are there before anything is allocated.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_bytes(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_option(At { inner: visitor, place })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_newtype_struct(name, At { inner: visitor, place })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Counted)?;
        self.inner.deserialize_seq(At { inner: visitor, place })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Counted)?;
        self.inner.deserialize_map(At { inner: visitor, place })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_tuple(len, At { inner: visitor, place })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_tuple_struct(name, len, At { inner: visitor, place })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_struct(name, fields, At { inner: visitor, place })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_enum(name, variants, At { inner: visitor, place })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// The visitors of containers. (Others are never wrapped.)
impl<'de, V: Visitor<'de>> Visitor<'de> for At<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.wrap(access);
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.wrap(access);
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.wrap(access);
        self.inner.visit_enum(access)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for At<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        let seed = self.wrap(seed);
        let element = self.inner.next_element_seed(seed)?;
        if element.is_some() {
            self.place.take_element()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|claimed| claimed.min(TRUSTED_LENGTH))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for At<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let seed = self.wrap(seed);
        let key = self.inner.next_key_seed(seed)?;
        if key.is_some() {
            self.place.take_element()?;
        }
        Ok(key)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.wrap(seed);
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|claimed| claimed.min(TRUSTED_LENGTH))
    }
}

impl<'b, 'de, A: EnumAccess<'de>> EnumAccess<'de> for At<'b, A> {
    type Error = A::Error;
    type Variant = At<'b, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), A::Error> {
        let place = self.place;
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, At { inner: variant, place }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for At<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.wrap(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.wrap(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.wrap(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for At<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.deserialize(deserializer)
    }
}
