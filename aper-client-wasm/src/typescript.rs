//! TypeScript's types of a machine, from its Rust types. For the machine that
//! builds the package.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use aper::StateMachine;
use ts_rs::{Config, TS, TypeVisitor};

/// Writes the types of `S` to the file that `APER_TYPES_OUT` names; does
/// nothing when there is no such variable.
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
    let Some(path) = std::env::var_os("APER_TYPES_OUT") else { return };
    let path = std::path::PathBuf::from(path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("the directory of APER_TYPES_OUT can be made");
    }
    std::fs::write(&path, declarations::<S>()).expect("APER_TYPES_OUT can be written");
}

/// The text of `types.d.ts`: `State`, `Transition` and `Conflict`, and
/// everything that they name.
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
    let mut types = Types {
        // Values cross as JavaScript numbers, see `export`.
        config: Config::new().with_large_int("number"),
        declared: BTreeMap::new(),
        visited: HashSet::new(),
    };
    types.visit::<S>();
    types.visit::<S::Transition>();
    types.visit::<S::Conflict>();
    let aliases = [
        ("State", "The state, as everybody sees it.", <S as TS>::name(&types.config)),
        ("Transition", "What can be submitted.", <S::Transition as TS>::name(&types.config)),
        ("Conflict", "Why it may be refused.", <S::Conflict as TS>::name(&types.config)),
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
