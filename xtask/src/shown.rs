//! Whether every public item is shown in an example, by rustdoc's own
//! description of a crate.
//!
//! A type, a trait, a function or a macro is shown when it has an example, or
//! is named in one anywhere in its crate. A method is shown when it has one, or
//! is named in one of its type, of its neighbours, or of the modules around.
//! Constants, fields and variants are shown by what they belong to.
//!
//! The description, JSON, is not stable yet: `RUSTC_BOOTSTRAP=1` lets a stable
//! rustdoc give it. Cargo must not see that variable, or it would build every
//! dependency anew, so this program stands in for rustdoc and adds it.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use crate::command::Run;
use crate::{layout, report};

/// In the environment of a process that is to be rustdoc: the real one.
const STANDS_IN_FOR: &str = "APER_STANDS_IN_FOR";

/// The crates that applications depend on. (What `aper-derive` makes is shown
/// in `aper`.)
const CRATES: &[&str] = &[
    "aper",
    "aper-document",
    "aper-client",
    "aper-client-wasm",
    "aper-leptos",
    "aper-npm",
    "aper-server",
    "aper-yew",
];

/// What has an example of its own, or is named in one.
const SHOWN: &[&str] = &["struct", "enum", "union", "trait", "function", "macro", "proc_macro"];

/// Has rustdoc look at these packages, for whom a link that leads nowhere and
/// any other warning is an error, and checks the crates.
///
/// # Errors
/// With every item that no example shows, and when rustdoc fails.
pub(crate) fn check(packages: &[&str]) -> Result<()> {
    describe(packages)?;
    let mut unshown = Vec::new();
    for name in CRATES {
        let described = description(name)?;
        let (items, missing) = Crate::of(&described)?.look();
        report::note(&format!(
            "{name}: {} of {items} public items are in examples",
            items - missing.len()
        ));
        unshown.extend(missing);
    }
    judge(&unshown)
}

fn judge(unshown: &[String]) -> Result<()> {
    if !unshown.is_empty() {
        bail!(
            "no example shows {}: add one to its documentation, or to its type's, of what it is \
             for, or hide it, with the reason, if nobody outside should use it",
            unshown.join(", ")
        );
    }
    Ok(())
}

/// Is rustdoc, if this process was started as such.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let rustdoc = std::env::var_os(STANDS_IN_FOR)?;
    let run = Command::new(rustdoc)
        .args(std::env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove(STANDS_IN_FOR)
        .status();
    Some(if run.is_ok_and(|status| status.success()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// All in one go: alone, each would have its dependencies built with its own
/// choice of their features.
fn describe(packages: &[&str]) -> Result<()> {
    Run::new(layout::cargo())
        .dir(layout::root())
        .args(["doc", "--no-deps"])
        .args(packages)
        .env("RUSTDOCFLAGS", "-D warnings -Zunstable-options --output-format json")
        .env("RUSTDOC", std::env::current_exe()?)
        .env(STANDS_IN_FOR, std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .called("cargo doc")
        .show()
}

/// Where cargo has documentation put.
fn description(name: &str) -> Result<Value> {
    let file = layout::products().join("doc").join(name.replace('-', "_")).with_extension("json");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("rustdoc wrote no {}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// A crate as rustdoc describes it.
struct Crate<'a> {
    root: String,
    index: &'a Map<String, Value>,
    /// Every word of every example.
    words: BTreeSet<&'a str>,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    seen: BTreeSet<String>,
    items: usize,
    unshown: Vec<String>,
}

impl<'a> Crate<'a> {
    fn of(described: &'a Value) -> Result<Self> {
        let index = described["index"].as_object().context("rustdoc describes no items")?;
        let own = index.values().filter(|item| item["crate_id"] == 0);
        Ok(Self {
            root: described["root"].to_string(),
            index,
            words: own.flat_map(words).collect(),
        })
    }

    /// How many public items there are, and which of them no example shows.
    fn look(&self) -> (usize, Vec<String>) {
        let mut found = Found::default();
        self.visit(&self.root, None, "", &BTreeSet::new(), &mut found);
        (found.items, found.unshown)
    }

    fn item(&self, id: &Value) -> Option<&'a Value> {
        self.index.get(&id.to_string()).filter(|item| item["crate_id"] == 0)
    }

    /// Looks at an item, under the name by which it is public. `around` are the
    /// words in the examples of the modules that it is in.
    fn visit(
        &self,
        id: &str,
        name: Option<&str>,
        path: &str,
        around: &BTreeSet<&'a str>,
        found: &mut Found,
    ) {
        let Some(item) = self.index.get(id).filter(|item| item["crate_id"] == 0) else { return };
        let Some((kind, inner)) = kind(item) else { return };
        if kind == "use" {
            let target = inner["id"].to_string();
            return match inner["is_glob"].as_bool() {
                Some(true) => self.visit_all(self.index.get(&target), path, around, found),
                _ => self.visit(&target, inner["name"].as_str(), path, around, found),
            };
        }
        if !found.seen.insert(id.to_owned()) {
            return;
        }
        let name = name.or(item["name"].as_str()).unwrap_or_default();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") };
        if kind == "module" {
            let around = around.iter().copied().chain(words(item)).collect();
            return self.visit_all(Some(item), &path, &around, found);
        }
        if SHOWN.contains(&kind) {
            found.look_at(&path, has_example(item) || self.words.contains(name));
            self.visit_methods(item, &path, around, found);
        }
    }

    fn visit_all(
        &self,
        module: Option<&'a Value>,
        path: &str,
        around: &BTreeSet<&'a str>,
        found: &mut Found,
    ) {
        let items =
            module.into_iter().filter_map(|item| item["inner"]["module"]["items"].as_array());
        for id in items.flatten() {
            if self.item(id).is_some_and(|item| item["visibility"] == "public") {
                self.visit(&id.to_string(), None, path, around, found);
            }
        }
    }

    fn visit_methods(
        &self,
        item: &'a Value,
        path: &str,
        around: &BTreeSet<&'a str>,
        found: &mut Found,
    ) {
        let Some((kind, inner)) = kind(item) else { return };
        let list = |value: &'a Value| value.as_array().into_iter().flatten();
        let blocks = list(&inner["impls"]).filter_map(|id| self.item(id));
        let blocks: Vec<_> =
            blocks.filter(|block| block["inner"]["impl"]["trait"].is_null()).collect();
        let ids = blocks.iter().flat_map(|block| list(&block["inner"]["impl"]["items"]));
        let methods =
            ids.chain(list(&inner["items"])).filter_map(|id| self.item(id)).filter(|it| {
                it["inner"]["function"].is_object()
                    && (kind == "trait" || it["visibility"] == "public")
            });
        let methods: Vec<_> = methods.collect();
        let documented = blocks.iter().copied().chain(methods.iter().copied()).chain([item]);
        let words: BTreeSet<&str> = documented.flat_map(words).collect();
        for method in methods {
            let name = method["name"].as_str().unwrap_or_default();
            let is_named = words.contains(name) || around.contains(name);
            found.look_at(&format!("{path}::{name}"), has_example(method) || is_named);
        }
    }
}

impl Found {
    fn look_at(&mut self, path: &str, is_shown: bool) {
        self.items += 1;
        if !is_shown {
            self.unshown.push(path.to_owned());
        }
    }
}

fn kind(item: &Value) -> Option<(&str, &Value)> {
    item["inner"].as_object()?.iter().next().map(|(kind, inner)| (kind.as_str(), inner))
}

fn has_example(item: &Value) -> bool {
    words(item).next().is_some()
}

/// The words in the examples of an item's documentation.
fn words(item: &Value) -> impl Iterator<Item = &str> {
    let lines = item["docs"].as_str().unwrap_or_default().lines();
    let mut language = None;
    let code = lines.filter(move |line| match (line.trim_start().strip_prefix("```"), language) {
        (Some(opened), None) => {
            language = Some(is_rust(opened));
            false
        }
        (Some(_), Some(_)) => {
            language = None;
            false
        }
        (None, language) => language == Some(true),
    });
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.flat_map(move |line| line.split(move |c| !is_part(c))).filter(|word| !word.is_empty())
}

/// Whether a block of this description is compiled as Rust.
fn is_rust(description: &str) -> bool {
    let compiled = ["", "rust", "no_run", "should_panic", "compile_fail"];
    description.split([',', ' ']).all(|word| compiled.contains(&word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A crate of one module, which is private, and its type with two methods,
    /// which is public under another name.
    fn looked(type_docs: &str, method_docs: &str) -> Vec<String> {
        let function = |name: &str, docs: &str| {
            json!({"crate_id": 0, "name": name, "visibility": "public", "docs": docs,
                   "inner": {"function": {}}})
        };
        let described = json!({"root": 0, "index": {
            "0": {"crate_id": 0, "name": "it", "visibility": "public", "docs": null,
                  "inner": {"module": {"items": [1, 2]}}},
            "1": {"crate_id": 0, "name": "inner", "visibility": "default", "docs": null,
                  "inner": {"module": {"items": [3]}}},
            "2": {"crate_id": 0, "name": null, "visibility": "public", "docs": null,
                  "inner": {"use": {"id": 3, "name": "Door", "is_glob": false}}},
            "3": {"crate_id": 0, "name": "Gate", "visibility": "public", "docs": type_docs,
                  "inner": {"struct": {"impls": [4]}}},
            "4": {"crate_id": 0, "name": null, "visibility": "default", "docs": null,
                  "inner": {"impl": {"trait": null, "items": [5, 6]}}},
            "5": function("open", method_docs),
            "6": function("close", ""),
        }});
        Crate::of(&described).unwrap().look().1
    }

    #[test]
    fn what_no_example_names_is_told() {
        assert_eq!(looked("A door.", ""), ["it::Door", "it::Door::open", "it::Door::close"]);
        let text = "```text\nDoor open close\n```";
        assert_eq!(looked(text, "").len(), 3, "that is no Rust");
    }

    #[test]
    fn whatever_is_not_shown_fails_the_check_by_its_name() {
        judge(&looked("```\nDoor.open().close()\n```", "")).unwrap();
        let error = judge(&looked("A door.", "")).unwrap_err().to_string();
        let named = "no example shows it::Door, it::Door::open, it::Door::close: add one";
        assert!(error.starts_with(named), "{error}");
    }

    #[test]
    fn an_example_shows_its_item_and_those_that_it_names() {
        assert_eq!(looked("```\ndoor.open();\n```", ""), ["it::Door::close"]);
        assert_eq!(looked("", "```no_run\nDoor.close();\n```"), [""; 0]);
        assert_eq!(looked("", "```\nlet x = 1;\n```\nclose"), ["it::Door", "it::Door::close"]);
    }
}
