//! TypeScript's types of a machine, from its Rust types. For the machine that
//! builds the package.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use aper::{StateMachine, WithPresence};
use ts_rs::{Config, TS, TypeVisitor};

/// Writes the types of `S` to the file that `APER_TYPES_OUT` names; does
/// nothing when there is no such variable.
///
/// ```
/// use aper::collections::Counter;
/// use aper_client_wasm::typescript::write_types;
///
/// // The body of the test that `export_client!` makes.
/// write_types::<Counter>();
/// ```
///
/// # Panics
///
/// When the types cannot be declared, or the file cannot be written: this is
/// a test's body.
pub fn write_types<S>()
where
    S: StateMachine + TS,
    S::Transition: TS,
    S::Conflict: TS,
{
    write(declarations::<S>);
}

/// The same for a machine whose clients show each other something.
///
/// ```
/// use aper::collections::Counter;
/// use aper::{StateMachine, WithPresence};
/// use aper_client_wasm::typescript::write_types_with_presence;
/// use serde::{Deserialize, Serialize};
/// use ts_rs::TS;
///
/// #[derive(Clone, Default, Serialize, Deserialize, StateMachine, TS)]
/// #[machine(presence = String, derive(TS))]
/// struct Room {
///     visits: Counter,
/// }
///
/// // The body of the test that `export_client!` makes of such a machine.
/// write_types_with_presence::<Room>();
/// ```
///
/// # Panics
///
/// As [`write_types`].
pub fn write_types_with_presence<S>()
where
    S: WithPresence + TS,
    S::Transition: TS,
    S::Conflict: TS,
    S::Presence: TS,
{
    write(declarations_with_presence::<S>);
}

fn write(declarations: fn() -> String) {
    let Some(path) = std::env::var_os("APER_TYPES_OUT") else { return };
    let path = std::path::PathBuf::from(path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("the directory of APER_TYPES_OUT can be made");
    }
    std::fs::write(&path, declarations()).expect("APER_TYPES_OUT can be written");
}

/// The text of `types.d.ts`: `State`, `Transition` and `Conflict`, and
/// everything that they name; and `Presence`, of which there is none.
///
/// ```
/// use aper::collections::Counter;
/// use aper_client_wasm::typescript::declarations;
///
/// let text = declarations::<Counter>();
/// assert!(text.contains("export type State = number;"), "{text}");
/// assert!(text.contains("export type Transition = { Add: number } | { Set: number };"));
/// ```
///
/// # Panics
///
/// When two types have the same name in TypeScript: one of them needs a
/// `#[ts(rename = "...")]`.
#[must_use]
pub fn declarations<S>() -> String
where
    S: StateMachine + TS,
    S::Transition: TS,
    S::Conflict: TS,
{
    text::<S>(Types::new(), "never".to_owned())
}

/// The same for a machine whose clients show each other something.
///
/// ```
/// use aper::collections::Counter;
/// use aper::{StateMachine, WithPresence};
/// use aper_client_wasm::typescript::declarations_with_presence;
/// use serde::{Deserialize, Serialize};
/// use ts_rs::TS;
///
/// #[derive(Clone, Default, Serialize, Deserialize, StateMachine, TS)]
/// #[machine(presence = Cursor, derive(TS))]
/// struct Room {
///     visits: Counter,
/// }
///
/// #[derive(Clone, Debug, Serialize, Deserialize, TS)]
/// struct Cursor {
///     x: i32,
///     y: i32,
/// }
///
/// let text = declarations_with_presence::<Room>();
/// assert!(text.contains("export type Presence = Cursor;"), "{text}");
/// assert!(text.contains("export type Cursor = { x: number, y: number, };"), "{text}");
/// ```
///
/// # Panics
///
/// As [`declarations`].
#[must_use]
pub fn declarations_with_presence<S>() -> String
where
    S: WithPresence + TS,
    S::Transition: TS,
    S::Conflict: TS,
    S::Presence: TS,
{
    let mut types = Types::new();
    types.visit::<S::Presence>();
    let presence = <S::Presence as TS>::name(&types.config);
    text::<S>(types, presence)
}

fn text<S>(mut types: Types, presence: String) -> String
where
    S: StateMachine + TS,
    S::Transition: TS,
    S::Conflict: TS,
{
    types.visit::<S>();
    types.visit::<S::Transition>();
    types.visit::<S::Conflict>();
    let aliases = [
        ("State", "The state, as everybody sees it.", <S as TS>::name(&types.config)),
        ("Transition", "What can be submitted.", <S::Transition as TS>::name(&types.config)),
        ("Conflict", "Why it may be refused.", <S::Conflict as TS>::name(&types.config)),
        ("Presence", "What clients show each other while they are here.", presence),
    ];
    let mut text = format!(
        "// The types of the machine `{}`, made from its Rust types by ts-rs. Do not edit.\n",
        S::NAME
    );
    for (alias, docs, name) in aliases {
        if alias == name {
            continue;
        }
        assert!(
            !types.declared.contains_key(alias),
            "a part of the machine `{}` is called `{alias}` in TypeScript, which is the name of \
             the package's own type: give it another with #[ts(rename = \"...\")]",
            S::NAME
        );
        let _ = write!(text, "\n/** {docs} */\nexport type {alias} = {name};\n");
    }
    for declaration in types.declared.values() {
        let _ = write!(text, "\n{declaration}\n");
    }
    text
}

struct Types {
    config: Config,
    /// By their names.
    declared: BTreeMap<String, String>,
    visited: HashSet<TypeId>,
}

impl Types {
    fn new() -> Self {
        Self {
            // Values cross as JavaScript numbers, see `export`.
            config: Config::new().with_large_int("number"),
            declared: BTreeMap::new(),
            visited: HashSet::new(),
        }
    }
}

impl TypeVisitor for Types {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.visited.insert(TypeId::of::<T>()) {
            return;
        }
        // Only what has a declaration of its own has a path.
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}", T::decl(&self.config));
            let name = T::ident(&self.config);
            let earlier = self.declared.insert(name.clone(), declaration.clone());
            assert!(
                earlier.is_none_or(|earlier| earlier == declaration),
                "two types are called `{name}` in TypeScript: give one of them another name \
                 with #[ts(rename = \"...\")]"
            );
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[cfg(test)]
mod tests {
    use aper::{Context, NeverConflict};
    use serde::{Deserialize, Serialize};

    use super::*;

    macro_rules! machine {
        ($state:ident) => {
            impl StateMachine for $state {
                const NAME: &'static str = "test";
                type Transition = Transition;
                type Conflict = NeverConflict;

                fn apply(&mut self, _: &Transition, _: &Context) -> Result<(), NeverConflict> {
                    Ok(())
                }
            }
        };
    }

    /// Something.
    #[derive(Clone, Debug, Serialize, Deserialize, TS)]
    struct Transition(u64);

    #[derive(Clone, Serialize, Deserialize, TS)]
    struct Good {
        items: Vec<Item>,
        total: i64,
    }

    #[derive(Clone, Serialize, Deserialize, TS)]
    struct Item {
        name: Option<String>,
    }

    #[derive(Clone, Serialize, Deserialize, TS)]
    struct Confused {
        ours: Item,
        theirs: other::Item,
    }

    #[derive(Clone, Serialize, Deserialize, TS)]
    struct Shadowing {
        state: other::State,
    }

    mod other {
        use super::*;

        #[derive(Clone, Serialize, Deserialize, TS)]
        pub(super) struct Item {
            number: u8,
        }

        #[derive(Clone, Serialize, Deserialize, TS)]
        pub(super) struct State {
            number: u8,
        }
    }

    machine!(Good);
    machine!(Confused);
    machine!(Shadowing);

    #[test]
    fn everything_that_is_named_is_declared_once() {
        let text = declarations::<Good>();
        for wanted in [
            "export type State = Good;",
            "export type Conflict = NeverConflict;",
            "export type Presence = never;",
            "export type NeverConflict = never;",
            "/**\n * Something.\n */\nexport type Transition = number;",
            "export type Good = { items: Array<Item>, total: number, };",
            "export type Item = { name: string | null, };",
        ] {
            assert_eq!(text.matches(wanted).count(), 1, "`{wanted}` in\n{text}");
        }
    }

    #[test]
    #[should_panic(expected = "two types are called `Item` in TypeScript")]
    fn two_types_of_one_name_are_refused() {
        let _ = declarations::<Confused>();
    }

    #[test]
    #[should_panic(expected = "a part of the machine `test` is called `State` in TypeScript")]
    fn a_type_that_would_hide_the_package_s_is_refused() {
        let _ = declarations::<Shadowing>();
    }
}
