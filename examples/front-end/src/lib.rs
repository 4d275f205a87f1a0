//! What the example pages in Rust have in common: words for the connection and
//! for refusals, and what the page around them ([`../../shared/rust.ts`]) does.
//!
//! [`../../shared/rust.ts`]: https://github.com/aper-rs/aper/blob/main/examples/shared/rust.ts

pub mod page;
mod words;

pub use words::{complaint, headline, hint, label, sentence, word};
