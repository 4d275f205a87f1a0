//! What the collections are in TypeScript: the shape of their encoding for
//! people.

use ts_rs::TS;

use super::{
    Atom, AtomTransition, Constant, ConstantTransition, Counter, CounterConflict,
    CounterTransition, Grid, GridConflict, GridTransition, ItemId, List, ListConflict,
    ListTransition, Map, MapConflict, MapTransition, Place, Register, RegisterTransition, Set,
    SetTransition,
};
use crate::id::ClientId;
use crate::state_machine::StateMachine;
use crate::time::Timestamp;
use crate::typescript::in_place;

in_place!(Atom<T>, [T: TS] uses T; |config| T::name(config));
in_place!(AtomTransition<T>, [T: TS] uses T; |config| format!("{{ Set: {} }}", T::name(config)));

in_place!(Constant<T>, [T: TS] uses T; |config| T::name(config));
in_place!(ConstantTransition; |_config| "never");

in_place!(Counter; |_config| "number");
in_place!(CounterTransition; |_config| "{ Add: number } | { Set: number }");
in_place!(CounterConflict; |_config| "{ OutOfRange: { value: number } }");

in_place!(Register<T>, [T: TS] uses T; |config| format!(
    "{{ value: {}, author: {}, at: {} }}",
    T::name(config), ClientId::name(config), Timestamp::name(config),
));
in_place!(RegisterTransition<T>, [T: TS] uses T; |config| format!(
    "{{ Set: {} }}", T::name(config),
));

in_place!(Set<T>, [T: TS] uses T; |config| format!("Array<{}>", T::name(config)));
in_place!(SetTransition<T>, [T: TS] uses T; |config| format!(
    "{{ Insert: {0} }} | {{ Remove: {0} }}", T::name(config),
));

in_place!(Grid<T>, [T: TS] uses T; |config| format!(
    "{{ width: number, height: number, cells: Array<{}> }}", T::name(config),
));
in_place!(GridTransition<T>, [T: TS] uses T; |config| format!(
    "{{ Set: {{ x: number, y: number, value: {0} }} }} | {{ Fill: {0} }}", T::name(config),
));
in_place!(GridConflict; |_config|
    "{ OutOfRange: { x: number, y: number, width: number, height: number } }"
);

in_place!(Map<K, V>, [K: TS, V: TS] uses K, V; |config| format!(
    "Array<[{}, {}]>", K::name(config), V::name(config),
));
in_place!(
    MapTransition<K, V>, [K: TS, V: StateMachine<Transition: TS> + TS] uses K, V, V::Transition;
    |config| format!(
        "{{ Insert: {{ key: {0}, value: {1} }} }} | {{ Remove: {{ key: {0} }} }} \
         | {{ Apply: {{ key: {0}, transition: {2} }} }}",
        K::name(config), V::name(config), V::Transition::name(config),
    )
);
in_place!(MapConflict<K, C>, [K: TS, C: TS] uses K, C; |config| format!(
    "{{ Missing: {{ key: {0} }} }} | {{ Value: {{ key: {0}, conflict: {1} }} }}",
    K::name(config), C::name(config),
));

in_place!(ItemId; |_config| "string");
in_place!(Place; |config| format!(
    "\"First\" | \"Last\" | {{ Before: {0} }} | {{ After: {0} }}", ItemId::name(config),
));
in_place!(List<T>, [T: TS] uses T; |config| format!(
    "Array<{{ id: {}, value: {} }}>", ItemId::name(config), T::name(config),
));
in_place!(
    ListTransition<T>, [T: StateMachine<Transition: TS> + TS] uses T, T::Transition;
    |config| format!(
        "{{ Insert: {{ id: {id}, place: {place}, value: {value} }} }} \
         | {{ Move: {{ id: {id}, place: {place} }} }} | {{ Remove: {{ id: {id} }} }} \
         | {{ Apply: {{ id: {id}, transition: {transition} }} }}",
        id = ItemId::name(config),
        place = Place::name(config),
        value = T::name(config),
        transition = T::Transition::name(config),
    )
);
in_place!(ListConflict<C>, [C: TS] uses C; |config| format!(
    "{{ Missing: {{ id: {id} }} }} | {{ Repeated: {{ id: {id} }} }} \
     | {{ Item: {{ id: {id}, conflict: {conflict} }} }}",
    id = ItemId::name(config),
    conflict = C::name(config),
));

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};
    use ts_rs::{Config, TypeVisitor};

    use super::*;
    use crate::collections::testing::json;
    use crate::context::Context;
    use crate::id::{UserId, Version};
    use crate::state_machine::NeverConflict;

    #[test]
    fn each_is_written_out_where_it_stands() {
        #[track_caller]
        fn check<T: TS>(text: &str) {
            assert_eq!(T::name(&Config::default()), text);
        }
        check::<Version>("number");
        check::<UserId>("string");
        check::<Atom<String>>("string");
        check::<AtomTransition<String>>("{ Set: string }");
        check::<Constant<bool>>("boolean");
        check::<ConstantTransition>("never");
        check::<Counter>("number");
        check::<CounterTransition>("{ Add: number } | { Set: number }");
        check::<Register<Option<u8>>>("{ value: number | null, author: number, at: number }");
        check::<Set<UserId>>("Array<string>");
        check::<SetTransition<UserId>>("{ Insert: string } | { Remove: string }");
        check::<Grid<Option<u8>>>("{ width: number, height: number, cells: Array<number | null> }");
        check::<Map<ClientId, Counter>>("Array<[number, number]>");
        check::<MapTransition<ClientId, Counter>>(
            "{ Insert: { key: number, value: number } } | { Remove: { key: number } } \
             | { Apply: { key: number, transition: { Add: number } | { Set: number } } }",
        );
        check::<MapConflict<ClientId, CounterConflict>>(
            "{ Missing: { key: number } } \
             | { Value: { key: number, conflict: { OutOfRange: { value: number } } } }",
        );
        check::<List<Atom<String>>>("Array<{ id: string, value: string }>");
        check::<ListConflict<NeverConflict>>(
            "{ Missing: { id: string } } | { Repeated: { id: string } } \
             | { Item: { id: string, conflict: NeverConflict } }",
        );
    }

    /// A machine of an application, as deep in collections as can be, and of
    /// which there may be more inside.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
    struct Folder {
        folders: List<Folder>,
        readers: Map<UserId, Atom<Rights>>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
    enum Rights {
        Read,
        Write,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, TS)]
    enum FolderTransition {
        // In a box, or it would contain itself and be of no size.
        Folders(Box<ListTransition<Folder>>),
        Readers(MapTransition<UserId, Atom<Rights>>),
    }

    impl StateMachine for Folder {
        const NAME: &'static str = "folder";
        type Transition = FolderTransition;
        type Conflict = NeverConflict;

        fn apply(&mut self, _: &FolderTransition, _: &Context) -> Result<(), NeverConflict> {
            Ok(())
        }
    }

    #[test]
    fn what_stands_inside_is_declared_once() {
        let mut file = Declarations::default();
        file.visit::<FolderTransition>();
        let declarations: Vec<_> = file.0.into_values().collect();
        assert_eq!(
            declarations.join("\n"),
            r#"type Folder = { folders: Array<{ id: string, value: Folder }>, readers: Array<[string, Rights]>, };
type FolderTransition = { "Folders": { Insert: { id: string, place: "First" | "Last" | { Before: string } | { After: string }, value: Folder } } | { Move: { id: string, place: "First" | "Last" | { Before: string } | { After: string } } } | { Remove: { id: string } } | { Apply: { id: string, transition: FolderTransition } } } | { "Readers": { Insert: { key: string, value: Rights } } | { Remove: { key: string } } | { Apply: { key: string, transition: { Set: Rights } } } };
type Rights = "Read" | "Write";"#
        );
        let folder = Folder {
            folders: List::try_from_iter([(ItemId::from_u128(1), Folder::default())]).unwrap(),
            readers: [(UserId::new("ada"), Atom::new(Rights::Read))].into_iter().collect(),
        };
        assert_eq!(
            json(&folder),
            r#"{"folders":[{"id":"00000000-0000-0000-0000-000000000001","value":{"folders":[],"readers":[]}}],"readers":[["ada","Read"]]}"#
        );
    }

    /// The declarations of a type and of all that it speaks of, by name: the
    /// order in which a derived type speaks of others differs from one build
    /// to the next.
    #[derive(Default)]
    struct Declarations(BTreeMap<String, String>);

    impl TypeVisitor for Declarations {
        fn visit<T: TS + 'static + ?Sized>(&mut self) {
            let config = Config::default();
            if T::output_path().is_some() && !self.0.contains_key(&T::ident(&config)) {
                self.0.insert(T::ident(&config), T::decl(&config));
                T::visit_dependencies(self);
            }
        }
    }
}
