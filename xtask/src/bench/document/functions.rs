//! What the core's functions cost, and others' where they do the same.

use super::text::{MISSING, count, head, heading, picture, table};
use crate::bench::plan::SIZES;
use crate::bench::results::{Results, time};

pub(super) const PENDING: [u64; 4] = [1, 10, 100, 1_000];

/// What other libraries do too.
pub(super) const SET: &str = "set a key";
pub(super) const REBASE: &str = "rebase 10 pending";
pub(super) const BY_PENDING: &str = "rebase, by pending";

pub(super) fn write(text: &mut String, results: &Results) {
    heading(
        text,
        "The core alone",
        "One thread, no server. Time for one, by entries of the state. *Set a key*: one change, \
         and the bytes that others have to be sent of it. *Rebase*: a client has ten changes of \
         its own that have no answer, and somebody else's comes.",
    );
    let groups = grown(results, &SIZES);
    let rows = groups.iter().map(|name| by_size(results, name, &SIZES)).collect();
    table(text, &head("entries", SIZES.map(count)), rows);
    picture(text, "Time by entries of the state", "state");

    let rows = vec![by_size(results, BY_PENDING, &PENDING)];
    table(text, &head("pending", PENDING.map(count)), rows);
    picture(text, "Time of a rebase by pending transitions", "pending");

    let is_grown = |name: &str| {
        let function = name.rsplit_once('/').map_or(name, |(function, _)| function);
        function == BY_PENDING || groups.iter().any(|group| group == function)
    };
    let others = results.micro.iter().filter(|(name, _)| !is_grown(name));
    let rows = others.map(|(name, nanos)| vec![name.replace('/', ", "), time(*nanos)]).collect();
    table(text, &head("others", ["time"]), rows);
}

fn by_size(results: &Results, name: &str, sizes: &[u64]) -> Vec<String> {
    let of = |size: &u64| results.micro.get(&format!("{name}/{size}")).copied();
    let cells = sizes.iter().map(|size| of(size).map_or_else(|| MISSING.to_owned(), time));
    std::iter::once(name.replace('/', ", ")).chain(cells).collect()
}

/// The functions that were measured at several of the sizes; those that others
/// do too stand together.
fn grown(results: &Results, sizes: &[u64]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in results.micro.keys() {
        let Some((function, size)) = name.rsplit_once('/') else { continue };
        let is_size = size.parse().is_ok_and(|size: u64| sizes.contains(&size));
        if is_size && function != BY_PENDING && !names.iter().any(|known| known == function) {
            names.push(function.to_owned());
        }
    }
    names.sort_by_key(|name| (name.starts_with(REBASE) || name.starts_with(SET), name.clone()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_and_what_does_not_are_in_different_tables() {
        let names =
            ["apply/in place/10", "set a key/yrs/10", "codec/decode", "rebase, by pending/1"];
        let micro = names.map(|name| (name.to_owned(), 1_500.0)).into_iter().collect();
        let results = Results { micro, ..Results::default() };
        assert_eq!(grown(&results, &SIZES), ["apply/in place", "set a key/yrs"]);
        let mut text = String::new();
        write(&mut text, &results);
        assert!(text.contains("| apply, in place | 1.50 µs | – | – | – |"), "{text}");
        assert!(text.contains("| codec, decode | 1.50 µs |"), "{text}");
    }
}
