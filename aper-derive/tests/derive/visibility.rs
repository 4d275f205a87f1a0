//! Who may see what: the enums as the struct, a constructor as its field.

use aper::{Context, StateMachine};

use crate::machines::Add;

mod inner {
    pub(super) mod innermost {
        use serde::{Deserialize, Serialize};

        use crate::machines::{Add, Tally};

        #[derive(Clone, Default, Serialize, Deserialize, aper::StateMachine)]
        pub(in crate::visibility) struct Board {
            pub(in crate::visibility) open: Tally,
            closed: Tally,
        }

        impl Board {
            /// What a module offers instead of the field.
            pub(in crate::visibility) fn one_more() -> BoardTransition {
                Self::closed(Add(1))
            }
        }

        /// Seen here only, and so are its enums.
        #[derive(Clone, Serialize, Deserialize, aper::StateMachine)]
        struct Private {
            tally: Tally,
        }
    }
}

#[test]
fn constructors_are_seen_where_the_field_is() {
    use inner::innermost::{Board, BoardTransition};

    let mut board = Board::default();
    board.apply(&Board::open(Add(1)), &Context::for_test()).unwrap();
    board.apply(&Board::one_more(), &Context::for_test()).unwrap();
    // A variant cannot be hidden.
    board.apply(&BoardTransition::Closed(Add(1)), &Context::for_test()).unwrap();
    assert_eq!(board.open.count, 1);
}
