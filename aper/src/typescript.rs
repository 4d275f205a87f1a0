//! What the core's types are in TypeScript: the text that stands, wherever one
//! of them is used, in the declarations of an application's package.
//!
//! None of them has a declaration of its own, so no name of ours can meet one
//! of the application's in the one file that all declarations are written to.

/// Implements [`ts_rs::TS`] for a type that is written out in place. Its text
/// may speak of other types, by their names; they are listed, for the sake of
/// the declarations of those that have one.
macro_rules! in_place {
    ($type:ty $(, [$($generics:tt)*] uses $($used:ty),+)?; |$config:ident| $text:expr) => {
        impl $(<$($generics)*>)? ts_rs::TS for $type {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            #[allow(unused_variables, reason = "some texts do not depend on it")]
            fn name($config: &ts_rs::Config) -> String {
                $text.to_string()
            }

            fn inline(config: &ts_rs::Config) -> String {
                Self::name(config)
            }

            $(
                fn visit_dependencies(visitor: &mut impl ts_rs::TypeVisitor)
                where
                    Self: 'static,
                {
                    $(
                        visitor.visit::<$used>();
                        <$used as ts_rs::TS>::visit_generics(visitor);
                    )+
                }

                fn visit_generics(visitor: &mut impl ts_rs::TypeVisitor)
                where
                    Self: 'static,
                {
                    Self::visit_dependencies(visitor);
                }
            )?
        }
    };
}

pub(crate) use in_place;

use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, SessionId, UserId, Version};
use crate::time::Timestamp;

// 64 bits wide, and `number` all the same: none of them reaches 2^53, which is
// where a `number` ceases to be exact.
in_place!(Version; |_config| "number");
in_place!(ClientId; |_config| "number");
in_place!(ClientSeq; |_config| "number");
in_place!(Epoch; |_config| "number");
in_place!(Timestamp; |_config| "number");

in_place!(HistoryId; |_config| "string");
in_place!(UserId; |_config| "string");
in_place!(SessionId; |_config| "string");
