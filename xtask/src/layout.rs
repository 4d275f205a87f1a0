//! Where things are: the repository's root, what the commands build, and the
//! examples, which are found by looking rather than listed a second time.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::report;

/// The workspace's version: the packages carry it too.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a directory of the repository")
}

/// Where the commands' own products go. Cargo's go where cargo puts them
/// (`CARGO_TARGET_DIR`); these stay here, because configuration files of
/// TypeScript and Vite name them.
pub(crate) fn products() -> PathBuf {
    root().join("target")
}

/// Waits until no other of these commands makes products, and keeps others
/// waiting while the answer lives.
///
/// # Errors
/// If the lock file cannot be made.
pub(crate) fn lock_products() -> Result<File> {
    let path = products().join("xtask.lock");
    std::fs::create_dir_all(products())?;
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    if file.try_lock().is_err() {
        report::note("waiting for another `cargo xtask` to make the same things");
        file.lock()?;
    }
    Ok(file)
}

/// The directory of all npm packages and their tarballs.
pub(crate) fn packages() -> PathBuf {
    products().join("npm")
}

/// What the examples' server serves.
pub(crate) fn pages() -> PathBuf {
    products().join("pages")
}

/// The cargo that runs this program, so that whatever it builds is built by
/// the same toolchain.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The rustc that this cargo uses.
pub(crate) fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// One example: a machine crate in `examples/<name>` with a `web` crate that
/// makes the browser's module of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    /// Its directory's name, its package's name and its path on the server.
    pub(crate) name: String,
}

impl Example {
    /// The crate that becomes the module.
    pub(crate) fn web_crate(&self) -> String {
        format!("aper-example-{}-web", self.name)
    }

    /// Where that crate's `Cargo.toml` is.
    pub(crate) fn web_manifest(&self) -> PathBuf {
        root().join("examples").join(&self.name).join("web/Cargo.toml")
    }

    /// The npm package's directory.
    pub(crate) fn package(&self) -> PathBuf {
        packages().join(&self.name)
    }

    /// The npm package's name.
    pub(crate) fn package_name(&self) -> String {
        format!("@aper-examples/{}", self.name)
    }

    /// The npm package's tarball, named as `npm pack` names it.
    pub(crate) fn tarball(&self) -> PathBuf {
        packages().join(format!("aper-examples-{}-{VERSION}.tgz", self.name))
    }
}

/// Every example, in alphabetical order.
///
/// # Errors
/// If the directory of examples cannot be read.
pub(crate) fn examples() -> Result<Vec<Example>> {
    let directory = root().join("examples");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let example = Example { name };
        if example.web_manifest().is_file() {
            found.push(example);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The examples of these names, or all if none is named.
///
/// # Errors
/// If a name is not an example's.
pub(crate) fn chosen_examples(names: &[String]) -> Result<Vec<Example>> {
    let all = examples()?;
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|e| e.name != **name)) {
        let known: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
        bail!("there is no example `{unknown}`; there are: {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|e| names.is_empty() || names.contains(&e.name)).collect())
}
