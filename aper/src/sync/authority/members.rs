//! Who is here: clients that come, come back, and go.

use uuid::Uuid;

use super::{Authority, ConnectionId, Output, draw};
use crate::id::{ClientId, ResumeKey, UserId, Version};
use crate::journal::{Presence, Record};
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::message::Held;
use crate::protocol::{CatchUp, CloseCode, Resume, Welcome};
use crate::state_machine::{ClientEvent, StateMachine};
use crate::sync::attempt::catch;

impl<S: StateMachine> Authority<S> {
    pub(super) fn join(
        &mut self,
        connection: ConnectionId,
        user: Option<UserId>,
        resume: Option<Resume>,
        tail: Version,
        cheaper: Version,
    ) {
        let known = resume.filter(|resume| self.clients.knows(resume.client, resume.key));
        let client = match known {
            Some(resume) => resume.client,
            None => {
                let key = ResumeKey(Uuid::from_bytes(draw(&mut self.rng)));
                self.clients.add(key, self.now)
            }
        };
        let record = self.clients.get_mut(client).expect("known or just added");
        let before = record.connection.replace(connection);
        let was = std::mem::replace(&mut record.presence, Presence::Here);
        let joins = was == Presence::Away;
        let is_news = joins || record.user != user;
        record.user.clone_from(&user);
        let key = record.key;
        let welcome = Welcome {
            client,
            key,
            user: user.clone(),
            history: self.history,
            version: self.version,
            now: self.now,
            last_seq: record.last_seq,
            refused: known.map_or_else(Vec::new, |resume| record.refused_from(resume.unanswered)),
            window: limits::UNANSWERED_SUBMISSIONS,
            catch_up: CatchUp::Snapshot,
        };
        self.connections.insert(connection, client);
        if let Some(old) = before.filter(|_| !active(Mutant::KeepStaleConnection)) {
            self.connections.remove(&old);
            let reason = "the same client connected anew".to_owned();
            let code = CloseCode::Replaced;
            self.outputs.push_back(Output::Close { connection: old, code, reason });
        }
        if is_news {
            self.happens(Record::Joined { client, key, user: user.clone(), at: self.now });
        }
        if joins {
            self.client_event(&ClientEvent::Joined { client, user });
        }
        // What was decided and not heard of is told by the entries alone.
        let wants_entries = known.is_some_and(|resume| resume.unanswered <= welcome.last_seq);
        let oldest = if wants_entries { tail } else { tail.max(cheaper) };
        self.welcome(connection, welcome, known.and_then(|resume| resume.holds), oldest);
    }

    pub(super) fn welcome(
        &mut self,
        connection: ConnectionId,
        mut welcome: Welcome,
        holds: Option<Held>,
        oldest: Version,
    ) {
        let reachable = holds.filter(|held| oldest <= held.version && self.leads_here(held));
        let (image, from) = match reachable {
            Some(held) => {
                welcome.catch_up = CatchUp::Entries;
                (None, Version(held.version.0 + u64::from(active(Mutant::ResumeOffByOne))))
            }
            None => (Some(self.image()), self.version),
        };
        welcome.version = self.version;
        self.tell(Output::Welcome { connection, welcome: Box::new(welcome), image, from });
    }

    /// Whether the state that a client holds is one of this session's past, and
    /// not of a course of events that its journal does not know.
    pub(super) fn leads_here(&self, held: &Held) -> bool {
        if active(Mutant::NoHistoryCheck) {
            return held.version <= self.version;
        }
        let until = if held.history == self.history {
            Some(self.version)
        } else {
            let past = self.past.iter().rev().find(|past| past.id == held.history);
            past.map(|past| past.until)
        };
        until.is_some_and(|until| held.version <= until)
    }

    pub(super) fn leave(&mut self, connection: ConnectionId) {
        if let Some(client) = self.connections.remove(&connection) {
            self.goes_away(client);
        }
    }

    pub(super) fn goes_away(&mut self, client: ClientId) {
        let record = self.clients.get_mut(client).expect("connected clients are known");
        record.left(self.now);
        let user = record.user.clone();
        self.happens(Record::Left { client, at: self.now });
        self.client_event(&ClientEvent::Left { client, user });
    }

    pub(super) fn reattach(&mut self, connection: ConnectionId, client: ClientId) {
        match self.clients.get_mut(client) {
            Some(_) if active(Mutant::ForgetAttached) => {}
            Some(record) if record.presence == Presence::Here => {
                record.connection = Some(connection);
                self.connections.insert(connection, client);
            }
            // The journal has lost what it had: the client finds out what.
            _ => {
                let (code, reason) = (CloseCode::Restart, "the session began anew".to_owned());
                self.outputs.push_back(Output::Close { connection, code, reason });
            }
        }
    }

    pub(super) fn leave_absent(&mut self) {
        for client in self.clients.absent() {
            self.goes_away(client);
        }
    }

    pub(super) fn client_event(&mut self, event: &ClientEvent) {
        let Some(transition) = catch(|| self.state.on_client(event)).flatten() else { return };
        // The machine's own refusal of its own wish changes nothing.
        let _refused = self.accept_own(&transition);
    }

    pub(super) fn send_snapshot(&mut self, connection: ConnectionId) {
        let Some(client) = self.connections.get(&connection) else { return };
        let last_seq = self.clients.get(*client).expect("connected clients are known").last_seq;
        self.tell(Output::Snapshot { connection, image: self.image(), last_seq });
    }
}
