//! Placeholder.
use proc_macro::TokenStream;

/// Placeholder.
#[proc_macro_derive(StateMachine, attributes(machine))]
pub fn derive(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
