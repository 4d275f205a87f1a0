use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why there is no package.
///
/// ```
/// use aper_npm::{Error, Package};
///
/// let nowhere = Package::of("no-such-crate").make("machine".as_ref()).unwrap_err();
/// assert!(matches!(nowhere, Error::NoCrate { .. } | Error::NotStarted { .. }), "{nowhere}");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program is missing, or may not be run.
    #[error("`{program}` cannot be started: {source}")]
    NotStarted {
        /// Which.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program failed; it has said why on standard error.
    #[error("{what} failed ({status}){advice}")]
    Failed {
        /// What it was to do.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// What may help, or nothing.
        advice: &'static str,
    },
    /// What a program said is not what was expected of it.
    #[error("what cargo said cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The workspace has no crate of this name.
    #[error("the workspace in {} has no crate `{name}`", workspace.display())]
    NoCrate {
        /// The name.
        name: String,
        /// Where the workspace is.
        workspace: PathBuf,
    },
    /// The crate does not depend on `aper-client-wasm`, of which the TypeScript is.
    #[error("`{name}` does not depend on `aper-client-wasm`")]
    NoClient {
        /// The crate's name.
        name: String,
    },
    /// Cargo made no WebAssembly module of the crate.
    #[error("`{name}` makes no module: its Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`")]
    NoModule {
        /// The crate's name.
        name: String,
    },
    /// The crate wrote no types.
    #[error("`{name}` wrote no types: does it call `export_client!`?")]
    NoTypes {
        /// The crate's name.
        name: String,
    },
    /// TypeScript is not installed where the package goes, or above.
    #[error("TypeScript is missing in {} and above: npm install --save-dev typescript", near.display())]
    NoTypeScript {
        /// Where the package goes.
        near: PathBuf,
    },
    /// wasm-bindgen does not understand the module.
    #[error("wasm-bindgen failed on {}: {why}", module.display())]
    Glue {
        /// The module.
        module: PathBuf,
        /// What it said.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Of what was done with this file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
