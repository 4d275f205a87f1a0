//! The README's Rust, as its readers would put it together.

macro_rules! block {
    ($place:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $place, ".rs"));
    };
}

#[expect(unreachable_pub, reason = "an application would make it public")]
mod counter {
    block!("machine");
}

mod server {
    use super::counter::Counter;

    block!("server");

    #[test]
    fn is_a_program() {
        let _: fn() -> std::process::ExitCode = main;
    }
}

mod client {
    use aper_client::{Client, Options, Outcome};

    use super::counter::{Conflict, Counter, Transition};

    #[expect(clippy::let_and_return, reason = "the README goes on")]
    async fn run() -> Result<Outcome<Conflict>, aper_client::Error> {
        Ok(include!(concat!(env!("OUT_DIR"), "/client.rs")))
    }

    #[test]
    fn is_a_client() {
        drop(run());
    }
}

mod package {
    block!("package");

    #[test]
    fn is_a_program() {
        let _: fn() -> std::process::ExitCode = main;
    }
}

#[test]
fn the_browsers_class_is_the_examples() {
    let shown = include_str!(concat!(env!("OUT_DIR"), "/export.rs"));
    let compiled = include_str!("../../../examples/counter/web/src/lib.rs");
    assert!(compiled.contains(shown), "the README exports otherwise than the example: {shown}");
}
