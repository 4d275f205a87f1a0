use super::*;

const ADA: ClientId = ClientId(1);
const BEN: ClientId = ClientId(2);

/// Applies to a copy, as the library does, and keeps it when accepted.
fn apply(poll: &mut Poll, client: ClientId, transition: Transition) -> Result<(), Conflict> {
    let mut next = poll.clone();
    next.apply(&transition, &Context::for_test().by(client))?;
    *poll = next;
    Ok(())
}

fn votes(poll: &Poll) -> Vec<usize> {
    poll.choices
        .iter()
        .map(|choice| choice.voters.len())
        .collect()
}

fn vote(choice: u32) -> Transition {
    Transition::Vote { choice }
}

fn add(text: &str) -> Transition {
    Transition::Add {
        text: text.to_owned(),
    }
}

#[test]
fn everybody_has_one_vote_and_can_change_it() {
    let mut poll = Poll::default();
    apply(&mut poll, ADA, vote(0)).unwrap();
    apply(&mut poll, BEN, vote(0)).unwrap();
    apply(&mut poll, ADA, vote(2)).unwrap();
    assert_eq!(votes(&poll), [1, 0, 1]);
    assert_eq!(poll.vote_of(ADA).unwrap().text, "By the river");
    apply(&mut poll, BEN, Transition::Withdraw).unwrap();
    assert_eq!(votes(&poll), [0, 0, 1]);
}

#[test]
fn a_vote_for_nothing_leaves_the_one_before() {
    let mut poll = Poll::default();
    apply(&mut poll, ADA, vote(1)).unwrap();
    assert_eq!(apply(&mut poll, ADA, vote(3)), Err(Conflict::NoSuchChoice));
    assert_eq!(votes(&poll), [0, 1, 0]);
}

#[test]
fn a_closed_poll_counts_nothing_until_it_is_open_again() {
    let mut poll = Poll::default();
    apply(&mut poll, ADA, vote(1)).unwrap();
    apply(&mut poll, BEN, Transition::Close).unwrap();
    assert_eq!(apply(&mut poll, BEN, vote(0)), Err(Conflict::Closed));
    assert_eq!(
        apply(&mut poll, ADA, Transition::Withdraw),
        Err(Conflict::Closed)
    );
    apply(&mut poll, ADA, Transition::Reopen).unwrap();
    apply(&mut poll, BEN, vote(0)).unwrap();
    assert_eq!(votes(&poll), [1, 1, 0]);
}

#[test]
fn a_choice_can_be_read_and_is_there_once() {
    let mut poll = Poll::default();
    apply(&mut poll, ADA, add("  Soup ")).unwrap();
    assert_eq!(poll.choices[3].text, "Soup");
    let repeated = Conflict::Repeated {
        text: "Soup".to_owned(),
    };
    assert_eq!(apply(&mut poll, BEN, add("Soup")), Err(repeated));
    assert_eq!(apply(&mut poll, BEN, add(" \n")), Err(Conflict::Empty));
    let long = "x".repeat(TEXT_CHARS as usize + 1);
    assert_eq!(
        apply(&mut poll, BEN, add(&long)),
        Err(Conflict::TooLong { max: TEXT_CHARS })
    );
}

#[test]
fn there_is_room_for_so_many_choices_and_voters() {
    let mut poll = Poll::default();
    for number in poll.choices.len()..CHOICES as usize {
        apply(&mut poll, ADA, add(&number.to_string())).unwrap();
    }
    let full = Conflict::TooManyChoices { max: CHOICES };
    assert_eq!(apply(&mut poll, ADA, add("one more")), Err(full));
    for client in 1..=u64::from(VOTERS) {
        apply(&mut poll, ClientId(client), vote(0)).unwrap();
    }
    let full = Conflict::TooManyVoters { max: VOTERS };
    assert_eq!(
        apply(&mut poll, ClientId(u64::from(VOTERS) + 1), vote(0)),
        Err(full)
    );
    // Who has a vote can still change it.
    apply(&mut poll, ADA, vote(1)).unwrap();
    assert_eq!(votes(&poll)[..2], [VOTERS as usize - 1, 1]);
}
