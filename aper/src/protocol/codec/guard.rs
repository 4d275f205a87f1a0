//! A serde deserializer around another that counts nesting and elements, for
//! a format that counts neither.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use crate::limits::{DECODE_DEPTH, DECODE_SPARE_ELEMENTS};

/// Room reserved for sequences and maps on their own word, in elements, over
/// all that are open at a time: a few bytes of nested claims would otherwise
/// reserve as much again on each level.
const TRUSTED_LENGTH: usize = 4096;

/// What one value may still use up.
pub(super) struct Budget {
    elements: Cell<usize>,
    /// What is left of [`TRUSTED_LENGTH`]. Elements that came give back what
    /// was reserved for them.
    trusted: Cell<usize>,
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
        Self {
            elements: Cell::new(elements),
            trusted: Cell::new(TRUSTED_LENGTH),
            exceeded: Cell::new(None),
        }
    }

    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get()
    }

    /// How many elements to reserve room for, of those that a sequence claims.
    fn trust(&self, claimed: usize) -> usize {
        let trusted = claimed.min(self.trusted.get());
        self.trusted.set(self.trusted.get() - trusted);
        trusted
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
        T::deserialize(At { inner: deserializer, place: self.place }).map_err(Terse::into_inner)
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
        let Budget { elements, trusted, .. } = self.budget;
        match elements.get().checked_sub(1) {
            Some(left) => elements.set(left),
            None => return Err(self.budget.exceed(Exceeded::Elements)),
        }
        trusted.set(TRUSTED_LENGTH.min(trusted.get() + 1));
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

/// The inner decoder's error, made with few words. Serde's own name the type
/// and write the value out, numbers with a fraction included, which is a tenth
/// of a small browser module for the sake of texts that nobody reads.
pub(super) struct Terse<E>(E);

impl<E> Terse<E> {
    fn into_inner(self) -> E {
        self.0
    }
}

impl<E: Error> Error for Terse<E> {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(E::custom(text))
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::custom("a value is of another type")
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::custom("a value is out of its range")
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::custom("a sequence is of another length")
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::custom("there is no such variant")
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::custom("there is no such field")
    }

    fn missing_field(_: &'static str) -> Self {
        Self::custom("a field is missing")
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::custom("a field is there twice")
    }
}

impl<E: fmt::Debug> fmt::Debug for Terse<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: fmt::Display> fmt::Display for Terse<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: std::error::Error> std::error::Error for Terse<E> {}

/// Methods whose value holds no other value: passed on as they are.
macro_rules! pass_on {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            let visitor = self.wrap(visitor);
            self.inner.$method(visitor).map_err(Terse)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for At<'_, D> {
    type Error = Terse<D::Error>;

    pass_on! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_bytes
        deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    // Owned text and bytes are asked for as borrowed ones: those are checked
    // against the bytes that are there before anything is allocated.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_str(visitor).map_err(Terse)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_bytes(visitor).map_err(Terse)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let visitor = self.wrap(visitor);
        self.inner.deserialize_unit_struct(name, visitor).map_err(Terse)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_option(At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_newtype_struct(name, At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Counted)?;
        self.inner.deserialize_seq(At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Counted)?;
        self.inner.deserialize_map(At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_tuple(len, At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_tuple_struct(name, len, At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_struct(name, fields, At { inner: visitor, place }).map_err(Terse)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let place = self.place.inside(Elements::Free)?;
        self.inner.deserialize_enum(name, variants, At { inner: visitor, place }).map_err(Terse)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// What a visitor is shown that holds no other value.
macro_rules! show {
    ($($method:ident $type:ty)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value).map_err(Terse::into_inner)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for At<'_, V> {
    type Value = V::Value;

    show! {
        visit_bool bool
        visit_i8 i8 visit_i16 i16 visit_i32 i32 visit_i64 i64 visit_i128 i128
        visit_u8 u8 visit_u16 u16 visit_u32 u32 visit_u64 u64 visit_u128 u128
        visit_f32 f32 visit_f64 f64 visit_char char
        visit_str &str visit_borrowed_str &'de str visit_string String
        visit_bytes &[u8] visit_borrowed_bytes &'de [u8] visit_byte_buf Vec<u8>
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none().map_err(Terse::into_inner)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit().map_err(Terse::into_inner)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.visit_some(deserializer).map_err(Terse::into_inner)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.visit_newtype_struct(deserializer).map_err(Terse::into_inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.wrap(access);
        self.inner.visit_seq(access).map_err(Terse::into_inner)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.wrap(access);
        self.inner.visit_map(access).map_err(Terse::into_inner)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.wrap(access);
        self.inner.visit_enum(access).map_err(Terse::into_inner)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for At<'_, A> {
    type Error = Terse<A::Error>;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        let seed = self.wrap(seed);
        let element = self.inner.next_element_seed(seed).map_err(Terse)?;
        if element.is_some() {
            self.place.take_element()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|claimed| self.place.budget.trust(claimed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for At<'_, A> {
    type Error = Terse<A::Error>;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        let seed = self.wrap(seed);
        let key = self.inner.next_key_seed(seed).map_err(Terse)?;
        if key.is_some() {
            self.place.take_element()?;
        }
        Ok(key)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        let seed = self.wrap(seed);
        self.inner.next_value_seed(seed).map_err(Terse)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|claimed| self.place.budget.trust(claimed))
    }
}

impl<'b, 'de, A: EnumAccess<'de>> EnumAccess<'de> for At<'b, A> {
    type Error = Terse<A::Error>;
    type Variant = At<'b, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), Self::Error> {
        let place = self.place;
        let seed = At { inner: seed, place };
        let (value, variant) = self.inner.variant_seed(seed).map_err(Terse)?;
        Ok((value, At { inner: variant, place }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for At<'_, A> {
    type Error = Terse<A::Error>;

    fn unit_variant(self) -> Result<(), Self::Error> {
        self.inner.unit_variant().map_err(Terse)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        let seed = self.wrap(seed);
        self.inner.newtype_variant_seed(seed).map_err(Terse)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let visitor = self.wrap(visitor);
        self.inner.tuple_variant(len, visitor).map_err(Terse)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let visitor = self.wrap(visitor);
        self.inner.struct_variant(fields, visitor).map_err(Terse)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for At<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let deserializer = self.wrap(deserializer);
        self.inner.deserialize(deserializer).map_err(Terse::into_inner)
    }
}
