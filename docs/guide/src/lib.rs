//! The Rust in the guide and in the README, compiled and run with the documentation's tests.
//!
//! A page that is about one program in several files has the first of them
//! here, so that its other blocks can name it.

#[expect(missing_docs, reason = "as short as a page shows it")]
pub mod desk;

#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../start-rust.md")]
    struct StartRust;

    #[doc = include_str!("../transitions.md")]
    struct Transitions;

    #[doc = include_str!("../inspector.md")]
    struct Inspector;

    #[doc = include_str!("../recipes.md")]
    struct Recipes;

    #[doc = include_str!("../rust-front-ends.md")]
    struct RustFrontEnds;
}

#[cfg(test)]
mod readme;

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_shows_the_machine_that_its_programs_use() {
        let page = include_str!("../start-rust.md");
        let shown = format!("```rust\n// src/lib.rs\n{}```\n", include_str!("desk.rs"));
        assert!(page.contains(&shown), "docs/guide/start-rust.md shows another machine");
    }

    /// For the browser alone, and compiled for it: so they are no tests here, and
    /// say `rs` instead of `rust`.
    #[test]
    fn what_the_page_on_front_ends_shows_is_what_the_examples_have() {
        let page = include_str!("../rust-front-ends.md");
        let examples = [
            include_str!("../../../examples/leptos-todo/src/list.rs"),
            include_str!("../../../examples/yew-stickers/src/others.rs"),
        ];
        let blocks = page.split("```rs\n").skip(1);
        let blocks: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(blocks.len(), examples.len());
        for (block, example) in blocks.iter().zip(examples) {
            assert!(example.contains(block), "no example has this any more:\n{block}");
        }
    }
}
