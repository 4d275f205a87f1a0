//! The decision, against compilers and a rustup that are shell scripts.

use std::cell::Cell;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A machine of scripts. Each test says what its `rustc` and `rustup` do.
struct Machine {
    directory: tempfile::TempDir,
    has_rustup: bool,
    limit: Duration,
}

/// Writes a module to wherever `-o` points.
const LINKS: &str = r#"
while [ "$1" != -o ]; do shift; done
printf '\0asm' >"$2"
"#;
const FAILS: &str = "echo no >&2; exit 1";

impl Machine {
    fn new(rustc: &str, rustup: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let has_rustup = rustup.is_some();
        let machine = Self { directory, has_rustup, limit: Duration::from_secs(60) };
        machine.script("rustc", rustc);
        machine.script("rustup", rustup.unwrap_or(FAILS));
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn script(&self, name: &str, body: &str) {
        let marker = self.path("target-added");
        let text = format!("#!/bin/sh\nadded='{}'\n{body}\n", marker.display());
        std::fs::write(self.path(name), text).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }

    /// What was found, and whether the distribution was asked.
    fn search(&self, way: Option<Way>) -> (Result<String>, bool) {
        let asked = Cell::new(false);
        let distribution = || {
            asked.set(true);
            let env = vec![("RUSTC".into(), "private".into())];
            let (description, cargo) = ("distribution".into(), "cargo".into());
            Ok(Toolchain { description, cargo, cargo_clippy: None, env })
        };
        let search = Search {
            rustc: self.path("rustc").into(),
            rustup: self.has_rustup.then(|| self.path("rustup")),
            limit: self.limit,
            distribution: &distribution,
        };
        let found = search.run(way).map(|toolchain| toolchain.description);
        (found, asked.get())
    }
}

const AFTER_RUSTUP: &str = r#"
[ -f "$added" ] || exit 1
while [ "$1" != -o ]; do shift; done
printf '\0asm' >"$2"
"#;

#[test]
fn a_target_that_is_there_is_used_whatever_the_choice() {
    let machine = Machine::new(LINKS, None);
    for way in [None, Some(Way::Rustup), Some(Way::Distribution)] {
        let (found, asked) = machine.search(way);
        assert_eq!(found.unwrap(), "the selected Rust toolchain");
        assert!(!asked);
    }
}

#[test]
fn a_compiler_that_succeeds_without_a_module_does_not_count() {
    let machine = Machine::new("exit 0", None);
    let (found, asked) = machine.search(Some(Way::Distribution));
    assert_eq!(found.unwrap(), "distribution");
    assert!(asked);
}

#[test]
fn rustup_is_tried_first() {
    let machine = Machine::new(AFTER_RUSTUP, Some(r#"touch "$added""#));
    let (found, asked) = machine.search(None);
    assert!(found.unwrap().contains("rustup added"));
    assert!(!asked);
}

#[test]
fn a_rustup_that_fails_leaves_it_to_the_distribution() {
    let machine = Machine::new(AFTER_RUSTUP, Some(FAILS));
    let (found, asked) = machine.search(None);
    assert_eq!(found.unwrap(), "distribution");
    assert!(asked);
}

#[test]
fn a_rustup_that_hangs_leaves_it_to_the_distribution() {
    let mut machine = Machine::new(AFTER_RUSTUP, Some("exec sleep 600"));
    machine.limit = Duration::from_millis(50);
    let (found, asked) = machine.search(None);
    assert_eq!(found.unwrap(), "distribution");
    assert!(asked);
}

#[test]
fn a_rustup_that_claims_success_is_not_believed() {
    let machine = Machine::new(AFTER_RUSTUP, Some("exit 0"));
    let (found, _) = machine.search(None);
    assert_eq!(found.unwrap(), "distribution");
}

#[test]
fn without_rustup_it_is_the_distribution() {
    let machine = Machine::new(FAILS, None);
    let (found, asked) = machine.search(None);
    assert_eq!(found.unwrap(), "distribution");
    assert!(asked);
}

#[test]
fn who_chose_rustup_gets_rustup_or_an_error() {
    let machine = Machine::new(FAILS, Some(FAILS));
    let (found, asked) = machine.search(Some(Way::Rustup));
    assert_eq!(found.unwrap_err().to_string(), format!("rustup could not add {TARGET}"));
    assert!(!asked);
}

#[test]
fn who_chose_the_distribution_never_meets_rustup() {
    let machine = Machine::new(FAILS, Some(r#"touch "$added""#));
    let (found, asked) = machine.search(Some(Way::Distribution));
    assert_eq!(found.unwrap(), "distribution");
    assert!(asked && !machine.path("target-added").exists());
}

#[test]
fn the_choice_is_one_of_two_words() {
    let read = |text: &str| way(Some(OsStr::new(text)));
    assert_eq!(way(None).unwrap(), None);
    assert_eq!(read("").unwrap(), None);
    assert_eq!(read("rustup").unwrap(), Some(Way::Rustup));
    assert_eq!(read("distribution").unwrap(), Some(Way::Distribution));
    let error = read("debian").unwrap_err().to_string();
    assert!(error.contains("\"debian\"") && error.contains("`rustup` or `distribution`"));
}

#[test]
fn others_can_call_a_toolchain_by_a_script() {
    let directory = tempfile::tempdir().unwrap();
    let toolchain = |env| Toolchain {
        description: String::new(),
        cargo: "/usr/bin/env".into(),
        cargo_clippy: None,
        env,
    };
    assert_eq!(toolchain(Vec::new()).script(directory.path()).unwrap(), None);

    let env = vec![("RUSTC".into(), "it's private".into())];
    let script = toolchain(env).script(directory.path()).unwrap().unwrap();
    let said = Run::new(&script).env("RUSTUP_TOOLCHAIN", "another").arg("A=b c").quiet().unwrap();
    assert!(said.lines().any(|line| line == "RUSTC=it's private"), "{said}");
    assert!(said.lines().any(|line| line == "A=b c"), "{said}");
    assert!(!said.lines().any(|line| line.starts_with("RUSTUP_TOOLCHAIN=")), "{said}");
}
