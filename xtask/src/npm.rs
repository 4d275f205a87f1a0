//! The npm package of a machine: the module with its glue, the thin TypeScript
//! of `aper-client-wasm/npm` typed with this machine's types, and those types,
//! written from the Rust ones.
//!
//! No dependencies and no scripts: what is in the tarball is all that runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use aper_npm::glue::{GLUE, GLUE_TYPES, MODULE};
use aper_npm::manifest::{ENTRIES, Manifest};
use aper_npm::typescript::{self, Check, TYPES};

use crate::command::Run;
use crate::layout::{self, Package, VERSION};
use crate::module::{self, Source};
use crate::stamp::Inputs;
use crate::wasm::Toolchain;
use crate::{node, report};

/// The thin TypeScript and what goes with it.
fn sources() -> PathBuf {
    layout::root().join("aper-client-wasm/npm")
}

/// Makes these packages, as directories.
///
/// # Errors
/// If a tool fails or a crate does not make what it must.
pub(crate) fn assemble(toolchain: &Toolchain, packages: &[Package]) -> Result<()> {
    let _lock = layout::lock_products()?;
    let sources: Vec<Source> = packages.iter().map(Package::source).collect();
    let modules = module::compile(toolchain, &sources)?;
    module::bind_all(&sources, &modules)?;
    write_types(packages)?;
    for package in packages {
        wrap(package).with_context(|| format!("the package of {} failed", package.name))?;
    }
    Ok(())
}

/// Packs the assembled packages into tarballs.
///
/// # Errors
/// If npm fails.
pub(crate) fn pack(packages: &[Package]) -> Result<()> {
    let _lock = layout::lock_products()?;
    for package in packages {
        let inputs = Inputs::new().path(&package.directory())?;
        inputs.unless_done(
            &module::stamp(&package.name, "tarball"),
            &[package.tarball()],
            || {
                let pack =
                    node::npm(&package.directory())?.args(["pack", "--pack-destination", ".."]);
                pack.called("npm pack").quiet().map(drop)
            },
        )?;
        report::note(&format!("{}", relative(&package.tarball()).display()));
    }
    Ok(())
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix(layout::root()).unwrap_or(path)
}

/// Has every machine write its types: each `web` crate has a test that does
/// so, for only there are the types known.
fn write_types(packages: &[Package]) -> Result<()> {
    let features = packages.iter().map(|package| format!("{}/typescript", package.web_crate()));
    let build = Run::new(layout::cargo())
        .dir(layout::root())
        .args(["test", "--no-run", "--lib", "--features"])
        .arg(features.collect::<Vec<_>>().join(","))
        .args(packages.iter().flat_map(|p| ["--package".to_owned(), p.web_crate()]));
    let built = module::artifacts(build)?;
    for package in packages {
        let test = built
            .iter()
            .find(|artifact| {
                artifact.manifest == package.web_manifest() && artifact.executable.is_some()
            })
            .and_then(|artifact| artifact.executable.as_ref())
            .with_context(|| format!("{} has no tests", package.web_crate()))?;
        let types = package.directory().join(TYPES);
        // A fresh name, so that an old file is not taken for a new one.
        let fresh = types.with_extension("new");
        let _ = fs::remove_file(&fresh);
        Run::new(test)
            .arg("write_types")
            .env("APER_TYPES_OUT", &fresh)
            .called(&package.web_crate())
            .quiet()?;
        if !fresh.is_file() {
            bail!("{} wrote no types; does it call `export_client!`?", package.web_crate());
        }
        fs::rename(&fresh, &types)?;
    }
    Ok(())
}

/// Everything of the package that is neither module nor types.
fn wrap(package: &Package) -> Result<()> {
    let directory = package.directory();
    let types = directory.join(TYPES);
    let entries = package
        .entries()
        .iter()
        .flat_map(|e| ["js", "d.ts"].map(|ending| directory.join(format!("{}.{ending}", e.file))));
    let made: Vec<_> = entries.chain([directory.join("package.json")]).collect();
    let mut inputs = Inputs::new()
        .fact(&manifest(package))
        // What TypeScript's compiler is told.
        .path(&layout::root().join("aper-npm/src/typescript.rs"))?
        .path(&readme(package))?
        .path(&layout::root().join("LICENSE"))?
        .path(&types)?
        .path(&directory.join(GLUE_TYPES))?;
    for source in source_directories(package) {
        inputs = inputs.path(&source)?;
    }
    inputs.unless_done(&module::stamp(&package.name, "package"), &made, || {
        report::note(&format!("{}: TypeScript", package.name));
        remove_stale(&directory)?;
        compile_typescript(package)?;
        fs::write(directory.join("package.json"), manifest(package))?;
        fs::copy(layout::root().join("LICENSE"), directory.join("LICENSE"))?;
        let path = readme(package);
        let text =
            fs::read_to_string(&path).with_context(|| format!("there is no {}", path.display()))?;
        fs::write(directory.join("README.md"), text.replace("{package}", &package.npm_name()))?;
        Ok(())
    })?;
    Ok(())
}

/// Where the TypeScript of a package comes from.
fn source_directories(package: &Package) -> Vec<PathBuf> {
    let own = package.sources().map(|own| own.join("src"));
    [sources().join("src")].into_iter().chain(own).collect()
}

fn readme(package: &Package) -> PathBuf {
    package.sources().unwrap_or_else(sources).join("README.md")
}

/// Removes what an earlier version of the thin TypeScript may have left: the
/// package is all that lies in its directory.
fn remove_stale(package: &Path) -> Result<()> {
    for entry in fs::read_dir(package)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() && ![GLUE, MODULE, GLUE_TYPES, TYPES].contains(&&*name) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Compiles the thin TypeScript in a directory where this machine's types lie
/// beside it; so its public types are this machine's.
fn compile_typescript(package: &Package) -> Result<()> {
    let scratch = layout::products().join("npm-build").join(&package.name);
    let directories = source_directories(package);
    let sources: Vec<&Path> = directories.iter().map(PathBuf::as_path).collect();
    typescript::lay_out(&sources, &package.directory(), &scratch, Check::All)?;
    node::tsc()?.arg("--project").arg(&scratch).show()
}

/// The package's `package.json`.
fn manifest(package: &Package) -> String {
    let manifest = Manifest {
        name: &package.npm_name(),
        version: VERSION,
        description: &package.description(),
        license: Some(env!("CARGO_PKG_LICENSE")),
        repository: Some(env!("CARGO_PKG_REPOSITORY")),
        entries: package.entries(),
        snippets: package.directory().join("snippets").is_dir(),
    };
    manifest.to_string()
}

/// The files that a browser loads before it can connect: module, glue and the
/// package's own JavaScript.
pub(crate) fn loaded(package: &Package) -> Result<[Vec<u8>; 3]> {
    let directory = package.directory();
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("{} is missing", path.display()));
    let mut own = Vec::new();
    // The parts for frameworks are for whoever imports them, and so is what they
    // are made of.
    let apart = ENTRIES.iter().chain(package.entries()).filter(|entry| entry.name != ".");
    let apart: Vec<String> = apart.map(|entry| format!("{}.js", entry.file)).collect();
    for name in script_names(&directory)? {
        if name != GLUE && !apart.contains(&name) {
            own.extend(read(&directory.join(name))?);
        }
    }
    Ok([read(&directory.join(MODULE))?, read(&directory.join(GLUE))?, own])
}

/// The names of a directory's JavaScript, in their order.
fn script_names(directory: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".js") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
