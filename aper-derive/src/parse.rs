//! The syntax of `#[machine(…)]`: which keys there are, what each takes, and
//! that none is given twice. What the values mean together is `check`'s.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitInt, LitStr, Path, Token, Type, token};

/// Everything that is wrong, to be told at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

/// `#[machine(…)]` on the struct.
#[derive(Default)]
pub(crate) struct StructAttributes {
    pub(crate) name: Option<LitStr>,
    pub(crate) schema: Option<LitInt>,
    pub(crate) transition: Option<Ident>,
    pub(crate) conflict: Option<Ident>,
    pub(crate) crate_path: Option<Path>,
    pub(crate) on_client: Option<Path>,
    pub(crate) presence: Option<Type>,
    pub(crate) rename_all: Option<LitStr>,
    pub(crate) derives: Vec<Path>,
}

/// `#[machine(…)]` on a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) skip: Option<Ident>,
    pub(crate) constructor: Option<Ident>,
}

impl StructAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        for Item { key, value } in items(attributes, errors) {
            let key = &key;
            match key.to_string().as_str() {
                "name" => set(&mut found.name, key, value.assigned(key, r#""board""#), errors),
                "schema" => set(&mut found.schema, key, value.assigned(key, "2"), errors),
                "transition" => {
                    set(&mut found.transition, key, value.assigned(key, "Move"), errors);
                }
                "conflict" => {
                    set(&mut found.conflict, key, value.assigned(key, "Refusal"), errors);
                }
                "crate" => {
                    set(&mut found.crate_path, key, value.assigned(key, "renamed_aper"), errors);
                }
                "on_client" => {
                    let path = value.assigned(key, "Self::on_client_event");
                    set(&mut found.on_client, key, path, errors);
                }
                "presence" => {
                    set(&mut found.presence, key, value.assigned(key, "Cursor"), errors);
                }
                "rename_all" => {
                    let case = value.assigned(key, r#""camelCase""#);
                    set(&mut found.rename_all, key, case, errors);
                }
                // May be repeated, so that one can stand in a `cfg_attr`.
                "derive" => match value.paths(key) {
                    Ok(paths) => found.derives.extend(paths),
                    Err(error) => errors.push(error),
                },
                "skip" | "constructor" => {
                    errors.at(key, format_args!("`{key}` belongs on a field"));
                }
                _ => errors.at(
                    key,
                    format_args!(
                        "unknown attribute `{key}`; a machine has `name`, `schema`, \
                         `transition`, `conflict`, `on_client`, `presence`, `rename_all`, `derive` \
                         and `crate`"
                    ),
                ),
            }
        }
        found
    }
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Self::default();
        for Item { key, value } in items(attributes, errors) {
            let key = &key;
            match key.to_string().as_str() {
                "skip" => set(&mut found.skip, key, value.absent(key), errors),
                "constructor" => {
                    set(&mut found.constructor, key, value.assigned(key, "in_cards"), errors);
                }
                "name" | "schema" | "transition" | "conflict" | "on_client" | "presence"
                | "rename_all" | "derive" | "crate" => {
                    errors.at(key, format_args!("`{key}` belongs on the struct"));
                }
                _ => errors.at(
                    key,
                    format_args!("unknown attribute `{key}`; a field has `skip` and `constructor`"),
                ),
            }
        }
        found
    }
}

impl Errors {
    /// Notes an error at `place`.
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` for each.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}

/// `key`, `key = value` or `key(value)`: as far as all keys are alike.
struct Item {
    key: Ident,
    value: Value,
}

enum Value {
    Absent,
    Assigned(TokenStream),
    Listed(TokenStream),
}

fn items(attributes: &[Attribute], errors: &mut Errors) -> Vec<Item> {
    let mut items = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("machine")) {
        match attribute.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated) {
            Ok(parsed) => items.extend(parsed),
            Err(error) => errors.push(error),
        }
    }
    items
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let mut tokens = TokenStream::new();
            while !input.is_empty() && !input.peek(Token![,]) {
                tokens.extend([input.parse::<proc_macro2::TokenTree>()?]);
            }
            Value::Assigned(tokens)
        } else if input.peek(token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Value::Listed(content.parse()?)
        } else {
            Value::Absent
        };
        Ok(Self { key, value })
    }
}

impl Value {
    /// The value of `key = value`.
    fn assigned<T: Parse>(self, key: &Ident, example: &str) -> syn::Result<T> {
        let expected = format!("expected `{key} = {example}` or the like");
        match self {
            Self::Assigned(tokens) => syn::parse2(tokens.clone())
                .map_err(|_| syn::Error::new_spanned(or_key(tokens, key), expected)),
            Self::Listed(tokens) => Err(syn::Error::new_spanned(or_key(tokens, key), expected)),
            Self::Absent => Err(syn::Error::new_spanned(key, expected)),
        }
    }

    /// The paths of `key(path, path)`.
    fn paths(self, key: &Ident) -> syn::Result<Punctuated<Path, Token![,]>> {
        let expected = format!("expected `{key}(Hash, some::Trait)` or the like");
        match self {
            Self::Listed(tokens) => Punctuated::parse_terminated
                .parse2(tokens.clone())
                .map_err(|_| syn::Error::new_spanned(or_key(tokens, key), expected)),
            Self::Assigned(tokens) => Err(syn::Error::new_spanned(or_key(tokens, key), expected)),
            Self::Absent => Err(syn::Error::new_spanned(key, expected)),
        }
    }

    /// For a key that stands alone.
    fn absent(self, key: &Ident) -> syn::Result<Ident> {
        match self {
            Self::Absent => Ok(key.clone()),
            Self::Assigned(tokens) | Self::Listed(tokens) => Err(syn::Error::new_spanned(
                or_key(tokens, key),
                format_args!("`{key}` stands alone, without a value"),
            )),
        }
    }
}

/// Where to point: at the value, or at its key when there is nothing there.
fn or_key(tokens: TokenStream, key: &Ident) -> TokenStream {
    if tokens.is_empty() { key.to_token_stream() } else { tokens }
}

fn set<T>(slot: &mut Option<T>, key: &Ident, value: syn::Result<T>, errors: &mut Errors) {
    match value {
        _ if slot.is_some() => errors.at(key, format_args!("`{key}` is given twice")),
        Ok(value) => *slot = Some(value),
        Err(error) => errors.push(error),
    }
}
