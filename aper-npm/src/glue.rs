//! From a compiled module to what a browser loads: wasm-bindgen, which writes
//! the glue between the module and JavaScript, then wasm-opt.

use std::fs;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::Error;

/// The files are `machine.js`, `machine.d.ts` and [`MODULE`].
const STEM: &str = "machine";

/// The file of the module.
pub const MODULE: &str = "machine_bg.wasm";
/// The file of the glue: an ES module that loads [`MODULE`] from beside itself.
pub const GLUE: &str = "machine.js";
/// The types of the glue.
pub const GLUE_TYPES: &str = "machine.d.ts";

/// What wasm-opt is told: for size. The features are those that the compiler
/// and wasm-bindgen use and every browser has had since 2022; nothing else may
/// creep in. The memory is the module's own, and so full of zeros at first; what
/// lies lowest in it is the far end of the stack, which nothing reaches that does
/// not overflow.
///
/// ```
/// use std::process::Command;
///
/// use aper_npm::glue::{MODULE, WASM_OPT};
///
/// let mut optimize = Command::new("wasm-opt");
/// optimize.args(WASM_OPT).args([MODULE, "-o", MODULE]);
/// ```
pub const WASM_OPT: &[&str] = &[
    "-Oz",
    "--low-memory-unused",
    "--zero-filled-memory",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// What Node is told, to take the comments and long names out of [`GLUE`]: by
/// Vite, from its version 8 on, whose file [`MINIFIER`] is.
///
/// ```
/// use std::process::Command;
///
/// use aper_npm::glue::{GLUE, MINIFIER, MINIFY};
///
/// let mut minify = Command::new("node");
/// minify.args(MINIFY).arg(format!("node_modules/{MINIFIER}")).arg(GLUE);
/// ```
pub const MINIFY: &[&str] = &[
    "--input-type=module",
    "--eval",
    r"
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
const [vite, glue] = process.argv.slice(1);
const { minifySync } = await import(pathToFileURL(resolve(vite)).href);
if (minifySync !== undefined) {
  const { code, errors } = minifySync(glue, readFileSync(glue, 'utf8'), { module: true });
  if (errors.length > 0) throw new Error(errors[0].message);
  writeFileSync(glue, code);
}
",
];

/// Among the npm packages that are installed.
///
/// ```
/// assert!(aper_npm::glue::MINIFIER.starts_with("vite/"));
/// ```
pub const MINIFIER: &str = "vite/dist/node/index.js";

/// Writes [`GLUE`], [`GLUE_TYPES`] and [`MODULE`], not optimized yet, of a
/// module that cargo has compiled, into a directory that is made if need be.
///
/// ```no_run
/// use std::path::Path;
///
/// # fn main() -> Result<(), aper_npm::Error> {
/// let compiled = Path::new("target/wasm32-unknown-unknown/wasm/my_app_web.wasm");
/// aper_npm::glue::bind(compiled, Path::new("page/machine"))?;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`Error::Glue`] when the module cannot be read, was compiled with another
/// version of wasm-bindgen, or the directory cannot be written.
pub fn bind(compiled: &Path, directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(Error::file(directory))?;
    generate(compiled, directory)
        .map_err(|why| Error::Glue { module: compiled.to_owned(), why: format!("{why:#}") })?;
    // The types of the bare module: nobody imports it but the glue.
    let _ = fs::remove_file(directory.join("machine_bg.wasm.d.ts"));
    Ok(())
}

fn generate(compiled: &Path, directory: &Path) -> Result<(), impl std::fmt::Display + use<>> {
    let mut bindgen = Bindgen::new();
    let bindgen = bindgen
        .input_path(compiled)
        // The glue knows where its module is, as bundlers understand it.
        .omit_default_module_path(false)
        .out_name(STEM)
        .typescript(true)
        .remove_producers_section(true);
    bindgen.web(true)?.generate(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let compiled = directory.path().join("app.wasm");
        fs::write(&compiled, "no module").unwrap();
        let error = bind(&compiled, &directory.path().join("out")).unwrap_err();
        assert!(matches!(&error, Error::Glue { module, .. } if *module == compiled), "{error}");
        assert!(error.to_string().contains("app.wasm"), "{error}");
    }
}
