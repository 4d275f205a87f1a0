//! Finds impure names of the standard library in a crate's source.
//!
//! It follows the module tree from `lib.rs`, so it sees what is compiled, and
//! leaves out what is only there for `cfg(test)`. Names are compared, not
//! resolved: therefore importing a module that *contains* something impure
//! (`use std::time`, a glob, a new name for `std`) is a fault as well; nothing
//! impure can then be reached under a short name. Arguments of macros are
//! searched as plain tokens.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemExternCrate, ItemMod, ItemUse, Macro, UseTree};

/// What a state machine and its replicas may not touch. A hash map of the
/// standard library takes its seed from the system and iterates in an order of
/// its own on every machine.
const IMPURE: &[&str] = &[
    "imbl::HashMap",
    "imbl::HashSet",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
    "std::env",
    "std::fs",
    "std::hash::RandomState",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::process",
    "std::random",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
];

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) files: usize,
    pub(super) faults: Vec<String>,
}

/// Searches a crate from its root file.
///
/// # Errors
/// If a file cannot be read or parsed.
pub(super) fn scan(root: &Path) -> Result<Scan> {
    let mut scan = Scan::default();
    let directory = root.parent().unwrap_or(Path::new("."));
    let mut files = vec![(root.to_owned(), directory.to_owned())];
    while let Some((path, directory)) = files.pop() {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let found = scan_text(&text).with_context(|| format!("cannot read {}", path.display()))?;
        scan.files += 1;
        scan.faults.extend(found.faults.iter().map(|f| format!("{}: {f}", path.display())));
        for module in found.modules {
            files.push(module_file(&directory.join(module))?);
        }
    }
    scan.faults.sort();
    Ok(scan)
}

/// The file of a module, and the directory of its own modules.
fn module_file(module: &Path) -> Result<(PathBuf, PathBuf)> {
    let candidates = [module.with_extension("rs"), module.join("mod.rs")];
    let file = candidates.into_iter().find(|file| file.is_file());
    let file = file.with_context(|| format!("there is no file for {}", module.display()))?;
    Ok((file, module.to_owned()))
}

/// What one file holds.
#[derive(Debug, Default)]
struct Found {
    faults: Vec<String>,
    /// Modules in files of their own, relative to this one's directory.
    modules: Vec<PathBuf>,
    /// The inline modules that the search is inside of.
    inside: PathBuf,
}

fn scan_text(text: &str) -> Result<Found> {
    let mut found = Found::default();
    found.visit_file(&syn::parse_file(text)?);
    Ok(found)
}

impl Found {
    fn used(&mut self, path: &str) {
        if is_impure(path) {
            self.faults.push(format!("`{path}`"));
        }
    }

    fn imported(&mut self, path: &str) {
        let contains = |impure: &&&str| impure.strip_prefix(path).is_some_and(is_continued);
        if let Some(impure) = IMPURE.iter().find(contains) {
            self.faults.push(format!("an import of `{path}`, which contains `{impure}`"));
        }
        self.used(path);
    }

    fn imports(&mut self, tree: &UseTree, before: &str) {
        let join = |name: &dyn std::fmt::Display| match before {
            "" => name.to_string(),
            before => format!("{before}::{name}"),
        };
        match tree {
            UseTree::Path(path) => self.imports(&path.tree, &join(&path.ident)),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.imports(tree, before));
            }
            UseTree::Glob(_) => self.imported(before),
            UseTree::Name(name) if name.ident == "self" => self.imported(before),
            UseTree::Name(name) => self.imported(&join(&name.ident)),
            UseTree::Rename(rename) if rename.ident == "self" => self.imported(before),
            UseTree::Rename(rename) => self.imported(&join(&rename.ident)),
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = String::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 && !path.is_empty() => {
                    path.push_str(&format!("::{name}"))
                }
                TokenTree::Ident(name) => {
                    self.used(&path);
                    path = name.to_string();
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    // `use std::{fs, net}` in a macro: each is a continuation.
                    if colons == 2 {
                        self.imported(&path);
                    }
                    self.used(&path);
                    path.clear();
                    self.tokens(group.stream());
                }
                _ => {
                    self.used(&path);
                    path.clear();
                }
            }
            colons = 0;
        }
        self.used(&path);
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_only_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let name = module.ident.to_string();
        if module.content.is_none() {
            self.modules.push(self.inside.join(name));
            return;
        }
        self.inside.push(name);
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.imports(&item.tree, "");
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        if item.rename.is_some() {
            self.imported(&item.ident.to_string());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.used(&names.join("::"));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

/// Whether a path is, or is inside of, something impure.
fn is_impure(path: &str) -> bool {
    IMPURE.iter().any(|impure| {
        path.strip_prefix(impure).is_some_and(|rest| rest.is_empty() || is_continued(rest))
    })
}

fn is_continued(rest: &str) -> bool {
    rest.starts_with("::")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, and `#[cfg(all(test, ...))]`.
fn is_only_for_tests(attribute: &Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string().replace(' ', "");
    list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all(test,"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> usize {
        scan_text(text).unwrap().faults.len()
    }

    #[test]
    fn pure_source_is_left_alone() {
        for text in [
            "use std::time::Duration;",
            "use std::collections::{BTreeMap, BTreeSet, VecDeque};",
            "fn f() -> std::time::Duration { core::time::Duration::ZERO }",
            "/// std::fs::read is what this never calls\nfn f() {}",
            "use crate::fs; fn f() { fs::read() }",
            "fn f() { let s = \"std::fs\"; assert_eq!(s, \"std::env\"); }",
            "#[cfg(test)] mod tests { use std::fs; }",
            "#[cfg(all(test, unix))] use std::fs;",
        ] {
            assert_eq!(faults(text), 0, "{text}");
        }
    }

    #[test]
    fn every_way_to_something_impure_is_found() {
        for text in [
            "use std::fs;",
            "use std::fs::File;",
            "use std::{fmt, net::TcpStream};",
            "use std::time::{Duration, Instant};",
            "use std::time::SystemTime as Clock;",
            "use ::std::thread;",
            "pub use std::env::*;",
            "fn f() { std::thread::sleep(x) }",
            "fn f(now: std::time::Instant) {}",
            "fn f() { let x = <std::time::SystemTime>::now(); }",
            "struct S { map: std::collections::HashMap<u8, u8> }",
            "fn f() { println!(\"{:?}\", std::time::Instant::now()) }",
            "macro_rules! m { () => { ::std::fs::read(\"x\") } }",
            "mod inner { use std::process::Command; }",
            "#[cfg(not(test))] use std::fs;",
        ] {
            assert_eq!(faults(text), 1, "{text}");
        }
    }

    #[test]
    fn no_detour_leads_there() {
        for text in [
            "use std::time; fn f() { time::Instant::now(); }",
            "use std::*; fn f() { fs::read() }",
            "use std::time::*;",
            "use std as pure;",
            "use std::{self as pure};",
            "extern crate std as pure;",
            "use std::collections;",
            "macro_rules! m { () => { use std::{fs}; } }",
        ] {
            assert!(faults(text) > 0, "{text}");
        }
    }

    #[test]
    fn modules_in_files_are_followed_and_test_modules_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("lib.rs", "mod a; mod b { mod c; } #[cfg(test)] mod tests;");
        write("a.rs", "mod deep;");
        write("a/deep/mod.rs", "use std::fs;");
        write("b/c.rs", "use std::net;");
        write("tests.rs", "use std::env;");
        let scan = scan(&directory.path().join("lib.rs")).unwrap();
        assert_eq!(scan.files, 4);
        assert_eq!(scan.faults.len(), 2, "{:?}", scan.faults);
    }
}
