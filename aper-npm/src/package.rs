//! A package, made in one go: what a program of the application's workspace
//! runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::Error;
use crate::cargo::Crate;
use crate::glue::{self, GLUE, GLUE_TYPES, MINIFIER, MINIFY, MODULE, WASM_OPT};
use crate::manifest::{ENTRIES, Manifest};
use crate::run::{eprint, read};
use crate::typescript::{self, Check, TYPES};

/// The npm package of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    web_crate: String,
    name: Option<String>,
}

impl Package {
    /// The package of the crate of this name, a member of the same workspace as
    /// the program that runs, that calls `export_client!`. Its version,
    /// description, licence and repository are the crate's.
    #[must_use]
    pub fn of(web_crate: impl Into<String>) -> Self {
        Self { web_crate: web_crate.into(), name: None }
    }

    /// Under another name than the crate's, for npm: `Package::of("my-app-web")
    /// .named("@my-app/machine")`.
    ///
    /// ```
    /// use aper_npm::Package;
    ///
    /// let published = Package::of("my-app-web").named("@my-app/machine");
    /// assert_ne!(published, Package::of("my-app-web"));
    /// ```
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Makes the package in this directory, which is the package's alone, and
    /// says on standard error what went wrong: the body of a program's `main`.
    ///
    /// A directory that is not absolute is within the workspace.
    #[must_use]
    pub fn run(&self, directory: impl AsRef<Path>) -> ExitCode {
        match self.make(directory.as_ref()) {
            Ok(made) => {
                eprint(&format!("{} is the package of `{}`", made.display(), self.web_crate));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprint(&format!("error: {error}"));
                ExitCode::FAILURE
            }
        }
    }

    /// As [`Package::run`]; tells where the package is. What cargo and the tools
    /// say goes to standard error.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), aper_npm::Error> {
    /// use aper_npm::Package;
    ///
    /// let directory = Package::of("my-app-web").make("page/machine".as_ref())?;
    /// assert!(directory.join("index.js").is_file());
    /// # Ok(()) }
    /// ```
    ///
    /// Takes as long as cargo does, and some seconds.
    ///
    /// # Errors
    ///
    /// Every kind of [`Error`]. A package that was there before may then be
    /// there in part.
    pub fn make(&self, directory: &Path) -> Result<PathBuf, Error> {
        let web = Crate::find(&self.web_crate)?;
        let directory = web.workspace.join(directory);
        let compiled = web.compile()?;
        remove_stale(&directory)?;
        glue::bind(&compiled, &directory)?;
        optimize(&directory)?;
        minify(&directory)?;
        web.write_types(&directory.join(TYPES))?;
        self.compile_typescript(&web, &directory)?;
        self.write_manifest(&web, &directory)?;
        Ok(directory)
    }

    fn compile_typescript(&self, web: &Crate, directory: &Path) -> Result<(), Error> {
        let scratch = web.target.join("aper-npm").join(&self.web_crate);
        let sources = web.client_sources.as_path();
        typescript::lay_out(&[sources], directory, &scratch, Check::Nothing)?;
        let compiler = installed(directory, "typescript/bin/tsc")
            .ok_or_else(|| Error::NoTypeScript { near: directory.to_owned() })?;
        let mut tsc = Command::new("node");
        tsc.arg(compiler).arg("--project").arg(&scratch);
        read(tsc, "TypeScript's compiler", "").map(drop)
    }

    fn write_manifest(&self, web: &Crate, directory: &Path) -> Result<(), Error> {
        let manifest = Manifest {
            name: self.name.as_deref().unwrap_or(&self.web_crate),
            version: &web.version,
            description: web.description.as_deref().unwrap_or("A state machine of Aper"),
            license: web.license.as_deref(),
            repository: web.repository.as_deref(),
            entries: ENTRIES,
            snippets: directory.join("snippets").is_dir(),
        };
        let path = directory.join("package.json");
        fs::write(&path, manifest.to_string()).map_err(Error::file(&path))
    }
}

/// Removes what an earlier version may have made and this one does not. Nothing
/// but what a package has is touched, if somebody should have named a directory
/// of theirs.
fn remove_stale(package: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(package) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(Error::file(package))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.ends_with(".js") || name.ends_with(".d.ts");
        if path.is_file() && ours && ![GLUE, GLUE_TYPES, TYPES].contains(&&*name) {
            fs::remove_file(&path).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}

/// With binaryen's optimizer, if it is installed.
fn optimize(directory: &Path) -> Result<(), Error> {
    let Some(optimizer) = installed(directory, "binaryen/bin/wasm-opt") else {
        eprint("the module is not optimized: npm install --save-dev binaryen");
        return Ok(());
    };
    let module = directory.join(MODULE);
    let optimized = module.with_extension("opt.wasm");
    let mut wasm_opt = Command::new("node");
    wasm_opt.arg(optimizer).args(WASM_OPT).arg(&module).arg("-o").arg(&optimized);
    read(wasm_opt, "wasm-opt", "")?;
    fs::rename(&optimized, &module).map_err(Error::file(&module))
}

/// With Vite, if it is installed. A bundler would do it as well.
fn minify(directory: &Path) -> Result<(), Error> {
    let Some(minifier) = installed(directory, MINIFIER) else { return Ok(()) };
    let mut node = Command::new("node");
    node.args(MINIFY).arg(minifier).arg(directory.join(GLUE));
    read(node, "minifying the glue", "").map(drop)
}

/// A script of an npm package that is installed in this directory or above.
fn installed(directory: &Path, script: &str) -> Option<PathBuf> {
    let places = directory.ancestors().map(|place| place.join("node_modules").join(script));
    places.into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_above_as_node_finds_packages() {
        let place = tempfile::tempdir().unwrap();
        let page = place.path().join("page/machine");
        assert_eq!(installed(&page, "typescript/bin/tsc"), None);
        let tool = place.path().join("node_modules/typescript/bin/tsc");
        fs::create_dir_all(tool.parent().unwrap()).unwrap();
        fs::write(&tool, "").unwrap();
        assert_eq!(installed(&page, "typescript/bin/tsc"), Some(tool));
    }

    #[test]
    fn only_what_a_package_has_is_removed() {
        let package = tempfile::tempdir().unwrap();
        let at = |name: &str| package.path().join(name);
        for name in ["react.js", "react.d.ts", GLUE, TYPES, "notes.txt"] {
            fs::write(at(name), "").unwrap();
        }
        remove_stale(package.path()).unwrap();
        assert!(!at("react.js").exists() && !at("react.d.ts").exists());
        assert!(at(GLUE).exists() && at(TYPES).exists() && at("notes.txt").exists());
        remove_stale(&at("not-there")).unwrap();
    }
}
