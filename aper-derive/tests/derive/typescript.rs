//! The enums with `ts_rs::TS`, as the packages for JavaScript want them.

use aper::StateMachine;
use serde::{Deserialize, Serialize};
use ts_rs::{Config, TS};

use crate::machines::{Stack, Tally};

#[derive(Clone, Serialize, Deserialize, StateMachine)]
#[machine(derive(TS), rename_all = "camelCase")]
struct Board {
    red_cards: Tally,
    #[machine(skip)]
    other: Stack<u8>,
}

#[test]
fn types_for_typescript() {
    let config = Config::default();
    assert_eq!(BoardTransition::name(&config), "BoardTransition");
    assert_eq!(BoardTransition::inline(&config), r#"{ "redCards": Add }"#);
    assert_eq!(BoardConflict::inline(&config), r#"{ "redCards": TooMany }"#);
}
