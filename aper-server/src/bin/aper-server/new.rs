//! `aper-server new`: an application to begin with, which compiles, runs and is
//! tested as it is.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aper_server::program;

/// What to begin, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory to make. Its name is the application's: small letters, digits, - and _.
    directory: PathBuf,
    /// Another name for the application.
    #[arg(long)]
    name: Option<String>,
    /// Take Aper from this directory, a checkout of its repository, instead of from crates.io.
    #[arg(long, value_name = "CHECKOUT")]
    aper: Option<PathBuf>,
}

/// Where each file of the template goes, and what is in it. A manifest has
/// another name there, or cargo would take its directory for a package and leave
/// it out of this one; and so has what git would obey.
const FILES: &[(&str, &str)] = &[
    (".gitignore", include_str!("../../../template/gitignore")),
    ("Cargo.toml", include_str!("../../../template/Cargo.toml.template")),
    ("README.md", include_str!("../../../template/README.md")),
    ("machine/Cargo.toml", include_str!("../../../template/machine/Cargo.toml.template")),
    ("machine/src/lib.rs", include_str!("../../../template/machine/src/lib.rs")),
    ("machine/src/tests.rs", include_str!("../../../template/machine/src/tests.rs")),
    ("machine/tests/simulation.rs", include_str!("../../../template/machine/tests/simulation.rs")),
    ("npm/Cargo.toml", include_str!("../../../template/npm/Cargo.toml.template")),
    ("npm/src/main.rs", include_str!("../../../template/npm/src/main.rs")),
    ("package.json", include_str!("../../../template/package.json")),
    ("page/index.html", include_str!("../../../template/page/index.html")),
    ("page/main.ts", include_str!("../../../template/page/main.ts")),
    ("page/session.ts", include_str!("../../../template/page/session.ts")),
    ("page/style.css", include_str!("../../../template/page/style.css")),
    ("server/Cargo.toml", include_str!("../../../template/server/Cargo.toml.template")),
    ("server/src/main.rs", include_str!("../../../template/server/src/main.rs")),
    ("tsconfig.json", include_str!("../../../template/tsconfig.json")),
    ("vite.config.ts", include_str!("../../../template/vite.config.ts")),
    ("web/Cargo.toml", include_str!("../../../template/web/Cargo.toml.template")),
    ("web/src/lib.rs", include_str!("../../../template/web/src/lib.rs")),
];

/// The crates that an application depends on: directories of the checkout.
const CRATES: &[&str] = &["aper", "aper-client-wasm", "aper-npm", "aper-server"];

/// Longest name of an application, in bytes.
const NAME_BYTES: usize = 40;

/// Makes the application, and says what to do next.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(name) => {
            let next = next(&name, &arguments.directory);
            // It is there, whether or not somebody reads this.
            let _ = io::stdout().write_all(next.as_bytes());
            ExitCode::SUCCESS
        }
        Err(sentence) => program::cannot(&sentence),
    }
}

fn next(name: &str, directory: &Path) -> String {
    format!(
        "{name} is in {at}. To see it run:\n\n    \
         cd {at}\n    npm install\n    npm run server\n\n\
         and in another terminal there:\n\n    npm run dev\n\n\
         README.md says what is where.\n",
        at = directory.display(),
    )
}

/// Makes it; its name. An error is a sentence.
fn make(arguments: &Arguments) -> Result<String, String> {
    let Arguments { directory, name, aper } = arguments;
    let own = directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.clone().or(own);
    let name = name.ok_or("the directory has no name: give the application one with --name")?;
    check_name(&name)?;
    let source = Source::of(aper.as_deref())?;
    check_vacant(directory)?;
    for (file, template) in FILES {
        let path = directory.join(file);
        write(&path, &filled_in(template, &name, &source))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    Ok(name)
}

/// Cargo's rules for packages and npm's, both, and no name that a dependency
/// has.
fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.len() > NAME_BYTES
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(allowed)
    {
        return Err(format!(
            "`{name}` cannot be an application's name, which is a small letter and then at most \
             {} small letters, digits, - or _; --name gives it another than its directory's",
            NAME_BYTES - 1
        ));
    }
    if name == "aper" || name.starts_with("aper-") {
        return Err(format!("`{name}` would be taken for a part of Aper: choose another name"));
    }
    Ok(())
}

/// Nothing of anybody's is written over.
fn check_vacant(directory: &Path) -> Result<(), String> {
    match fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{} is not empty: choose another directory", directory.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{} cannot be a directory: {error}", directory.display())),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

/// Where the application gets Aper from.
#[derive(Debug)]
enum Source {
    /// The version of this program, from crates.io.
    Registry,
    /// A checkout, absolute.
    Checkout(PathBuf),
}

impl Source {
    fn of(checkout: Option<&Path>) -> Result<Self, String> {
        let Some(given) = checkout else { return Ok(Self::Registry) };
        let absolute = std::path::absolute(given);
        let checkout = absolute.map_err(|error| format!("{}: {error}", given.display()))?;
        match CRATES.iter().find(|name| !checkout.join(name).join("Cargo.toml").is_file()) {
            Some(missing) => Err(format!(
                "{} is no checkout of Aper: it has no {missing}/Cargo.toml",
                given.display()
            )),
            None => Ok(Self::Checkout(checkout)),
        }
    }

    /// The beginning of a dependency on this crate, in TOML.
    fn dependency(&self, name: &str) -> String {
        match self {
            Self::Registry => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
            Self::Checkout(checkout) => {
                // TOML's strings of this kind are JSON's.
                let path = checkout.join(name).display().to_string();
                format!("path = {}", serde_json::Value::from(path))
            }
        }
    }
}

/// A file of the template, for an application of this name.
fn filled_in(template: &str, name: &str, source: &Source) -> String {
    let mut text = template.replace("{{name}}", name).replace("{{ident}}", &name.replace('-', "_"));
    for dependency in CRATES {
        let placeholder = format!("{{{{{dependency}}}}}");
        if text.contains(&placeholder) {
            text = text.replace(&placeholder, &source.dependency(dependency));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_those_that_cargo_and_npm_take() {
        for good in ["poll", "my-app", "a", "x2_y", "test", "core", &"a".repeat(NAME_BYTES)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        let long = "a".repeat(NAME_BYTES + 1);
        for bad in ["", "My-app", "2x", "-x", "_x", "a.b", "a b", "ä", "aper", "aper-x", &long] {
            let error = check_name(bad).unwrap_err();
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
    }

    #[test]
    fn every_file_of_the_template_is_in_the_program() {
        fn files(directory: &Path) -> Vec<PathBuf> {
            let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
        }
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("template");
        let there: BTreeSet<String> = files(&template)
            .iter()
            .map(|path| path.strip_prefix(&template).unwrap().to_str().unwrap())
            .map(|path| match path {
                "gitignore" => ".gitignore".to_owned(),
                path => path.trim_end_matches(".template").to_owned(),
            })
            .collect();
        let here = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(there, here);
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let checkout = Source::Checkout(r#"/with "quotes"\and more"#.into());
        for source in [Source::Registry, checkout] {
            for (path, template) in FILES {
                let text = filled_in(template, "my-app", &source);
                assert!(!text.contains("{{"), "{path}: {text}");
            }
        }
    }

    #[test]
    fn a_dependency_names_a_version_or_a_directory() {
        let filled = |source| filled_in("aper = { {{aper}} }", "my-app", &source);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(filled(Source::Registry), format!("aper = {{ version = \"{version}\" }}"));
        let checkout = Source::Checkout("/src/ap\"er".into());
        assert_eq!(filled(checkout), r#"aper = { path = "/src/ap\"er/aper" }"#);
    }
}
