//! The distribution's Rust with a standard library of our own.
//!
//! Debian packages a current compiler and the source of the standard library,
//! but not the library built for the browser. So it is built once, with that
//! compiler, into a private *sysroot* (the directory in which a compiler looks
//! for its libraries) under the user's cache directory, some hundred MB. The
//! compiler is then called through a script that names the sysroot.
//!
//! One sysroot per compiler and [`RECIPE`]; a lock file keeps two first builds
//! from meeting; a half-built one is never used, because it gets its name last.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{FOREIGN, TARGET, Toolchain, can_link, short_paths};
use crate::apt::Apt;
use crate::command::{Run, find};
use crate::{layout, report};

/// Grows whenever the way in which the library is built changes: with other
/// flags its crates are other crates, and what was compiled against the old
/// ones does not link (E0460). Cargo does not see such a change, therefore the
/// recipe is also part of the target directory's name.
const RECIPE: u32 = 2;

const RUSTC: &str = "/usr/bin/rustc";
const RUSTDOC: &str = "/usr/bin/rustdoc";
const CARGO: &str = "/usr/bin/cargo";
const CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";
/// Debian keeps a compiler that is new enough for browsers under these names.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];
const BUILD_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Finds or makes the toolchain.
pub(super) fn toolchain() -> Result<Toolchain> {
    if Parts::find().is_err() {
        install()?;
    }
    let parts = Parts::find()?;
    let sysroot = sysroot(&parts)?;
    let rustc = sysroot.join("bin/rustc");
    can_link(rustc.as_os_str()).with_context(|| {
        format!("the toolchain in {} does not work; delete it and try again", sysroot.display())
    })?;
    let target = layout::products().join(format!("wasm-{}", parts.key()?));
    let env: [(&str, OsString); 5] = [
        ("RUSTC", rustc.into()),
        ("RUSTDOC", sysroot.join("bin/rustdoc").into()),
        ("CARGO", CARGO.into()),
        ("CARGO_TARGET_DIR", target.into()),
        // The one place where clippy looks for libraries.
        ("SYSROOT", sysroot.clone().into()),
    ];
    Ok(Toolchain {
        description: format!(
            "the distribution's rustc {} with a private standard library",
            parts.version
        ),
        cargo: CARGO.into(),
        cargo_clippy: Some(CARGO_CLIPPY.into()),
        env: env.into_iter().map(|(name, value)| (name.into(), value)).collect(),
    })
}

/// What must be there before the library can be built.
#[derive(Debug)]
struct Parts {
    version: String,
    host: String,
    sysroot: PathBuf,
    linker: PathBuf,
}

impl Parts {
    fn find() -> Result<Self> {
        let facts = rustc_facts()?;
        let version = fact(&facts, "release")?.to_owned();
        let host = fact(&facts, "host")?.to_owned();
        require_version(&version, env!("CARGO_PKG_RUST_VERSION"))?;
        if !Path::new(CARGO).is_file() {
            bail!("{CARGO} is missing");
        }
        let printed = Run::new(RUSTC).args(["--print", "sysroot"]).without(FOREIGN).quiet()?;
        let sysroot = PathBuf::from(printed.trim());
        if !sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").is_file() {
            bail!("the source of {RUSTC}'s standard library is missing");
        }
        let linker = linker().context("LLVM's linker (lld) is missing")?;
        Ok(Self { version, host, sysroot, linker })
    }

    /// What tells one toolchain from another. A package update may replace the
    /// compiler and keep its version.
    fn key(&self) -> Result<String> {
        let changed = fs::metadata(RUSTC)?.mtime();
        Ok(format!("{}-{changed}-r{RECIPE}", self.version))
    }
}

fn rustc_facts() -> Result<String> {
    Run::new(RUSTC).arg("-vV").without(FOREIGN).quiet()
}

/// One line of `rustc -vV`.
fn fact<'a>(facts: &'a str, name: &str) -> Result<&'a str> {
    facts
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .with_context(|| format!("{RUSTC} does not tell its {name}"))
}

fn require_version(have: &str, need: &str) -> Result<()> {
    let number = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split(['.', '-']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    if number(have) < number(need) {
        bail!("{RUSTC} is version {have}; Aper needs {need} or newer");
    }
    Ok(())
}

/// LLVM's linker under one of the names that distributions give it. It must be
/// the generic one, which takes its flavour as an argument.
fn linker() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib").ok()?.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.strip_prefix("llvm-")?.parse().ok()?;
        let linker = path.join("bin/lld");
        linker.is_file().then_some((version, linker))
    });
    let newest = versions.max_by_key(|(version, _)| *version).map(|(_, linker)| linker);
    newest.or_else(|| find("rust-lld")).or_else(|| find("lld"))
}

/// Installs what is missing, where that is ours to do.
fn install() -> Result<()> {
    let wish = format!("{} and lld", PACKAGES.join(", "));
    let Some(apt) = Apt::find() else {
        bail!("install your distribution's Rust, its source, and LLVM's linker (Debian: {wish})");
    };
    report::note(&format!("apt-get install {wish}"));
    apt.install(&PACKAGES)?;
    let facts = rustc_facts()?;
    let llvm = fact(&facts, "LLVM version")?;
    apt.install(&[&format!("lld-{}", llvm.split('.').next().unwrap_or(llvm))])
}

/// The private sysroot, built unless it is there.
fn sysroot(parts: &Parts) -> Result<PathBuf> {
    let cache = cache_directory()?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let sysroot = cache.join(parts.key()?);
    let lock = fs::File::create(cache.join("lock"))?;
    lock.lock()?;
    if !sysroot.is_dir() {
        report::note(&format!(
            "building the standard library of rustc {} for {TARGET}, once (about a minute)",
            parts.version
        ));
        let unfinished = tempfile::tempdir_in(&cache)?;
        build(parts, &sysroot, unfinished.path())?;
        fs::rename(unfinished.keep(), &sysroot)?;
    }
    Ok(sysroot)
}

fn cache_directory() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(std::env::home_dir()?.join(".cache")))
        .context("there is no home directory to keep a toolchain in; set XDG_CACHE_HOME")?;
    Ok(cache.join("aper/wasm-sysroot"))
}

/// Builds into `place` what will be moved to `sysroot`.
fn build(parts: &Parts, sysroot: &Path, place: &Path) -> Result<()> {
    let libraries = place.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&libraries)?;
    build_library(&libraries)?;

    // The host's part is the distribution's own: procedural macros and build
    // scripts link against it.
    let ours = place.join("lib/rustlib").join(&parts.host);
    let theirs = parts.sysroot.join("lib/rustlib").join(&parts.host);
    fs::create_dir_all(ours.join("bin"))?;
    symlink(theirs.join("lib"), ours.join("lib"))?;
    // The name under which the compiler looks for this target's linker.
    symlink(&parts.linker, ours.join("bin/rust-lld"))?;

    let bin = place.join("bin");
    fs::create_dir_all(&bin)?;
    wrapper(&bin.join("rustc"), RUSTC, sysroot)?;
    wrapper(&bin.join("rustdoc"), RUSTDOC, sysroot)
}

/// Builds the standard library by building an empty crate that wants it built.
fn build_library(libraries: &Path) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let empty = scratch.path();
    fs::create_dir(empty.join("src"))?;
    fs::write(empty.join("src/lib.rs"), "#![no_std]\n")?;
    fs::write(
        empty.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    // Modules are linked with LTO, which needs bitcode of every crate.
    let mut flags = vec!["-Cembed-bitcode=yes".to_owned()];
    flags.extend(short_paths());
    Run::new(CARGO)
        .args(["build", "--quiet", "--release", "--target", TARGET])
        .args(["-Z", "build-std=core,alloc,std,panic_abort,panic_unwind,proc_macro,test"])
        .dir(empty)
        .without(FOREIGN)
        .env("CARGO", CARGO)
        .env("RUSTC", RUSTC)
        // `-Z` on a stable compiler: the library is the compiler's own source,
        // built with the compiler it belongs to.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env("CARGO_TARGET_DIR", empty.join("target"))
        .limit(BUILD_LIMIT)
        .quiet_or("the standard library does not build; is there a network?")?;
    let built = empty.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(built)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            fs::copy(&path, libraries.join(name))?;
        }
    }
    Ok(())
}

/// A script that calls a tool with the private sysroot, unless its caller
/// names another one.
fn wrapper(script: &Path, tool: &str, sysroot: &Path) -> Result<()> {
    let sysroot = sysroot.display().to_string().replace('\'', r"'\''");
    let text = format!(
        "#!/bin/sh\n\
         case \" $* \" in\n\
         *' --sysroot'*) exec {tool} \"$@\" ;;\n\
         *) exec {tool} --sysroot '{sysroot}' \"$@\" ;;\n\
         esac\n"
    );
    fs::write(script, text)?;
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_says_is_read() {
        let said = "rustc 1.96.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\n";
        assert_eq!(fact(said, "release").unwrap(), "1.96.0");
        assert_eq!(fact(said, "host").unwrap(), "x86_64-unknown-linux-gnu");
        assert!(fact(said, "LLVM version").is_err());
    }

    #[test]
    fn an_old_compiler_is_refused_by_number_not_by_spelling() {
        assert!(require_version("1.96.0", "1.90").is_ok());
        assert!(require_version("1.100.0", "1.90").is_ok());
        assert!(require_version("1.90.0-nightly", "1.90").is_ok());
        let error = require_version("1.85.1", "1.90").unwrap_err().to_string();
        assert!(error.contains("1.85.1") && error.contains("1.90"));
    }
}
