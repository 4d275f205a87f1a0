//! What follows from the figures for many users.

use super::text::{cell, count, head, heading, ratio, table};
use crate::bench::plan::{APER, CALM, IDLE_IN_ONE, SMALL, sessions};
use crate::bench::results::{Results, short};

/// The share of a core that is used when everybody is there.
const USED: f64 = 0.5;

/// A machine as one can be had.
const CORES: f64 = 16.0;
const GIB: f64 = 64.0;

const USERS: f64 = 1e6;

/// What a mutation costs is two parts: what it costs once, and what it costs for
/// each client that is told. What a session holds is two parts too.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Model {
    /// µs of processor for a mutation, and for each delivery of it.
    mutation: f64,
    delivery: f64,
    /// KiB of a session, and of each of its clients.
    session: f64,
    client: f64,
}

impl Model {
    /// From the measurements with the fewest clients in a session and with the
    /// most.
    fn of(results: &Results) -> Option<Self> {
        let figure = |scenario: &str, figure| results.get(scenario, APER.name, figure);
        let many = sessions(10_000);
        let cost =
            |scenario: &str, clients: f64| Some(figure(scenario, "cpu_us_per_delivery")? * clients);
        let (one, hundred) = (cost(&many, 1.0)?, cost(CALM, 100.0)?);
        let delivery = ((hundred - one) / (100.0 - 1.0)).max(0.0);
        let client = figure(IDLE_IN_ONE, "kib_per_connection")?;
        let session = figure(&many, "kib_per_session")? - client;
        Some(Self {
            mutation: (one - delivery).max(0.0),
            delivery,
            session: session.max(0.0),
            client,
        })
    }

    /// µs of processor for one mutation.
    fn of_mutation(&self, clients: f64) -> f64 {
        self.mutation + clients * self.delivery
    }

    /// KiB.
    fn of_session(&self, clients: f64) -> f64 {
        self.session + clients * self.client
    }
}

pub(super) fn write(text: &mut String, results: &Results) {
    let Some(model) = Model::of(results) else { return };
    let words = format!(
        "**A model, not a measurement**, computed from the figures above when they were written: \
         a mutation costs {} µs of processor once and {} µs for each client that is told (from \
         10,000 sessions of one client, and one of 100 with 20 mutations a second in all: few \
         enough that none shares the way with another, so a busy session costs less); a session \
         takes {} KiB and each of its clients {} KiB, both with next to no state. Assumed: each \
         core is half idle; sessions are spread evenly over cores and machines, since none needs \
         another; the journal's disk keeps up. Left out: TLS, the network, the kernel's buffers \
         (some KiB a connection), and the states themselves.",
        short(model.mutation),
        short(model.delivery),
        short(model.session),
        short(model.client),
    );
    heading(text, "A model of a large deployment", &words);
    let row = |kind: &str, clients: f64, per_second: f64| {
        let busy = clients * per_second * model.of_mutation(clients) / 1e6;
        let of_core = USED / busy;
        let cores = USERS / (of_core * clients);
        let gib = USERS / clients * model.of_session(clients) / (1024.0 * 1024.0);
        let machines = (cores / CORES).max(gib / GIB).ceil().max(1.0);
        vec![
            kind.to_owned(),
            count(clients as u64),
            short(per_second),
            short(of_core),
            short(model.of_session(clients)),
            short(of_core * clients),
            short(cores),
            short(gib),
            count(machines as u64),
        ]
    };
    let rows = vec![
        row("a board game", 4.0, 0.2),
        row("a document or a board", 8.0, 1.0),
        row("a fast game", 4.0, 10.0),
        row("an event", 100.0, 0.05),
    ];
    let titles = [
        "clients of a session".to_owned(),
        "mutations/s of each".to_owned(),
        "sessions of a core".to_owned(),
        "KiB of a session".to_owned(),
        "users of a core".to_owned(),
        "cores for a million users".to_owned(),
        "GiB for them".to_owned(),
        format!("machines of {CORES} cores and {GIB} GiB"),
    ];
    table(text, &head("", titles), rows);
    check(text, results, model);
}

/// The model against something that it was not made of.
fn check(text: &mut String, results: &Results, model: Model) {
    let measured = results.get(SMALL, APER.name, "cpu_us_per_delivery");
    let Some(measured) = measured.map(|delivery| delivery * 4.0) else { return };
    let says = model.of_mutation(4.0);
    text.push_str(&format!(
        "\nOf what was measured and is not in it ({SMALL}), the model says {} µs for a mutation; \
         it was {} µs, {} times as much.\n",
        short(says),
        short(measured),
        cell(ratio(Some(measured), Some(says))),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Figures;

    fn results(one: f64, hundred: f64) -> Results {
        let mut results = Results::default();
        let mut add = |scenario: &str, figures: &[(&str, f64)]| {
            let figures: Figures =
                figures.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
            results.load.insert((scenario.to_owned(), APER.name), figures);
        };
        add(&sessions(10_000), &[("cpu_us_per_delivery", one), ("kib_per_session", 20.0)]);
        add(CALM, &[("cpu_us_per_delivery", hundred)]);
        add(IDLE_IN_ONE, &[("kib_per_connection", 10.0)]);
        add(SMALL, &[("cpu_us_per_delivery", 9.0)]);
        results
    }

    #[test]
    fn what_it_was_made_of_is_what_it_says() {
        // A mutation of 20 µs, and 5 µs for each who is told.
        let model = Model::of(&results(25.0, 5.2)).unwrap();
        assert!((model.of_mutation(1.0) - 25.0).abs() < 1e-9, "{model:?}");
        assert!((model.of_mutation(100.0) - 520.0).abs() < 1e-9, "{model:?}");
        assert_eq!((model.session, model.client), (10.0, 10.0));
    }

    #[test]
    fn it_is_shown_with_what_it_was_tried_on() {
        let mut text = String::new();
        write(&mut text, &results(25.0, 5.2));
        // 4 clients: 0.8 mutations a second of 40 µs each.
        assert!(text.contains("| a board game | 4 | 0.20 | 15,625 | 50.0 | 62,500 |"), "{text}");
        assert!(text.contains("the model says 40.0 µs for a mutation; it was 36.0 µs"), "{text}");
    }
}
