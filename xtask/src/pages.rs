//! The examples' pages: checked by TypeScript, bundled by Vite.

use anyhow::{Context as _, Result, bail};

use crate::layout::{self, Package};
use crate::module::Source;
use crate::stamp::Inputs;
use crate::{node, report};

/// Type-checks and bundles the pages of all examples, whose packages and modules
/// must have been made.
///
/// # Errors
/// If a page does not compile, or a tool fails.
pub(crate) fn build(examples: &[Package], front_ends: &[Source]) -> Result<()> {
    let _lock = layout::lock_products()?;
    let root = layout::root();
    let sources = root.join("examples");
    let mut inputs = Inputs::new()
        .path(&root.join("package-lock.json"))?
        .path(&root.join("tsconfig.base.json"))?
        .path(&sources.join("tsconfig.json"))?
        .path(&sources.join("vite.config.ts"))?
        .path(&sources.join("index.html"))?
        .path(&sources.join("shared"))?;
    let mut made = vec![layout::pages().join("index.html")];
    let packages = examples.iter().map(|example| (&example.name, example.directory()));
    let modules = front_ends.iter().map(|source| (&source.name, source.directory.clone()));
    for (name, machine) in packages.chain(modules) {
        inputs = inputs.path(&sources.join(name).join("page"))?.path(&machine)?;
        made.push(layout::pages().join(name).join("index.html"));
    }
    inputs.unless_done(&layout::products().join("stamps/pages"), &made, || {
        report::note("TypeScript, Vite");
        check_types()?;
        node::tool("vite/bin/vite.js")?
            .args(["build", "--config", "examples/vite.config.ts", "--logLevel", "warn"])
            .called("vite build")
            .show()?;
        match made.iter().find(|page| !page.is_file()) {
            Some(page) => bail!("Vite made no {}", page.display()),
            None => Ok(()),
        }
    })?;
    Ok(())
}

fn check_types() -> Result<()> {
    let check = node::tsc()?.args(["--project", "examples"]).called("tsc");
    check.show().context("the pages' TypeScript is wrong")
}
