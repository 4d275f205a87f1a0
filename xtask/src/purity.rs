//! The check behind "`aper` is pure": no clock, no randomness of the system's,
//! no tokio, no files, no network, no threads.
//!
//! A build for the browser does not prove it: there the standard library has
//! all of these too, and they fail when called. So two other things are looked
//! at: which crates `aper` is built from, which is a list of those that
//! somebody has thought about, and which names of the standard library its
//! source uses ([`source`]).

mod source;

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::command::Run;
use crate::{layout, report};

const CRATE: &str = "aper";

/// What `aper` may be built from, on any target, procedural macros aside. Add
/// to it only what touches nothing outside its arguments; in particular not
/// `chrono`, `getrandom`, `mio`, `rand`, `time` or `tokio`.
const KNOWN: &[&str] = &[
    "aper",
    "archery",
    "bincode",
    "bytemuck",
    "equivalent",
    "futures",
    "futures-channel",
    "futures-core",
    "futures-io",
    "futures-sink",
    "futures-task",
    "futures-util",
    "imbl",
    "imbl-sized-chunks",
    "memchr",
    "pin-project-lite",
    "ppv-lite86",
    "rand_chacha",
    "rand_core",
    "rand_xoshiro",
    "safe_arch",
    "serde",
    "serde_core",
    "slab",
    "thiserror",
    "twox-hash",
    "unty",
    "uuid",
    "wide",
    "zerocopy",
];

/// Checks the crate.
///
/// # Errors
/// With everything that is impure.
pub(crate) fn check() -> Result<()> {
    let mut faults = unknown_crates(&tree()?);
    let scan = source::scan(&layout::root().join(CRATE).join("src/lib.rs"))?;
    faults.extend(scan.faults);
    if !faults.is_empty() {
        bail!("{CRATE} must be pure, but:\n  {}", faults.join("\n  "));
    }
    report::note(&format!("{CRATE}: {} files use nothing impure", scan.files));
    Ok(())
}

/// Every crate that `aper` is built from: on every target, with the features
/// that reach a browser or a simulation. The feature `typescript` is absent:
/// it exists for the build of the npm package alone.
fn tree() -> Result<String> {
    Run::new(layout::cargo())
        .dir(layout::root())
        .args(["tree", "--package", CRATE, "--features", "derive,testing", "--target", "all"])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .called("cargo tree")
        .read()
}

fn unknown_crates(tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names
        .into_iter()
        .filter(|name| !KNOWN.contains(name))
        .map(|name| format!("it is built from `{name}`, which is not on the list in {}", file!()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_nobody_has_thought_about_is_found() {
        let tree = "aper v0.1.0 (/somewhere)\nserde v1.0.0\ntokio v1.0.0\nserde v1.0.0 (*)\n";
        let faults = unknown_crates(tree);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("`tokio`"), "{faults:?}");
    }
}
