//! `aper-server new`, as a process. That what it makes compiles, runs and is
//! tested is seen by `cargo xtask test --only new`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn new(arguments: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aper-server"));
    command.arg("new").args(arguments).output().unwrap()
}

/// What it says on standard error when it makes nothing.
fn refusal(arguments: &[&Path]) -> String {
    let output = new(arguments);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    said
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn an_application_is_made_and_what_to_do_next_is_said() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().join("lunch-poll");
    let output = new(&[&at]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("npm run dev") && said.contains(&*at.to_string_lossy()), "{said}");
    let read = |file: &str| fs::read_to_string(at.join(file)).unwrap();
    assert!(read("server/Cargo.toml").contains("name = \"lunch-poll-server\""));
    assert!(read("server/src/main.rs").contains("use lunch_poll_machine::Poll;"));
    assert!(read("Cargo.toml").contains("aper = { version = \""));
}

#[test]
fn a_name_and_a_checkout_can_be_given() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().join("My App");
    let output = new(&[&at, "--name".as_ref(), "my-app".as_ref(), "--aper".as_ref(), &checkout()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = fs::read_to_string(at.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("my-app-machine = { path = \"machine\" }"), "{manifest}");
    assert!(manifest.contains("aper = { path = \""), "{manifest}");
}

#[test]
fn a_directory_with_something_in_it_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().join("app");
    fs::create_dir(&at).unwrap();
    assert!(new(&[&at]).status.success(), "an empty one is taken");
    let before = fs::read_to_string(at.join("README.md")).unwrap();
    let said = refusal(&[&at, "--name".as_ref(), "other".as_ref()]);
    assert!(said.contains("is not empty: choose another directory"), "{said}");
    assert_eq!(fs::read_to_string(at.join("README.md")).unwrap(), before);

    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(refusal(&[&file]).contains("cannot be a directory"));
}

#[test]
fn what_cannot_be_is_said_before_anything_is_made() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().join("Lunch");
    assert!(refusal(&[&at]).contains("`Lunch` cannot be an application's name"));
    let good = place.path().join("lunch");
    let said = refusal(&[&good, "--aper".as_ref(), place.path()]);
    assert!(said.contains("is no checkout of Aper: it has no aper/Cargo.toml"), "{said}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
