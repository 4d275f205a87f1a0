//! The program, as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// With a journal in memory, unless the flags say where else.
fn program(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aper-server"));
    command.env_remove("APER_ADMIN_TOKEN");
    command.arg("--journal-in-memory").args(flags).stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What it says on standard error when it cannot run.
fn refusal(flags: &[&str]) -> String {
    let output = program(flags).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

/// Ends the process, whatever the test does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_taken_port_is_said_in_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refusal(&["--listen", &address]);
    let port = taken.local_addr().unwrap().port();
    assert!(said.starts_with(&format!("error: port {port} is taken by another program")), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn missing_pages_are_said_in_one_sentence() {
    let said = refusal(&["--listen", "127.0.0.1:0", "--pages", "/does/not/exist"]);
    assert_eq!(said, "error: the directory for static files, /does/not/exist, does not exist\n");
}

#[test]
fn messages_shorter_than_clients_send_are_no_limit() {
    let said = refusal(&["--listen", "127.0.0.1:0", "--max-message", "262143"]);
    assert!(said.starts_with("error: messages of 262143 bytes at most are too short"), "{said}");
    assert_eq!(said.lines().count(), 1);
    let help = String::from_utf8(program(&["--help"]).output().unwrap().stdout).unwrap();
    assert!(help.contains("Longest message of a client: 262144, the default, or more"), "{help}");
}

#[test]
fn a_schema_that_is_none_is_said_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("schema.json");
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let said = refusal(&["--document-schema", path.to_str().unwrap()]);
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    };
    assert!(refused("{").contains("it is no JSON"));
    let said = refused(r#"{ "properties": { "a": { "type": "txt" } } }"#);
    assert!(said.contains("this is no JSON Schema: /properties/a/type"), "{said}");
    let missing = refusal(&["--document-schema", "/does/not/exist"]);
    assert!(missing.starts_with("error: the schema /does/not/exist: "), "{missing}");
}

#[test]
fn an_inspector_without_a_token_is_refused_in_one_sentence() {
    let said = refusal(&["--inspector"]);
    assert!(said.starts_with("error: --inspector shows everything"), "{said}");
    assert!(said.contains("APER_ADMIN_TOKEN") && said.lines().count() == 1, "{said}");
    let output = program(&["--inspector", "--admin-token", "secret"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("at least 16 characters"), "{said}");
    let help = program(&["--help"]).env("APER_ADMIN_TOKEN", "a secret of the operator").output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    assert!(help.contains("APER_ADMIN_TOKEN") && !help.contains("a secret"), "{help}");
}

#[test]
fn its_help_names_what_it_hosts_and_its_flags() {
    let help = String::from_utf8(program(&["--help"]).output().unwrap().stdout).unwrap();
    for wanted in ["/document/SESSION", "--document-schema", "--listen", "journal", "new"] {
        assert!(help.contains(wanted), "{wanted} in {help}");
    }
}

#[test]
#[cfg(unix)]
fn it_serves_until_it_is_told_to_stop() {
    let child = program(&["--listen", "127.0.0.1:0", "--log-format", "json"]).spawn().unwrap();
    let mut running = Running(child);
    let mut log = BufReader::new(running.0.stderr.take().unwrap()).lines();
    let listening = log.find(|line| line.as_ref().unwrap().contains("listening")).unwrap().unwrap();
    let address = listening.split("\"address\":\"").nth(1).unwrap().split('"').next().unwrap();

    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"), "{answer}");

    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success());
    assert!(log.any(|line| line.unwrap().contains("all sessions ended in good order")));
}
