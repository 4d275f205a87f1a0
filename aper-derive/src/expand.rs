//! From a checked machine to Rust: the two enums and what they implement, the
//! constructors, and the impl.
//!
//! The traits of the enums are written out instead of derived, since a derive
//! asks its bounds of the type parameters, and here they must be asked, if at
//! all, of the transitions and conflicts of the fields. `serde`'s derives can
//! be told so.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::check::{Machine, Part};
use crate::part::{as_machine, as_part, checks, parts_are_machines};

/// All that is made of `machine`. `lenient`: it is known to be wrong, so the
/// impl must not complain of anything else.
pub(crate) fn expand(machine: &Machine, lenient: bool) -> TokenStream {
    let transition = Enum::transition(machine);
    let conflict = Enum::conflict(machine);
    let enums = [&transition, &conflict].map(|of| {
        let (declaration, basics) = (of.declaration(machine), of.basics(&machine.aper));
        quote!(#declaration #basics)
    });
    let error = error(machine, &conflict);
    let constructors = constructors(machine, &transition);
    let state_machine = state_machine(machine, &transition, &conflict, lenient);
    let presence = if lenient { None } else { presence(machine) };
    let checks = checks(machine);
    quote!(#checks #(#enums)* #error #constructors #state_machine #presence)
}

/// One of the two enums.
struct Enum<'a> {
    ident: &'a Ident,
    doc: String,
    variants: Vec<Variant<'a>>,
    /// `<T, const N: usize>`, for `impl`.
    params: TokenStream,
    /// The type with its arguments.
    ty: TokenStream,
    predicates: Vec<TokenStream>,
}

struct Variant<'a> {
    ident: &'a Ident,
    doc: String,
    inner: TokenStream,
}

impl<'a> Enum<'a> {
    fn transition(machine: &'a Machine) -> Self {
        let doc =
            format!("What can happen to a `{}`: one variant for each part of it.", machine.ident);
        Self::new(machine, &machine.transition, doc, &format_ident!("Transition"), |part| {
            format!("Happens to `{}`.", part.label)
        })
    }

    fn conflict(machine: &'a Machine) -> Self {
        let doc = format!(
            "Why a transition of a `{}` was refused: one variant for each part that can refuse.",
            machine.ident
        );
        Self::new(machine, &machine.conflict, doc, &format_ident!("Conflict"), |part| {
            format!("`{}` refused.", part.label)
        })
    }

    fn new(
        machine: &'a Machine,
        ident: &'a Ident,
        doc: String,
        associated: &Ident,
        variant_doc: impl Fn(&Part) -> String,
    ) -> Self {
        let (params, args) = (&machine.narrowed.params, &machine.narrowed.args);
        let variants = machine.parts.iter().map(|part| {
            let as_part = as_part(machine, part);
            Variant {
                ident: &part.variant,
                doc: variant_doc(part),
                inner: quote!(#as_part::#associated),
            }
        });
        let mut predicates = machine.narrowed.predicates.clone();
        predicates.extend(parts_are_machines(machine));
        Self {
            ident,
            doc,
            variants: variants.collect(),
            params: angled(params),
            ty: if args.is_empty() { quote!(#ident) } else { quote!(#ident<#(#args),*>) },
            predicates,
        }
    }

    fn declaration(&self, machine: &Machine) -> TokenStream {
        let Self { ident, doc, predicates, .. } = self;
        let Machine { aper, vis, derives, .. } = machine;
        let params = angled(&machine.narrowed.declared);
        let serde = quote!(#aper::__private::serde);
        let serde_path = serde.to_string().replace(' ', "");
        let rename_all = machine.rename_all.iter();
        // Only where there is something to bound: ts-rs reads this as well.
        let bound = (!machine.narrowed.params.is_empty()).then(|| quote!(#[serde(bound = "")]));
        let variants = self.variants.iter().map(|Variant { ident, doc, inner }| {
            quote! {
                #[doc = #doc]
                #ident(#inner)
            }
        });
        quote! {
            #[doc = #doc]
            #[derive(#serde::Serialize, #serde::Deserialize #(, #derives)*)]
            #[serde(crate = #serde_path)]
            #(#[serde(rename_all = #rename_all)])*
            #bound
            #[allow(clippy::enum_variant_names, clippy::large_enum_variant)]
            #vis enum #ident #params where #(#predicates,)* {
                #(#variants,)*
            }
        }
    }

    /// `Clone`, `Debug`, `PartialEq` and `Eq`.
    fn basics(&self, aper: &TokenStream) -> TokenStream {
        let Self { params, ty, predicates, .. } = self;
        let clone =
            self.each(|_, variant| quote!(Self::#variant(::core::clone::Clone::clone(inner))));
        let debug = self.each(
            |name, _| quote!(::core::fmt::Formatter::debug_tuple(f, #name).field(inner).finish()),
        );
        let private = quote!(#aper::__private);
        let otherwise = (self.variants.len() > 1).then(|| quote!(_ => false,));
        let eq = if self.variants.is_empty() {
            quote!(match *self {})
        } else {
            let arms = self.variants.iter().enumerate().map(|(i, variant)| {
                let ident = variant.ident;
                quote! {
                    (Self::#ident(left), Self::#ident(right)) => {
                        #private::PartialEqPart::<'_, #i>::equals(left, right)
                    }
                }
            });
            quote!(match (self, other) { #(#arms)* #otherwise })
        };
        // There, if it is there for what the variants hold.
        let all = |bound: TokenStream| -> TokenStream {
            let inner = self.variants.iter().map(|variant| &variant.inner);
            let i = 0..self.variants.len();
            quote!(#(for<'__machine> #inner: #private::#bound<'__machine, #i>,)*)
        };
        let (all_partial_eq, all_eq) = (all(quote!(PartialEqPart)), all(quote!(EqPart)));
        quote! {
            #[automatically_derived]
            impl #params ::core::clone::Clone for #ty where #(#predicates,)* {
                fn clone(&self) -> Self {
                    #clone
                }
            }

            #[automatically_derived]
            impl #params ::core::fmt::Debug for #ty where #(#predicates,)* {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #debug
                }
            }

            #[automatically_derived]
            impl #params ::core::cmp::PartialEq for #ty where #(#predicates,)* #all_partial_eq {
                fn eq(&self, other: &Self) -> bool {
                    #eq
                }
            }

            #[automatically_derived]
            impl #params ::core::cmp::Eq for #ty where #(#predicates,)* #all_eq {}
        }
    }

    /// A `match` on `self` that binds what is in each variant as `inner`.
    fn each(&self, arm: impl Fn(&str, &Ident) -> TokenStream) -> TokenStream {
        if self.variants.is_empty() {
            return quote!(match *self {});
        }
        let arms = self.variants.iter().map(|variant| {
            let ident = variant.ident;
            let arm = arm(&ident.to_string(), ident);
            quote!(Self::#ident(inner) => #arm)
        });
        quote!(match self { #(#arms,)* })
    }
}

/// `Display` and `Error` of the conflict.
fn error(machine: &Machine, conflict: &Enum<'_>) -> TokenStream {
    let Enum { params, ty, predicates, .. } = conflict;
    let label = |variant: &Ident| {
        let part = machine.parts.iter().find(|part| part.variant == *variant);
        part.map_or("", |part| &part.label)
    };
    let display = conflict.each(|_, variant| {
        let label = label(variant);
        quote!(::core::write!(f, "{}: {}", #label, inner))
    });
    let source = conflict.each(|_, _| quote!(::core::option::Option::Some(inner)));
    quote! {
        #[automatically_derived]
        impl #params ::core::fmt::Display for #ty where #(#predicates,)* {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #display
            }
        }

        #[automatically_derived]
        impl #params ::core::error::Error for #ty where #(#predicates,)* {
            fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                #source
            }
        }
    }
}

fn constructors(machine: &Machine, transition: &Enum<'_>) -> TokenStream {
    let (impl_generics, type_generics, _) = machine.generics.split_for_impl();
    let predicates = predicates(machine);
    let (ident, ty, enum_ident) = (&machine.ident, &transition.ty, transition.ident);
    let constructors = machine.parts.iter().zip(&transition.variants).map(|(part, variant)| {
        let Part { vis, constructor, variant: variant_ident, label, .. } = part;
        let doc = format!("The transition of the whole that does `transition` to `{label}`.");
        let inner = &variant.inner;
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #[must_use]
            #vis fn #constructor(transition: #inner) -> #ty {
                #enum_ident::#variant_ident(transition)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #ident #type_generics where #(#predicates,)* {
            #(#constructors)*
        }
    }
}

fn state_machine(
    machine: &Machine,
    transition: &Enum<'_>,
    conflict: &Enum<'_>,
    lenient: bool,
) -> TokenStream {
    let Machine { aper, ident, name, schema, .. } = machine;
    let (impl_generics, type_generics, _) = machine.generics.split_for_impl();
    let mut predicates = predicates(machine);
    for param in machine.generics.type_params() {
        let param = &param.ident;
        predicates.push(quote!(#param: 'static));
    }
    if lenient || !machine.generics.params.is_empty() {
        // What the trait asks of the state. With parameters, only the user's
        // own derives know when it holds.
        let serde = quote!(#aper::__private::serde);
        predicates.push(quote! {
            for<'__machine> Self: ::core::clone::Clone + #serde::Serialize
                + #serde::de::DeserializeOwned + ::core::marker::Send + ::core::marker::Sync
        });
        predicates.push(quote!(Self: 'static));
    }
    let (transition_ty, conflict_ty) = (&transition.ty, &conflict.ty);
    let atomic = machine.parts.iter().map(|part| as_machine(machine, part));
    let methods = [
        apply(machine),
        scheduled(machine),
        on_client(machine),
        predict(machine),
        merge(machine),
        inverse(machine),
        diff(machine),
    ];
    quote! {
        #[automatically_derived]
        impl #impl_generics #aper::StateMachine for #ident #type_generics where #(#predicates,)* {
            const NAME: &'static str = #name;
            const SCHEMA: u32 = #schema;
            const ATOMIC: bool = true #(&& #atomic::ATOMIC)*;
            type Transition = #transition_ty;
            type Conflict = #conflict_ty;
            #(#methods)*
        }
    }
}

/// What clients show each other, if the machine says what.
fn presence(machine: &Machine) -> Option<TokenStream> {
    let Machine { aper, ident, generics, presence, .. } = machine;
    let presence = presence.as_ref()?;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
    // Only of a generic machine is it not known already.
    let is_generic = !generics.params.is_empty();
    let is_machine = is_generic.then(|| quote!(Self: #aper::StateMachine,)).into_iter();
    Some(quote! {
        #[automatically_derived]
        impl #impl_generics #aper::WithPresence for #ident #type_generics
        where #(#is_machine)* #(#predicates,)* {
            type Presence = #presence;
        }
    })
}

fn apply(machine: &Machine) -> TokenStream {
    let Machine { aper, conflict, .. } = machine;
    let body = on_transition(machine, |part| {
        let (as_machine, member, variant) =
            (as_machine(machine, part), &part.member, &part.variant);
        quote! {
            match #as_machine::apply(&mut self.#member, inner, cx) {
                ::core::result::Result::Ok(()) => ::core::result::Result::Ok(()),
                ::core::result::Result::Err(inner) => {
                    ::core::result::Result::Err(#conflict::#variant(inner))
                }
            }
        }
    });
    quote! {
        fn apply(
            &mut self,
            transition: &Self::Transition,
            cx: &#aper::Context,
        ) -> ::core::result::Result<(), Self::Conflict> {
            #body
        }
    }
}

fn scheduled(machine: &Machine) -> TokenStream {
    let Machine { aper, transition, .. } = machine;
    let timers = machine.parts.iter().map(|part| {
        let (as_machine, member, variant) =
            (as_machine(machine, part), &part.member, &part.variant);
        quote! {
            match #as_machine::scheduled(&self.#member) {
                ::core::option::Option::Some(#aper::Scheduled { at, transition }) => {
                    ::core::option::Option::Some(#aper::Scheduled {
                        at,
                        transition: #transition::#variant(transition),
                    })
                }
                ::core::option::Option::None => ::core::option::Option::None,
            }
        }
    });
    let count = machine.parts.len();
    quote! {
        fn scheduled(
            &self,
        ) -> ::core::option::Option<#aper::Scheduled<Self::Transition>> {
            let timers: [::core::option::Option<#aper::Scheduled<Self::Transition>>; #count] =
                [#(#timers),*];
            // Of several that are due at the same time, the first.
            ::core::iter::Iterator::min_by_key(
                ::core::iter::Iterator::flatten(::core::iter::IntoIterator::into_iter(timers)),
                |timer| timer.at,
            )
        }
    }
}

fn on_client(machine: &Machine) -> TokenStream {
    let Machine { aper, transition, .. } = machine;
    let body = if let Some(path) = &machine.on_client {
        quote!(#path(self, event))
    } else {
        let answers = machine.parts.iter().map(|part| {
            let (as_machine, member) = (as_machine(machine, part), &part.member);
            let variant = &part.variant;
            quote! {
                if let ::core::option::Option::Some(inner) =
                    #as_machine::on_client(&self.#member, event)
                {
                    return ::core::option::Option::Some(#transition::#variant(inner));
                }
            }
        });
        quote!(#(#answers)* ::core::option::Option::None)
    };
    quote! {
        fn on_client(
            &self,
            event: &#aper::ClientEvent,
        ) -> ::core::option::Option<Self::Transition> {
            #body
        }
    }
}

fn predict(machine: &Machine) -> TokenStream {
    let aper = &machine.aper;
    let body = on_transition(machine, |part| {
        let (as_machine, member) = (as_machine(machine, part), &part.member);
        quote!(#as_machine::predict(&self.#member, inner))
    });
    quote! {
        fn predict(&self, transition: &Self::Transition) -> #aper::Prediction {
            #body
        }
    }
}

fn merge(machine: &Machine) -> TokenStream {
    let transition = &machine.transition;
    let arms = machine.parts.iter().map(|part| {
        let (as_machine, variant) = (as_machine(machine, part), &part.variant);
        quote! {
            (#transition::#variant(earlier), #transition::#variant(later)) => {
                ::core::option::Option::map(
                    #as_machine::merge(earlier, later),
                    #transition::#variant,
                )
            }
        }
    });
    // Of one part, a second arm would never match.
    let others = (machine.parts.len() != 1).then(|| quote!(_ => ::core::option::Option::None,));
    quote! {
        fn merge(
            earlier: &Self::Transition,
            later: &Self::Transition,
        ) -> ::core::option::Option<Self::Transition> {
            match (earlier, later) { #(#arms)* #others }
        }
    }
}

fn inverse(machine: &Machine) -> TokenStream {
    let transition = &machine.transition;
    let body = on_transition(machine, |part| {
        let (as_machine, member, variant) =
            (as_machine(machine, part), &part.member, &part.variant);
        quote! {
            ::core::iter::Iterator::collect(::core::iter::Iterator::map(
                ::core::iter::IntoIterator::into_iter(
                    #as_machine::inverse(&self.#member, inner)
                ),
                #transition::#variant,
            ))
        }
    });
    quote! {
        fn inverse(
            &self,
            transition: &Self::Transition,
        ) -> ::std::vec::Vec<Self::Transition> {
            #body
        }
    }
}

fn diff(machine: &Machine) -> TokenStream {
    let aper = &machine.aper;
    let places = machine.parts.iter().map(|part| {
        let member = &part.member;
        quote!(#aper::diff::PartAt::of(&self.#member))
    });
    let arms = machine.parts.iter().enumerate().map(|(number, part)| {
        let (as_machine, member) = (as_machine(machine, part), &part.member);
        quote!(#number => #as_machine::diff(&self.#member, &earlier.#member, diff))
    });
    quote! {
        fn diff<__D: #aper::diff::Diff>(
            &self,
            earlier: &Self,
            diff: &mut __D,
        ) -> ::core::result::Result<(), <__D as #aper::diff::Diff>::Error> {
            #aper::diff::diff_parts(self, earlier, &[#(#places),*], diff, |part, diff| match part {
                #(#arms,)*
                _ => ::core::result::Result::Ok(()),
            })
        }
    }
}

/// A `match` on the parameter `transition`.
fn on_transition(machine: &Machine, arm: impl Fn(&Part) -> TokenStream) -> TokenStream {
    if machine.parts.is_empty() {
        return quote!(match *transition {});
    }
    let transition = &machine.transition;
    let arms = machine.parts.iter().map(|part| {
        let (variant, arm) = (&part.variant, arm(part));
        quote!(#transition::#variant(inner) => #arm)
    });
    quote!(match transition { #(#arms,)* })
}

/// What the struct's own impls ask: what the user wrote, and that the fields
/// are machines.
fn predicates(machine: &Machine) -> Vec<TokenStream> {
    let written = machine.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    written.map(|predicate| quote!(#predicate)).chain(parts_are_machines(machine)).collect()
}

fn angled(params: &[TokenStream]) -> TokenStream {
    if params.is_empty() { TokenStream::new() } else { quote!(<#(#params),*>) }
}
