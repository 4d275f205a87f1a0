//! The derive macro of Aper. Use it through the `aper` crate, which exports it
//! as `aper::StateMachine`, beside the trait of that name.
//!
//! `parse` reads the attributes, `check` makes of them and of the struct what
//! is to be made, or says why not, and `expand` writes it, with `part` for what
//! is said of a field. Every error is at the user's own token, all are told at
//! once, and the impl is there even so: nothing that only follows from a
//! mistake is told beside it.

mod case;
mod check;
mod expand;
mod generics;
mod parse;
mod part;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use check::Machine;
use parse::Errors;

/// Makes a state machine of a struct whose fields are state machines.
///
/// ```
/// use aper::{Context, StateMachine};
/// use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Default, Serialize, Deserialize)]
/// # struct Tally { count: u32 }
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// # struct Add(u32);
/// # #[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
/// # #[error("{0} is above ten")]
/// # struct AboveTen(u32);
/// # impl StateMachine for Tally {
/// #     const NAME: &'static str = "tally";
/// #     type Transition = Add;
/// #     type Conflict = AboveTen;
/// #     fn apply(&mut self, Add(more): &Add, _: &Context) -> Result<(), AboveTen> {
/// #         let count = self.count + more;
/// #         if count > 10 { return Err(AboveTen(count)) }
/// #         self.count = count;
/// #         Ok(())
/// #     }
/// # }
///
/// // `Tally` is a machine that counts to ten: its transition is `Add`.
/// #[derive(Clone, Default, Serialize, Deserialize, StateMachine)]
/// struct ScoreBoard {
///     home: Tally,
///     away_team: Tally,
///     #[machine(skip)]
///     title: String,
/// }
///
/// let mut board = ScoreBoard::default();
/// let cx = Context::for_test();
/// board.apply(&ScoreBoardTransition::Home(Add(3)), &cx).unwrap();
/// board.apply(&ScoreBoard::away_team(Add(4)), &cx).unwrap(); // the same, shorter
///
/// let conflict = board.apply(&ScoreBoard::away_team(Add(7)), &cx).unwrap_err();
/// assert_eq!(conflict, ScoreBoardConflict::AwayTeam(AboveTen(11)));
/// assert_eq!(conflict.to_string(), "away_team: 11 is above ten");
/// assert_eq!(ScoreBoard::NAME, "score-board");
/// ```
///
/// # What it makes
///
/// For a struct `Board`, of named fields or a tuple struct:
///
/// - `enum BoardTransition`, what can happen to it: one variant for each field,
///   named after it (`away_team` → `AwayTeam`, the tuple's `0` → `Field0`), with
///   that field's transition in it. In JSON and in JavaScript:
///   `{ "AwayTeam": … }`.
/// - `enum BoardConflict`, why it was refused: the same with the fields'
///   conflicts. Its message is the field's name and the conflict's message; its
///   `source` is the field's conflict.
/// - For each field a function of its name that makes a transition:
///   `Board::away_team(transition)`. For a tuple's `0` it is `field0`.
/// - `impl StateMachine for Board`.
///
/// The enums are as visible as the struct, and all their variants with them,
/// since a variant cannot be hidden. A function is as visible as its field.
///
/// Both enums have `Clone`, `Debug`, `Serialize`, `Deserialize`, and
/// `PartialEq` and `Eq` as far as the transitions or the conflicts of all fields
/// have them.
///
/// The impl passes everything on to the fields:
///
/// - `apply` and `predict`, to the field that the transition names.
/// - `scheduled` is the earliest timer of all fields; of two for the same time,
///   that of the field that comes first.
/// - `on_client` is the answer of the first field that has one. There can be
///   only one: **if more than one field answers to clients, the others do not
///   hear of them**; then write a function that decides, and name it with
///   `#[machine(on_client = …)]`.
/// - `ATOMIC` is true when it is for all fields.
/// - `diff` is that of each field, by the name under which the struct's
///   `Serialize` shows it.
///
/// In the binary encoding a variant is the number of its field, not counting
/// those that are skipped. So to add, remove, skip or reorder fields is to
/// change the encoding, and `SCHEMA` must grow.
///
/// # Attributes of the struct
///
/// | `#[machine(…)]` | |
/// |---|---|
/// | `name = "score-board"` | [`NAME`]; otherwise the struct's name in kebab-case |
/// | `schema = 2` | [`SCHEMA`]; otherwise 1 |
/// | `transition = Move` | the name of the transition's type |
/// | `conflict = Refusal` | the name of the conflict's type |
/// | `on_client = path` | a `fn(&Self, &ClientEvent) -> Option<Self::Transition>` that answers instead of the fields; a method, as `Self::greet`, or any other |
/// | `presence = Cursor` | the type of what clients show each other: [`WithPresence`] |
/// | `rename_all = "camelCase"` | how serde writes the names of the variants, as in serde's attribute of this name |
/// | `derive(Hash, ts_rs::TS)` | more to derive for both enums; may be repeated, also in a `cfg_attr` |
/// | `crate = path` | where `aper` is, if it is not `::aper` |
///
/// [`NAME`]: https://docs.rs/aper/latest/aper/trait.StateMachine.html#associatedconstant.NAME
/// [`WithPresence`]: https://docs.rs/aper/latest/aper/trait.WithPresence.html
/// [`SCHEMA`]: https://docs.rs/aper/latest/aper/trait.StateMachine.html#associatedconstant.SCHEMA
///
/// # Attributes of a field
///
/// | `#[machine(…)]` | |
/// |---|---|
/// | `skip` | plain data, which need not be a machine and which no transition changes |
/// | `constructor = in_cards` | the name of the function that makes the field's transitions, where the struct has a method of the field's name |
///
/// ```
/// # use aper::{ClientEvent, Context, NeverConflict, StateMachine};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Default, Serialize, Deserialize)]
/// # struct Bell { rang: u32 }
/// # #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
/// # struct Ring;
/// # impl StateMachine for Bell {
/// #     const NAME: &'static str = "bell";
/// #     type Transition = Ring;
/// #     type Conflict = NeverConflict;
/// #     fn apply(&mut self, _: &Ring, _: &Context) -> Result<(), NeverConflict> {
/// #         self.rang += 1;
/// #         Ok(())
/// #     }
/// # }
/// // `Bell` is a machine whose transition is `Ring`.
/// #[derive(Clone, Default, Serialize, Deserialize, StateMachine)]
/// #[machine(name = "front-door", schema = 2, transition = Visit, rename_all = "camelCase")]
/// #[machine(on_client = Self::greet)]
/// pub struct Door {
///     #[machine(constructor = ring)]
///     bell: Bell,
/// }
///
/// impl Door {
///     pub fn bell(&self) -> u32 {
///         self.bell.rang
///     }
///
///     fn greet(&self, event: &ClientEvent) -> Option<Visit> {
///         matches!(event, ClientEvent::Joined { .. }).then(|| Self::ring(Ring))
///     }
/// }
///
/// let mut door = Door::default();
/// door.apply(&Door::ring(Ring), &Context::for_test())?;
/// assert_eq!((Door::NAME, Door::SCHEMA, door.bell()), ("front-door", 2, 1));
/// # Ok::<(), DoorConflict>(())
/// ```
///
/// # Generic machines
///
/// Type and const parameters need no bounds for the sake of this macro: the
/// struct is a machine for those arguments with which its fields are machines
/// and it is `Clone`, `Serialize` and so on. The enums take, in order, those of
/// the parameters that the types of the machine fields mention. A lifetime
/// parameter is an error, since a machine owns its state.
///
/// ```
/// # use aper::{Context, NeverConflict, StateMachine};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone, Default, Serialize, Deserialize)]
/// # struct Bell { rang: u32 }
/// # impl StateMachine for Bell {
/// #     const NAME: &'static str = "bell";
/// #     type Transition = ();
/// #     type Conflict = NeverConflict;
/// #     fn apply(&mut self, (): &(), _: &Context) -> Result<(), NeverConflict> {
/// #         self.rang += 1;
/// #         Ok(())
/// #     }
/// # }
/// #[derive(Clone, Serialize, Deserialize, StateMachine)]
/// struct Lobby<Game, Settings> {
///     game: Game,
///     bell: Bell,
///     #[machine(skip)]
///     settings: Settings,
/// }
///
/// let mut lobby = Lobby { game: Bell::default(), bell: Bell::default(), settings: "fast".to_owned() };
/// let ring: LobbyTransition<Bell> = LobbyTransition::Game(());
/// lobby.apply(&ring, &Context::for_test()).unwrap();
/// assert_eq!(lobby.game.rang, 1);
/// ```
///
/// # Errors
///
/// Besides wrong attributes: an enum or a union; a struct of which no field is
/// a machine; a lifetime parameter; two fields whose names make the same
/// variant. A field that is not a machine is an error of the compiler at the
/// field's type, "`String` is not a state machine": put `#[machine(skip)]` on
/// it, or wrap it into one of `aper::collections`. If the type depends on a
/// parameter, the error is where the parameter is chosen.
#[proc_macro_derive(StateMachine, attributes(machine))]
pub fn derive(input: TokenStream) -> TokenStream {
    state_machine(parse_macro_input!(input as DeriveInput)).into()
}

fn state_machine(input: DeriveInput) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let machine = Machine::check(input, &mut errors);
    let mut tokens = expand::expand(&machine, !errors.is_empty());
    tokens.extend(errors.into_tokens());
    tokens
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    /// Else a renamed crate would still need the other name.
    #[test]
    fn nothing_refers_to_aper_but_by_the_given_path() {
        let tokens = super::state_machine(parse_quote! {
            #[machine(crate = elsewhere)]
            struct Board<T> {
                first: List<T>,
                second: Counter,
            }
        });
        let text = tokens.to_string();
        assert!(text.contains("elsewhere"), "{text}");
        assert!(!text.contains("aper"), "{text}");
    }
}
