//! Sentences for people.

use std::fmt::Display;

use aper::sync::Outcome;
use aper_client_wasm::{Connection, Error, ErrorCode, ProblemCode, Status};

/// The connection as the styles and the tests have it.
#[must_use]
pub fn word(connection: Connection) -> &'static str {
    match connection {
        Connection::Connecting => "connecting",
        Connection::Online => "online",
        Connection::Offline => "offline",
        Connection::Closed => "closed",
    }
}

/// How things stand, in two or three words. (That something is being saved is
/// said beside it, and only of what takes its time.)
#[must_use]
pub fn label(status: &Status) -> String {
    let link = match status.connection {
        Connection::Online => return "All saved".to_owned(),
        Connection::Connecting => "Connecting…",
        Connection::Offline => "Offline",
        Connection::Closed => "Disconnected",
    };
    match status.pending {
        0 => link.to_owned(),
        pending => format!("{link} · {pending} not saved"),
    }
}

/// The same in a sentence.
#[must_use]
pub fn hint(status: &Status) -> String {
    let link = match status.connection {
        Connection::Online if status.is_saved() => {
            return "All changes are saved and seen by everybody".to_owned();
        }
        Connection::Online => "Your changes are on their way.",
        Connection::Connecting => "Connecting to the server.",
        Connection::Offline => "No connection. You can go on: changes are sent when it is back.",
        Connection::Closed => "The connection is closed.",
    };
    let fate = "If you close this page before the server has yours, they are lost.";
    if status.is_saved() { link.to_owned() } else { format!("{link} {fate}") }
}

/// What stands in the way and does not mend itself; none if nothing does.
#[must_use]
pub fn headline(code: ProblemCode) -> Option<&'static str> {
    Some(match code {
        // Whoever was forgotten goes on.
        ProblemCode::Forgotten => return None,
        ProblemCode::Reload => "This page is out of date.",
        ProblemCode::Refused => "The server does not let this page in.",
        ProblemCode::Replaced => "This is open somewhere else.",
        ProblemCode::SessionFull => "This session is full.",
        ProblemCode::SessionFailed => "This session has failed.",
        ProblemCode::Shutdown => "The server is restarting.",
        _ => "Something is wrong with the connection.",
    })
}

/// Why something did not happen; none if it did, or if the page is going anyway.
#[must_use]
pub fn complaint<C: Display>(ended: &Result<Outcome<C>, Error>) -> Option<String> {
    match ended {
        Ok(Outcome::Refused { refusal, affected }) => {
            let reason = sentence(&refusal.to_string());
            Some(match affected.len() {
                0 => reason,
                1 => format!("{reason} A later change of yours depended on it and went with it."),
                n => {
                    format!("{reason} {n} later changes of yours depended on it and went with it.")
                }
            })
        }
        Ok(Outcome::Confirmed(_) | Outcome::Snapshot(_)) => None,
        Err(error) if error.code == ErrorCode::Closed => None,
        Err(error) => Some(sentence(&error.to_string())),
    }
}

/// Errors begin small and end without a full stop; sentences do not.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let capital = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = capital.chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use aper::Version;
    use aper::collections::CounterConflict;
    use aper::sync::Refusal;

    use super::*;

    type Ended = Result<Outcome<CounterConflict>, Error>;

    fn status(connection: Connection, pending: usize) -> Status {
        Status { connection, pending, kept: false, problem: None }
    }

    #[test]
    fn what_is_not_saved_is_counted_where_it_waits() {
        assert_eq!(label(&status(Connection::Online, 2)), "All saved");
        assert_eq!(label(&status(Connection::Offline, 0)), "Offline");
        assert_eq!(label(&status(Connection::Offline, 2)), "Offline · 2 not saved");
        assert!(hint(&status(Connection::Offline, 2)).ends_with("they are lost."));
        assert!(!hint(&status(Connection::Offline, 0)).contains("lost"));
    }

    #[test]
    fn only_what_was_refused_is_a_complaint() {
        assert_eq!(complaint(&Ended::Ok(Outcome::Confirmed(Version(1)))), None);
        assert_eq!(complaint(&Ended::Err(Error::closed())), None);
        let refused =
            Ended::Ok(Outcome::Refused { refusal: Refusal::Unavailable, affected: Vec::new() });
        let text = "The server cannot keep anything new at the moment: try again later.";
        assert_eq!(complaint(&refused).as_deref(), Some(text));
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_ends() {
        assert_eq!(sentence("ähnlich"), "Ähnlich.");
        assert_eq!(sentence("“Doing” is full!"), "“Doing” is full!");
        assert_eq!(sentence(""), ".");
    }
}
