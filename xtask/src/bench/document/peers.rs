//! Beside the servers that other people use.

use super::text::{cell, count, head, heading, table};
use crate::bench::plan::{APER, BROADCASTERS, CALM, IDLE, ON_DISK, PEERS, Server, saturated};
use crate::bench::results::Results;

pub(super) fn write(text: &mut String, results: &Results) {
    let was_measured = |server: &Server| results.get(IDLE, server.name, "resident_mib").is_some();
    if !PEERS.iter().any(was_measured) {
        return;
    }
    heading(
        text,
        "Beside what others use",
        "`cargo xtask bench --peers`. The same clients, on the same core. *ws* passes on to \
         everybody what it is sent, as it is, and holds nothing: what Node can do. *y-websocket* \
         holds a Yjs document in memory, and its clients are told of every change by it; each \
         mutation is an update that sets a number, as Yjs writes it. Of Aper there is the server \
         that keeps everything on the disk too, which neither of them does. Left out are \
         Hocuspocus and Colyseus, whose present versions need a newer Node than this project \
         asks for; Colyseus moreover tells changes at a fixed rate, so that a delivery of a \
         mutation is nothing that it has.",
    );
    let clients = [10, 100, 500];
    let row = |server: Server| {
        let of = |scenario: &str, figure| cell(results.get(scenario, server.name, figure));
        let mut row = vec![server.name.to_owned()];
        row.extend(clients.map(|clients| of(&saturated(clients), "cpu_us_per_delivery")));
        row.push(of(CALM, "cpu_us_per_delivery"));
        row.push(of(CALM, "latency_p50_us"));
        row.push(of(CALM, "latency_p99_us"));
        row.push(of(IDLE, "kib_per_connection"));
        row
    };
    let saturated = clients.map(|clients| format!("µs a delivery, {} clients", count(clients)));
    let others = ["20 mutations/s in all, µs", "p50, µs", "p99, µs", "KiB a connection"];
    let titles = saturated.into_iter().chain(others.map(str::to_owned));
    let servers = BROADCASTERS.into_iter().filter(|server| *server != APER);
    let servers = [APER, ON_DISK].into_iter().chain(PEERS).chain(servers);
    table(text, &head("", titles), servers.map(row).collect());
    text.push_str(
        "\nThe libraries alone, one beside the other, are under *set a key* and *rebase* above: \
         Aper 0.5 and 0.3, the versions before this one; yrs, automerge and loro, whose updates \
         can be merged without a server, which is what they pay for; and a plain `BTreeMap` with \
         the change encoded.\n",
    );
}
