//! The TypeScript of a package: the client that all packages have, compiled
//! where one machine's types lie beside it, so that its public types are that
//! machine's.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::Error;
use crate::glue::GLUE_TYPES;

/// The file of the machine's types.
pub const TYPES: &str = "types.d.ts";

/// How far TypeScript looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// At everything; what the frameworks' parts import must be installed.
    All,
    /// At nothing: the sources are those of a release, and were checked.
    Nothing,
}

/// Lays out, in a directory that is emptied before, what TypeScript's compiler
/// needs to write the package into `package`, where [`GLUE_TYPES`] and [`TYPES`]
/// are already: `tsc --project scratch` does so. Of several sources of the same
/// name the last counts.
///
/// ```
/// use aper_npm::typescript::{Check, lay_out};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let place = tempfile::tempdir()?;
/// # let [package, source, scratch] = ["package", "src", "scratch"].map(|d| place.path().join(d));
/// # for directory in [&package, &source] { std::fs::create_dir(directory)?; }
/// # for file in ["machine.d.ts", "types.d.ts"] { std::fs::write(package.join(file), "")?; }
/// # std::fs::write(source.join("index.ts"), "export type * from './types.js';")?;
/// lay_out(&[&source], &package, &scratch, Check::All)?;
/// assert!(scratch.join("index.ts").is_file() && scratch.join("tsconfig.json").is_file());
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`Error::File`].
pub fn lay_out(
    sources: &[&Path],
    package: &Path,
    scratch: &Path,
    check: Check,
) -> Result<(), Error> {
    let _ = fs::remove_dir_all(scratch);
    fs::create_dir_all(scratch).map_err(Error::file(scratch))?;
    for directory in sources {
        let entries = fs::read_dir(directory).map_err(Error::file(*directory))?;
        for entry in entries {
            let path = entry.map_err(Error::file(*directory))?.path();
            let name = path.file_name().unwrap_or_default();
            // The sources bring stand-ins for what a machine provides, for editors.
            if path.is_file() && name != TYPES && name != GLUE_TYPES {
                fs::copy(&path, scratch.join(name)).map_err(Error::file(&path))?;
            }
        }
    }
    for provided in [TYPES, GLUE_TYPES] {
        let path = package.join(provided);
        fs::copy(&path, scratch.join(provided)).map_err(Error::file(&path))?;
    }
    let path = scratch.join("tsconfig.json");
    fs::write(&path, format!("{:#}\n", config(package, check))).map_err(Error::file(&path))
}

fn config(package: &Path, check: Check) -> serde_json::Value {
    json!({
        "compilerOptions": {
            "target": "ES2022",
            "lib": ["ES2022", "DOM", "DOM.Iterable"],
            "types": [],
            "module": "ESNext",
            "moduleResolution": "bundler",
            "moduleDetection": "force",
            // One source is shared with a page that nothing compiles.
            "allowJs": true,
            "strict": true,
            "exactOptionalPropertyTypes": true,
            "noImplicitOverride": true,
            "noUncheckedIndexedAccess": true,
            "verbatimModuleSyntax": true,
            "skipLibCheck": true,
            "noCheck": check == Check::Nothing,
            "declaration": true,
            "rootDir": ".",
            "outDir": package,
        },
        "include": ["*.ts"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_own_types_take_the_place_of_the_stand_ins() {
        let place = tempfile::tempdir().unwrap();
        let [package, source, own, scratch] =
            ["package", "src", "own", "scratch"].map(|name| place.path().join(name));
        for directory in [&package, &source, &own, &scratch] {
            fs::create_dir(directory).unwrap();
        }
        let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
        write(&scratch.join("stale.ts"), "");
        write(&source.join(TYPES), "stand-in");
        write(&source.join("index.ts"), "of all");
        write(&source.join("react.ts"), "of all");
        write(&own.join("react.ts"), "its own");
        write(&package.join(TYPES), "the machine's");
        write(&package.join(GLUE_TYPES), "");

        lay_out(&[&source, &own], &package, &scratch, Check::Nothing).unwrap();
        let read = |name: &str| fs::read_to_string(scratch.join(name)).unwrap();
        assert_eq!(read(TYPES), "the machine's");
        assert_eq!([read("index.ts"), read("react.ts")], ["of all", "its own"]);
        assert!(!scratch.join("stale.ts").exists());
    }
}
