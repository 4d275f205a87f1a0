//! Where things are: the repository's root, what the commands build, and the
//! examples, which are found by looking rather than listed a second time.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use aper_npm::manifest::{ENTRIES, Entry};

use crate::module::Source;
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

/// Where the demo keeps its sessions.
pub(crate) fn demo_data() -> PathBuf {
    products().join("demo-data")
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

/// One npm package: a machine, whose crate has a `web` crate beside it that
/// makes the browser's module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its directory's name among the packages; for an example also that of its
    /// source, and its path on the server.
    pub(crate) name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In `examples/<name>`.
    Example,
    /// The ready machine, whose package has TypeScript of its own.
    Document,
}

impl Package {
    fn example(name: &str) -> Self {
        Self { name: name.to_owned(), kind: Kind::Example }
    }

    fn document() -> Self {
        Self { name: "document".to_owned(), kind: Kind::Document }
    }

    /// The crate that becomes the module.
    pub(crate) fn web_crate(&self) -> String {
        match self.kind {
            Kind::Example => format!("aper-example-{}-web", self.name),
            Kind::Document => "aper-document-web".to_owned(),
        }
    }

    /// Where that crate's `Cargo.toml` is.
    pub(crate) fn web_manifest(&self) -> PathBuf {
        let machine = match self.kind {
            Kind::Example => root().join("examples").join(&self.name),
            Kind::Document => root().join("aper-document"),
        };
        machine.join("web/Cargo.toml")
    }

    /// What its module is made of.
    pub(crate) fn source(&self) -> Source {
        Source {
            name: self.name.clone(),
            package: self.web_crate(),
            manifest: self.web_manifest(),
            directory: self.directory(),
        }
    }

    /// The package's directory.
    pub(crate) fn directory(&self) -> PathBuf {
        packages().join(&self.name)
    }

    /// The package's name for npm.
    pub(crate) fn npm_name(&self) -> String {
        match self.kind {
            Kind::Example => format!("@aper-examples/{}", self.name),
            Kind::Document => "aper-document".to_owned(),
        }
    }

    /// What npm says of it.
    pub(crate) fn description(&self) -> String {
        match self.kind {
            Kind::Example => {
                format!("The state machine of the example {}, for the browser", self.name)
            }
            Kind::Document => {
                "Real-time shared documents like JSON, for the browser, React and Node".to_owned()
            }
        }
    }

    /// The tarball, named as `npm pack` names it.
    pub(crate) fn tarball(&self) -> PathBuf {
        let name = self.npm_name().trim_start_matches('@').replace('/', "-");
        packages().join(format!("{name}-{VERSION}.tgz"))
    }

    /// The directory of its own TypeScript and README, if it has any: that
    /// comes on top of what all packages have.
    pub(crate) fn sources(&self) -> Option<PathBuf> {
        match self.kind {
            Kind::Example => None,
            Kind::Document => Some(root().join("aper-document/npm")),
        }
    }

    /// What can be imported of it.
    pub(crate) fn entries(&self) -> &'static [Entry] {
        match self.kind {
            Kind::Example => ENTRIES,
            Kind::Document => &[
                Entry { name: ".", file: "document" },
                Entry { name: "./inspector", file: "inspector" },
                Entry { name: "./react", file: "document-react" },
                Entry { name: "./svelte", file: "document-svelte" },
                Entry { name: "./vue", file: "document-vue" },
            ],
        }
    }
}

/// Every example, in alphabetical order.
///
/// # Errors
/// If the directory of examples cannot be read.
pub(crate) fn examples() -> Result<Vec<Package>> {
    let named = names_in_examples()?.into_iter().map(|name| Package::example(&name));
    Ok(named.filter(|example| example.web_manifest().is_file()).collect())
}

/// Every example whose page is in Rust, in alphabetical order: it has a page
/// and is itself what becomes the module.
///
/// # Errors
/// If the directory of examples cannot be read.
pub(crate) fn front_ends() -> Result<Vec<Source>> {
    let source = |name: String| Source {
        manifest: root().join("examples").join(&name).join("Cargo.toml"),
        package: format!("aper-example-{name}"),
        directory: products().join("front-ends").join(&name),
        name,
    };
    let is_front_end = |name: &String| {
        let example = root().join("examples").join(name);
        example.join("page").is_dir()
            && example.join("Cargo.toml").is_file()
            && !Package::example(name).web_manifest().is_file()
    };
    Ok(names_in_examples()?.into_iter().filter(is_front_end).map(source).collect())
}

fn names_in_examples() -> Result<Vec<String>> {
    let directory = root().join("examples");
    let entries = std::fs::read_dir(&directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Every package: the ready machine's and the examples'.
///
/// # Errors
/// As [`examples`].
pub(crate) fn all_packages() -> Result<Vec<Package>> {
    Ok([Package::document()].into_iter().chain(examples()?).collect())
}

/// The packages of these names, or all if none is named.
///
/// # Errors
/// If a name is not a package's.
pub(crate) fn chosen_packages(names: &[String]) -> Result<Vec<Package>> {
    let all = all_packages()?;
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|p| p.name != **name)) {
        let known: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
        bail!("there is no package `{unknown}`; there are: {}", known.join(", "));
    }
    Ok(all.into_iter().filter(|p| names.is_empty() || names.contains(&p.name)).collect())
}
