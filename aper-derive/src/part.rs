//! How what is made refers to a field as a machine.
//!
//! If the field is none, the compiler would say so for each of the many places
//! where it is used as one, each time in other words. So for each field there
//! is a constant that is compiled only if it is a machine, and the field's type
//! is used as a machine only together with that constant: then the error is in
//! the constant alone, at the field's type, and of a type with an error in it
//! nothing else is ever told.
//!
//! A constant cannot depend on the parameters of the struct. A field that does
//! is asked by a bound, and it is an error where the bound does not hold.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::check::{Machine, Part};

/// For each field that does not depend on a parameter, a constant that is
/// compiled only if it is a machine.
pub(crate) fn checks(machine: &Machine) -> TokenStream {
    let aper = &machine.aper;
    let checks = machine.parts.iter().filter(|part| !part.generic).map(|part| {
        let (name, ty) = (check_name(machine, part), &part.ty);
        quote_spanned!(part.span=> const #name: bool = #aper::__private::is_machine::<#ty>();)
    });
    quote!(#(#[doc(hidden)] #[allow(non_upper_case_globals)] #checks)*)
}

/// As unique as the enum's name.
fn check_name(machine: &Machine, part: &Part) -> Ident {
    format_ident!("__{}_{}_is_machine", machine.transition, part.variant)
}

/// The field's type as what has a `Transition` and a `Conflict`.
pub(crate) fn as_part(machine: &Machine, part: &Part) -> TokenStream {
    let (aper, ty) = (&machine.aper, &part.ty);
    if part.generic {
        return quote_spanned!(part.span=> <#ty as #aper::StateMachine>);
    }
    let check = check_name(machine, part);
    quote_spanned!(part.span=> <#ty as #aper::__private::Part<{ #check }>>)
}

/// The field as a machine.
pub(crate) fn as_machine(machine: &Machine, part: &Part) -> TokenStream {
    let (aper, as_part) = (&machine.aper, as_part(machine, part));
    if part.generic { as_part } else { quote!(<#as_part::Machine as #aper::StateMachine>) }
}

/// For those fields of which it depends on the parameters. The others are asked
/// in [`checks`].
pub(crate) fn parts_are_machines(machine: &Machine) -> impl Iterator<Item = TokenStream> {
    machine.parts.iter().filter(|part| part.generic).map(|part| {
        let (aper, ty) = (&machine.aper, &part.ty);
        quote!(#ty: #aper::StateMachine)
    })
}
