//! The npm package of a machine: the module with its glue, the thin TypeScript
//! of `aper-client-wasm/npm` typed with this machine's types, and those types,
//! written from the Rust ones.
//!
//! No dependencies and no scripts: what is in the tarball is all that runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::command::Run;
use crate::layout::{self, Example, VERSION};
use crate::module::{self, GLUE, MODULE};
use crate::stamp::Inputs;
use crate::wasm::Toolchain;
use crate::{node, report};

/// The thin TypeScript and what goes with it.
fn sources() -> PathBuf {
    layout::root().join("aper-client-wasm/npm")
}

/// Makes the packages of these examples, as directories.
///
/// # Errors
/// If a tool fails or a crate does not make what it must.
pub(crate) fn assemble(toolchain: &Toolchain, examples: &[Example]) -> Result<()> {
    let _lock = layout::lock_products()?;
    let modules = module::compile(toolchain, examples)?;
    bind_all(examples, &modules)?;
    write_types(examples)?;
    for example in examples {
        wrap(example).with_context(|| format!("the package of {} failed", example.name))?;
    }
    Ok(())
}

/// Side by side: wasm-opt takes its seconds on one core.
fn bind_all(examples: &[Example], modules: &[PathBuf]) -> Result<()> {
    std::thread::scope(|scope| {
        let pairs = examples.iter().zip(modules);
        let threads: Vec<_> = pairs
            .map(|(example, module)| scope.spawn(move || module::bind(module, example)))
            .collect();
        let mut results = threads.into_iter().map(|thread| match thread.join() {
            Ok(result) => result.map(drop),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.find(Result::is_err).unwrap_or(Ok(()))
    })
}

/// Packs the assembled packages into tarballs.
///
/// # Errors
/// If npm fails.
pub(crate) fn pack(examples: &[Example]) -> Result<()> {
    let _lock = layout::lock_products()?;
    for example in examples {
        let package = Inputs::new().path(&example.package())?;
        package.unless_done(&module::stamp(example, "tarball"), &[example.tarball()], || {
            let pack = node::npm(&example.package())?.args(["pack", "--pack-destination", ".."]);
            pack.called("npm pack").quiet().map(drop)
        })?;
        report::note(&format!("{}", relative(&example.tarball()).display()));
    }
    Ok(())
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix(layout::root()).unwrap_or(path)
}

/// Has every machine write its types: each `web` crate has a test that does
/// so, for only there are the types known.
fn write_types(examples: &[Example]) -> Result<()> {
    let packages =
        examples.iter().flat_map(|example| ["--package".to_owned(), example.web_crate()]);
    let features = examples.iter().map(|example| format!("{}/typescript", example.web_crate()));
    let build = Run::new(layout::cargo())
        .dir(layout::root())
        .args(["test", "--no-run", "--lib", "--features"])
        .arg(features.collect::<Vec<_>>().join(","))
        .args(packages);
    let built = module::artifacts(build)?;
    for example in examples {
        let test = built
            .iter()
            .find(|artifact| {
                artifact.manifest == example.web_manifest() && artifact.executable.is_some()
            })
            .and_then(|artifact| artifact.executable.as_ref())
            .with_context(|| format!("{} has no tests", example.web_crate()))?;
        let types = example.package().join("types.d.ts");
        // A fresh name, so that an old file is not taken for a new one.
        let fresh = types.with_extension("new");
        let _ = fs::remove_file(&fresh);
        Run::new(test)
            .arg("write_types")
            .env("APER_TYPES_OUT", &fresh)
            .called(&example.web_crate())
            .quiet()?;
        if !fresh.is_file() {
            bail!("{} wrote no types; does it call `export_client!`?", example.web_crate());
        }
        fs::rename(&fresh, &types)?;
    }
    Ok(())
}

/// Everything of the package that is neither module nor types.
fn wrap(example: &Example) -> Result<()> {
    let package = example.package();
    let types = package.join("types.d.ts");
    let made = ["index.js", "index.d.ts", "package.json"].map(|file| package.join(file));
    let inputs = Inputs::new()
        .fact(&manifest(example))
        .path(&sources().join("src"))?
        .path(&sources().join("tsconfig.json"))?
        .path(&sources().join("README.md"))?
        .path(&layout::root().join("LICENSE"))?
        .path(&types)?
        .path(&package.join("machine.d.ts"))?;
    inputs.unless_done(&module::stamp(example, "package"), &made, || {
        report::note(&format!("{}: TypeScript", example.name));
        remove_stale(&package)?;
        compile_typescript(example)?;
        fs::write(package.join("package.json"), manifest(example))?;
        fs::copy(layout::root().join("LICENSE"), package.join("LICENSE"))?;
        let readme = fs::read_to_string(sources().join("README.md"))
            .context("aper-client-wasm/npm has no README.md")?;
        fs::write(package.join("README.md"), readme.replace("{package}", &example.package_name()))?;
        Ok(())
    })?;
    Ok(())
}

/// Removes what an earlier version of the thin TypeScript may have left: the
/// package is all that lies in its directory.
fn remove_stale(package: &Path) -> Result<()> {
    for entry in fs::read_dir(package)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() && ![GLUE, MODULE, "machine.d.ts", "types.d.ts"].contains(&&*name) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Compiles the thin TypeScript in a directory where this machine's types lie
/// beside it; so its public types are this machine's.
fn compile_typescript(example: &Example) -> Result<()> {
    let scratch = layout::products().join("npm-build").join(&example.name);
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    for entry in fs::read_dir(sources().join("src")).context("aper-client-wasm/npm has no src")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The sources bring stand-ins for what a machine provides, for editors.
        if path.is_file() && !["types.d.ts", "machine.d.ts"].contains(&name.as_str()) {
            fs::copy(&path, scratch.join(name))?;
        }
    }
    for provided in ["types.d.ts", "machine.d.ts"] {
        fs::copy(example.package().join(provided), scratch.join(provided))?;
    }
    let config = json!({
        "extends": sources().join("tsconfig.json"),
        "compilerOptions": {
            "noEmit": false, "declaration": true,
            "rootDir": ".", "outDir": example.package(), "paths": {},
        },
        "include": ["*.ts"],
    });
    fs::write(scratch.join("tsconfig.json"), format!("{config:#}\n"))?;
    node::tsc()?.arg("--project").arg(&scratch).show()
}

/// The package's `package.json`: text, because the order matters (of several
/// conditions in `exports` the first that fits is taken).
fn manifest(example: &Example) -> String {
    let snippets = if example.package().join("snippets").is_dir() { ", \"snippets\"" } else { "" };
    format!(
        r#"{{
  "name": "{name}",
  "version": "{VERSION}",
  "description": "The state machine of the example {example}, for the browser",
  "license": "{license}",
  "type": "module",
  "sideEffects": false,
  "exports": {{
    ".": {{
      "types": "./index.d.ts",
      "default": "./index.js"
    }},
    "./{MODULE}": "./{MODULE}",
    "./package.json": "./package.json"
  }},
  "types": "./index.d.ts",
  "files": ["*.js", "*.d.ts", "{MODULE}"{snippets}]
}}
"#,
        name = example.package_name(),
        license = env!("CARGO_PKG_LICENSE"),
        example = example.name,
    )
}

/// The files that a browser loads before it can connect.
pub(crate) fn loaded(example: &Example) -> Result<Vec<(&'static str, Vec<u8>)>> {
    [("module", MODULE), ("glue", GLUE), ("TypeScript", "index.js")]
        .into_iter()
        .map(|(what, file)| {
            let path = example.package().join(file);
            let bytes =
                fs::read(&path).with_context(|| format!("{} is missing", path.display()))?;
            Ok((what, bytes))
        })
        .collect()
}
