//! The generic parameters of the struct, and what is left of them for the
//! enums.
//!
//! An enum may not have a type parameter that it does not use, and the enums
//! hold transitions and conflicts of the machine fields only. So they take
//! those parameters, in order, that the machine fields mention, and those
//! bounds that mention no other.

use std::collections::BTreeSet;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericParam, Generics, WherePredicate};

/// The parameters of the enums.
pub(crate) struct Narrowed {
    /// With defaults, without bounds: for the declaration.
    pub(crate) declared: Vec<TokenStream>,
    /// Without defaults and bounds: for `impl`.
    pub(crate) params: Vec<TokenStream>,
    /// The names alone.
    pub(crate) args: Vec<Ident>,
    /// The bounds that the user wrote.
    pub(crate) predicates: Vec<TokenStream>,
}

impl Narrowed {
    /// Keeps what `used` mentions. `self_type` stands in for `Self`, which in
    /// an enum would be the enum.
    pub(crate) fn new(generics: &Generics, used: &TokenStream, self_type: &SelfType) -> Self {
        let (mut kept, mut dropped) = (Vec::new(), BTreeSet::new());
        for param in &generics.params {
            match name(param) {
                Some(name) if mentions(used.clone(), &BTreeSet::from([name.to_string()])) => {
                    kept.push((param, name));
                }
                Some(name) => drop(dropped.insert(name.to_string())),
                None => {}
            }
        }
        let keeps = |tokens: &TokenStream| !mentions(tokens.clone(), &dropped);
        let kept_bounds = |bounded: TokenStream, bounds: Vec<TokenStream>| {
            let bounded = self_type.replace(bounded);
            let bounds = bounds.into_iter().map(|bound| self_type.replace(bound));
            let bounds: Vec<_> = bounds.filter(keeps).collect();
            (keeps(&bounded) && !bounds.is_empty()).then(|| quote!(#bounded: #(#bounds)+*))
        };

        let mut narrowed =
            Self { declared: vec![], params: vec![], args: vec![], predicates: vec![] };
        for (param, name) in kept {
            narrowed.args.push(name.clone());
            let (param, default) = match param {
                GenericParam::Type(param) => {
                    let bounds = param.bounds.iter().map(ToTokens::to_token_stream).collect();
                    narrowed.predicates.extend(kept_bounds(name.to_token_stream(), bounds));
                    let default = param.default.as_ref().map(|(_, ty)| ty.to_token_stream());
                    (name.to_token_stream(), default)
                }
                GenericParam::Const(param) => {
                    let ty = &param.ty;
                    let default = param.default.as_ref().map(|(_, value)| value.to_token_stream());
                    (quote!(const #name: #ty), default)
                }
                GenericParam::Lifetime(_) => continue,
            };
            let default = default.filter(|default| keeps(default)).map(|value| quote!(= #value));
            narrowed.declared.push(quote!(#param #default));
            narrowed.params.push(param);
        }
        for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            if let WherePredicate::Type(predicate) = predicate {
                let (lifetimes, ty) = (&predicate.lifetimes, &predicate.bounded_ty);
                let bounds = predicate.bounds.iter().map(ToTokens::to_token_stream).collect();
                narrowed.predicates.extend(kept_bounds(quote!(#lifetimes #ty), bounds));
            }
        }
        narrowed
    }
}

/// The struct's own type, with its parameters.
pub(crate) struct SelfType {
    ident: Ident,
    args: Vec<TokenStream>,
}

impl SelfType {
    pub(crate) fn new(ident: &Ident, generics: &Generics) -> Self {
        let args = generics.params.iter().map(|param| match param {
            GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
            GenericParam::Type(param) => param.ident.to_token_stream(),
            GenericParam::Const(param) => param.ident.to_token_stream(),
        });
        Self { ident: ident.clone(), args: args.collect() }
    }

    /// `tokens` with this type for `Self`. With a turbofish, which is right in
    /// types and in the expressions of const arguments alike.
    pub(crate) fn replace(&self, tokens: TokenStream) -> TokenStream {
        let replace = |tree| match tree {
            TokenTree::Ident(ident) if ident == "Self" => {
                let (mut name, args) = (self.ident.clone(), &self.args);
                name.set_span(self.ident.span().located_at(ident.span()));
                if args.is_empty() {
                    name.into_token_stream()
                } else {
                    quote_spanned!(ident.span()=> #name::<#(#args),*>)
                }
            }
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), self.replace(group.stream()));
                replaced.set_span(group.span());
                TokenTree::Group(replaced).into()
            }
            other => other.into(),
        };
        tokens.into_iter().flat_map(replace).collect()
    }
}

/// The names of the type and const parameters.
pub(crate) fn names(generics: &Generics) -> BTreeSet<String> {
    generics.params.iter().filter_map(name).map(ToString::to_string).collect()
}

fn name(param: &GenericParam) -> Option<&Ident> {
    match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    }
}

/// Whether one of `names` occurs, other than as a later segment of a path,
/// where it cannot be a parameter.
pub(crate) fn mentions(tokens: TokenStream, names: &BTreeSet<String>) -> bool {
    let mut colons = 0;
    tokens.into_iter().any(|tree| {
        let in_path = colons == 2;
        colons = match &tree {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons + 1,
            _ => 0,
        };
        match tree {
            TokenTree::Ident(ident) => !in_path && names.contains(&ident.to_string()),
            TokenTree::Group(group) => mentions(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        }
    })
}
