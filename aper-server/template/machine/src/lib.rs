//! A poll: one question, some choices, and a vote for each client.
//!
//! The rules are here, and nowhere else. They run in every browser, at once,
//! and on the server, which has the last word: when two people add the last
//! choice that there is room for, both see theirs, and one of them is told
//! [`Conflict::TooManyChoices`].
//!
//! Invariants: a client is among the voters of one choice at most; no two
//! choices read the same; nothing is longer or more than the constants say.

use aper::{ClientId, Context, StateMachine};
use serde::{Deserialize, Serialize};

/// Most choices of a poll.
pub const CHOICES: u32 = 8;

/// Longest question or choice, in characters.
pub const TEXT_CHARS: u32 = 80;

/// Most clients whose votes are counted.
pub const VOTERS: u32 = 1_000;

/// The state: what everybody sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Poll {
    /// What is asked.
    pub question: String,
    /// A choice is named by its place in this list, from 0: none ever leaves it.
    pub choices: Vec<Choice>,
    /// Whether votes still count.
    pub open: bool,
}

/// Something to vote for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Choice {
    /// What it says.
    pub text: String,
    /// Who is for it.
    pub voters: Vec<ClientId>,
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Transition {
    /// Ask something else. The choices and their votes stay.
    Ask {
        /// 1 to [`TEXT_CHARS`] characters.
        question: String,
    },
    /// Add a choice at the end.
    Add {
        /// 1 to [`TEXT_CHARS`] characters.
        text: String,
    },
    /// Vote for a choice, instead of the one voted for before.
    Vote {
        /// Its place in the list.
        choice: u32,
    },
    /// Take the vote back.
    Withdraw,
    /// Count no more votes.
    Close,
    /// Count them again.
    Reopen,
}

/// Why it did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Conflict {
    /// There is nothing to read.
    #[error("it is empty")]
    Empty,
    /// It is longer than [`TEXT_CHARS`].
    #[error("it is longer than {max} characters")]
    TooLong {
        /// How long it may be.
        max: u32,
    },
    /// There is a choice that reads the same.
    #[error("there is “{text}” already")]
    Repeated {
        /// What it says.
        text: String,
    },
    /// There are [`CHOICES`].
    #[error("there is room for {max} choices")]
    TooManyChoices {
        /// How many there may be.
        max: u32,
    },
    /// There are [`VOTERS`].
    #[error("there is room for {max} votes")]
    TooManyVoters {
        /// How many there may be.
        max: u32,
    },
    /// There is no such choice.
    #[error("there is no such choice")]
    NoSuchChoice,
    /// No votes are counted any more.
    #[error("the poll is closed")]
    Closed,
}

impl Default for Poll {
    /// A question, so that the page is not empty.
    fn default() -> Self {
        let choice = |text: &str| Choice {
            text: text.to_owned(),
            voters: Vec::new(),
        };
        Self {
            question: "Where do we eat?".to_owned(),
            choices: ["Noodles", "Pizza", "By the river"].map(choice).into(),
            open: true,
        }
    }
}

impl StateMachine for Poll {
    // Clients connect to /poll/SESSION.
    const NAME: &'static str = "poll";
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, cx: &Context) -> Result<(), Conflict> {
        match transition {
            Transition::Ask { question } => self.question = checked(question)?,
            Transition::Add { text } => self.add(checked(text)?)?,
            Transition::Vote { choice } => self.vote(cx.client(), *choice)?,
            Transition::Withdraw => self.withdraw(cx.client())?,
            Transition::Close => self.open = false,
            Transition::Reopen => self.open = true,
        }
        Ok(())
    }
}

impl Poll {
    /// What this client votes for.
    pub fn vote_of(&self, client: ClientId) -> Option<&Choice> {
        self.choices
            .iter()
            .find(|choice| choice.voters.contains(&client))
    }

    fn add(&mut self, text: String) -> Result<(), Conflict> {
        if self.choices.iter().any(|choice| choice.text == text) {
            return Err(Conflict::Repeated { text });
        }
        if self.choices.len() >= CHOICES as usize {
            return Err(Conflict::TooManyChoices { max: CHOICES });
        }
        self.choices.push(Choice {
            text,
            voters: Vec::new(),
        });
        Ok(())
    }

    fn vote(&mut self, client: ClientId, choice: u32) -> Result<(), Conflict> {
        // What is refused half-way leaves the state as it was.
        self.withdraw(client)?;
        let voters: usize = self.choices.iter().map(|choice| choice.voters.len()).sum();
        if voters >= VOTERS as usize {
            return Err(Conflict::TooManyVoters { max: VOTERS });
        }
        let choice = self.choices.get_mut(choice as usize);
        choice.ok_or(Conflict::NoSuchChoice)?.voters.push(client);
        Ok(())
    }

    fn withdraw(&mut self, client: ClientId) -> Result<(), Conflict> {
        if !self.open {
            return Err(Conflict::Closed);
        }
        for choice in &mut self.choices {
            choice.voters.retain(|voter| *voter != client);
        }
        Ok(())
    }
}

/// A text without space around it, if there is something to read.
fn checked(text: &str) -> Result<String, Conflict> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Conflict::Empty);
    }
    if text.chars().count() > TEXT_CHARS as usize {
        return Err(Conflict::TooLong { max: TEXT_CHARS });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
