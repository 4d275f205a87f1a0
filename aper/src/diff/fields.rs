//! The fields of a derived machine, by the names that serde gives them.
//!
//! A derive does not see what another derive, or a hand-written `Serialize`,
//! makes of a field: another name, a part of the field, nothing at all. So
//! `Serialize` itself is asked: it hands over each field with its name, and what
//! it hands over is a part of the machine if it lies where that part lies and is
//! of its type. Everything else is compared by what it looks like.

use std::any::type_name;
use std::fmt::{self, Display};

use serde::ser::{Error, Impossible, SerializeStruct};
use serde::{Serialize, Serializer};

use super::Diff;

/// Where a part of a derived machine is, and of which type. For the code that
/// the derive makes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartAt {
    address: usize,
    of: &'static str,
}

impl PartAt {
    #[must_use]
    pub fn of<T: ?Sized>(part: &T) -> Self {
        Self { address: std::ptr::from_ref(part).cast::<()>().addr(), of: type_name::<T>() }
    }
}

/// Tells what of a derived machine is another; `part` tells it of the part of
/// this number. For the code that the derive makes.
///
/// # Errors
///
/// When something that is another cannot be told.
#[doc(hidden)]
pub fn diff_parts<S: Serialize, D: Diff>(
    later: &S,
    earlier: &S,
    parts: &[PartAt],
    diff: &mut D,
    mut part: impl FnMut(usize, &mut D) -> Result<(), D::Error>,
) -> Result<(), D::Error> {
    let (fields, before) = (Fields::of(later), Fields::of(earlier));
    if fields.is_other || before.is_other || !fields.names().eq(before.names()) {
        return diff.value(later, earlier);
    }
    for (name, place) in fields.fields {
        let number = parts.iter().position(|part| *part == place);
        match (name, number) {
            (Some(name), Some(number)) => diff.field(name, |diff| part(number, diff))?,
            (Some(name), None) => diff.field(name, |diff| {
                diff.value(&Named { of: later, name }, &Named { of: earlier, name })
            })?,
            // A struct that is shown as its only field.
            (None, Some(number)) => part(number, diff)?,
            (None, None) => diff.value(later, earlier)?,
        }
    }
    Ok(())
}

/// The fields of a struct, as it shows itself.
#[derive(Default)]
struct Fields {
    fields: Vec<(Option<&'static str>, PartAt)>,
    /// Whether it shows itself as anything but a struct.
    is_other: bool,
}

impl Fields {
    fn of<S: Serialize>(value: &S) -> Self {
        let mut fields = Self::default();
        fields.is_other = value.serialize(Walk(&mut fields)).is_err();
        fields
    }

    fn names(&self) -> impl Iterator<Item = Option<&'static str>> {
        self.fields.iter().map(|(name, _)| *name)
    }
}

impl Visit for Fields {
    fn visit<T: Serialize + ?Sized>(&mut self, name: Option<&'static str>, value: &T) {
        self.fields.push((name, PartAt::of(value)));
    }
}

/// One field of a struct, as the struct shows it.
struct Named<'a, S> {
    of: &'a S,
    name: &'static str,
}

impl<S: Serialize> Serialize for Named<'_, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut pick = Pick { name: self.name, serializer: Some(serializer), result: None };
        let _ = self.of.serialize(Walk(&mut pick));
        pick.result.unwrap_or_else(|| Err(Z::Error::custom("a field is there and is not")))
    }
}

struct Pick<Z: Serializer> {
    name: &'static str,
    serializer: Option<Z>,
    result: Option<Result<Z::Ok, Z::Error>>,
}

impl<Z: Serializer> Visit for Pick<Z> {
    fn visit<T: Serialize + ?Sized>(&mut self, name: Option<&'static str>, value: &T) {
        if name == Some(self.name)
            && let Some(serializer) = self.serializer.take()
        {
            self.result = Some(value.serialize(serializer));
        }
    }
}

trait Visit {
    /// Of a struct that is shown as its only field, the name is none.
    fn visit<T: Serialize + ?Sized>(&mut self, name: Option<&'static str>, value: &T);
}

/// Goes through the fields of a struct, and through nothing else.
struct Walk<'v, V>(&'v mut V);

#[derive(Debug)]
struct NoStruct;

impl Display for NoStruct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no struct")
    }
}

impl std::error::Error for NoStruct {}

impl Error for NoStruct {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl<V: Visit> SerializeStruct for Walk<'_, V> {
    type Ok = ();
    type Error = NoStruct;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NoStruct> {
        self.0.visit(Some(name), value);
        Ok(())
    }

    fn end(self) -> Result<(), NoStruct> {
        Ok(())
    }
}

macro_rules! no_struct {
    ($($method:ident($($type:ty),*))*) => {$(
        fn $method(self $(, _: $type)*) -> Result<(), NoStruct> {
            Err(NoStruct)
        }
    )*};
}

macro_rules! no_compound {
    ($($method:ident($($type:ty),*) $compound:ident)*) => {$(
        fn $method(self $(, _: $type)*) -> Result<Self::$compound, NoStruct> {
            Err(NoStruct)
        }
    )*};
}

impl<V: Visit> Serializer for Walk<'_, V> {
    type Ok = ();
    type Error = NoStruct;
    type SerializeSeq = Impossible<(), NoStruct>;
    type SerializeTuple = Impossible<(), NoStruct>;
    type SerializeTupleStruct = Impossible<(), NoStruct>;
    type SerializeTupleVariant = Impossible<(), NoStruct>;
    type SerializeMap = Impossible<(), NoStruct>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), NoStruct>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NoStruct> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoStruct> {
        self.0.visit(None, value);
        Ok(())
    }

    no_struct! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32)
        serialize_i64(i64) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32)
        serialize_u64(u64) serialize_f32(f32) serialize_f64(f64) serialize_char(char)
        serialize_str(&str) serialize_bytes(&[u8]) serialize_none() serialize_unit()
        serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    no_compound! {
        serialize_seq(Option<usize>) SerializeSeq
        serialize_tuple(usize) SerializeTuple
        serialize_tuple_struct(&'static str, usize) SerializeTupleStruct
        serialize_tuple_variant(&'static str, u32, &'static str, usize) SerializeTupleVariant
        serialize_map(Option<usize>) SerializeMap
        serialize_struct_variant(&'static str, u32, &'static str, usize) SerializeStructVariant
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), NoStruct> {
        Err(NoStruct)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NoStruct> {
        Err(NoStruct)
    }
}
