//! What a document's types are in TypeScript. `Transition`, `Conflict` and
//! their parts are derived; these are the ones whose serde is written by hand.

use std::collections::BTreeMap;

use aper::collections::ItemId;
use ts_rs::{Config, TS, TypeVisitor};

use crate::{Document, Json, Path, Step, Value};

/// Any JSON value.
#[derive(TS)]
#[ts(rename = "Json", untagged)]
#[expect(dead_code, reason = "only its declaration is of use")]
enum PlainJson {
    Null(()),
    Boolean(bool),
    Number(f64),
    Text(String),
    Array(Vec<PlainJson>),
    Object(BTreeMap<String, PlainJson>),
}

/// What a transition puts into a document, with the kind that it is of: the
/// plain JSON of the state does not tell a list from an array.
#[derive(TS)]
#[ts(rename = "Value", rename_all = "camelCase")]
#[expect(dead_code, reason = "only its declaration is of use")]
enum TaggedValue {
    Json(PlainJson),
    Object(BTreeMap<String, TaggedValue>),
    List(Vec<TaggedItem>),
    Counter(f64),
}

/// An item of a list, to be put into a document.
#[derive(TS)]
#[ts(rename = "TaggedItem")]
#[expect(dead_code, reason = "only its declaration is of use")]
struct TaggedItem {
    id: ItemId,
    value: TaggedValue,
}

/// Implements `TS` for a type that is written as another one.
macro_rules! as_another {
    ($type:ty, $other:ty) => {
        impl TS for $type {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(config: &Config) -> String {
                <$other>::name(config)
            }

            fn inline(config: &Config) -> String {
                <$other>::name(config)
            }

            fn visit_dependencies(visitor: &mut impl TypeVisitor)
            where
                Self: 'static,
            {
                visitor.visit::<$other>();
                <$other>::visit_generics(visitor);
            }

            fn visit_generics(visitor: &mut impl TypeVisitor)
            where
                Self: 'static,
            {
                Self::visit_dependencies(visitor);
            }
        }
    };
}

as_another!(Json, PlainJson);
as_another!(Value, TaggedValue);
as_another!(Document, BTreeMap<String, PlainJson>);
as_another!(Step, String);
as_another!(Path, Vec<String>);
