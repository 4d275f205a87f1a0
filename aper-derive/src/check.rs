//! From what the user wrote to what is to be made of it, and everything that
//! stands in the way.
//!
//! Checking does not stop at an error: what is wrong is noted and replaced by
//! a default, so that the impl is there in any case and the user reads of the
//! mistake, not of its consequences.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Field, Fields, Generics, LitStr, Member, Path, Type, Visibility};

use crate::case;
use crate::generics::{self, Narrowed, SelfType};
use crate::parse::{Errors, FieldAttributes, StructAttributes};

/// All that `expand` needs.
pub(crate) struct Machine {
    pub(crate) aper: TokenStream,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    /// The struct's own.
    pub(crate) generics: Generics,
    /// The enums'.
    pub(crate) narrowed: Narrowed,
    pub(crate) name: String,
    pub(crate) schema: u32,
    pub(crate) transition: Ident,
    pub(crate) conflict: Ident,
    pub(crate) on_client: Option<Path>,
    pub(crate) presence: Option<Type>,
    pub(crate) rename_all: Option<LitStr>,
    pub(crate) derives: Vec<Path>,
    /// None, if the input is so wrong that there is nothing to go by.
    pub(crate) parts: Vec<Part>,
}

/// A field that is a machine.
pub(crate) struct Part {
    pub(crate) vis: Visibility,
    pub(crate) member: Member,
    /// How a message calls it.
    pub(crate) label: String,
    /// Its type, without `Self`.
    pub(crate) ty: TokenStream,
    /// Where its type is written.
    pub(crate) span: Span,
    /// Whether its type depends on a parameter of the struct.
    pub(crate) generic: bool,
    pub(crate) variant: Ident,
    pub(crate) constructor: Ident,
}

/// The traits that the enums have in any case.
const MADE_ALREADY: [&str; 7] =
    ["Clone", "Debug", "PartialEq", "Eq", "Serialize", "Deserialize", "Error"];

impl Machine {
    pub(crate) fn check(input: DeriveInput, errors: &mut Errors) -> Self {
        let attributes = StructAttributes::parse(&input.attrs, errors);
        let self_type = SelfType::new(&input.ident, &input.generics);
        let parts = parts(&input, &self_type, errors);

        let used = parts.iter().map(|part| part.ty.clone()).collect();
        let narrowed = Narrowed::new(&input.generics, &used, &self_type);
        let name = name(&input.ident, attributes.name, errors);
        let schema = attributes.schema.map_or(1, |literal| {
            literal.base10_parse().ok().filter(|&schema| schema > 0).unwrap_or_else(|| {
                errors.at(literal, "a schema is a number from 1 to 4294967295");
                1
            })
        });
        let base = input.ident.unraw();
        let transition = attributes.transition.unwrap_or_else(|| format_ident!("{base}Transition"));
        let mut conflict = attributes.conflict.unwrap_or_else(|| format_ident!("{base}Conflict"));
        if conflict == transition {
            errors.at(&conflict, "transition and conflict need a name each");
            conflict = format_ident!("{base}OtherConflict");
        }
        let mut derives = attributes.derives;
        derives.retain(|path| {
            let last = path.segments.last().map(|segment| segment.ident.to_string());
            let made = last.filter(|last| MADE_ALREADY.contains(&last.as_str()));
            if let Some(made) = &made {
                errors.at(path, format_args!("`{made}` is there already"));
            }
            made.is_none()
        });

        Self {
            aper: attributes.crate_path.map_or(quote!(::aper), ToTokens::into_token_stream),
            vis: input.vis,
            ident: input.ident,
            generics: input.generics,
            narrowed,
            name,
            schema,
            transition,
            conflict,
            on_client: attributes.on_client,
            presence: attributes.presence,
            rename_all: attributes.rename_all,
            derives,
            parts,
        }
    }
}

fn parts(input: &DeriveInput, self_type: &SelfType, errors: &mut Errors) -> Vec<Part> {
    let what = match &input.data {
        Data::Struct(data) => return struct_parts(input, &data.fields, self_type, errors),
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    errors.at(
        &input.ident,
        format_args!(
            "`StateMachine` is derived from the fields of a struct, and this is {what}: \
             implement the trait by hand"
        ),
    );
    Vec::new()
}

fn struct_parts(
    input: &DeriveInput,
    fields: &Fields,
    self_type: &SelfType,
    errors: &mut Errors,
) -> Vec<Part> {
    for param in input.generics.lifetimes() {
        errors.at(
            &param.lifetime,
            "a machine owns its state, which outlives every borrow: \
             it cannot have a lifetime parameter",
        );
    }
    let mut parts = Vec::new();
    let mut skipped = 0;
    for (field, member) in fields.iter().zip(fields.members()) {
        let attributes = FieldAttributes::parse(&field.attrs, errors);
        match (attributes.skip, attributes.constructor) {
            (Some(_), Some(constructor)) => {
                errors.at(constructor, "a field that is skipped has no constructor");
                skipped += 1;
            }
            (Some(_), None) => skipped += 1,
            (None, constructor) => {
                parts.extend(part(input, field, member, constructor, self_type, errors));
            }
        }
    }
    if parts.is_empty() && errors.is_empty() {
        let reason = if skipped == 0 { "there are no fields" } else { "all fields are skipped" };
        errors.at(
            &input.ident,
            format_args!(
                "nothing could ever happen to this machine: {reason}, and a derived machine \
                 changes through its fields' transitions"
            ),
        );
    }
    distinct(&mut parts, errors);
    if input.generics.lifetimes().next().is_some() {
        parts.clear();
    }
    parts
}

fn part(
    input: &DeriveInput,
    field: &Field,
    member: Member,
    constructor: Option<Ident>,
    self_type: &SelfType,
    errors: &mut Errors,
) -> Option<Part> {
    let (label, variant, default_constructor) = match &member {
        Member::Named(ident) => {
            let name = ident.unraw().to_string();
            let variant = case::upper_camel(&name);
            let Ok(mut variant) = syn::parse_str::<Ident>(&variant) else {
                errors.at(
                    ident,
                    format_args!("no variant can be named after `{name}`: rename the field"),
                );
                return None;
            };
            variant.set_span(ident.span());
            (name, variant, ident.clone())
        }
        Member::Unnamed(index) => (
            format!("field {}", index.index),
            format_ident!("Field{}", index.index),
            format_ident!("field{}", index.index, span = Span::call_site()),
        ),
    };
    let ty = self_type.replace(field.ty.to_token_stream());
    Some(Part {
        vis: field.vis.clone(),
        member,
        label,
        generic: generics::mentions(ty.clone(), &generics::names(&input.generics)),
        ty,
        span: field.ty.span(),
        variant,
        constructor: constructor.unwrap_or(default_constructor),
    })
}

/// No two variants and no two constructors of one name. Those that come second
/// are left out.
fn distinct(parts: &mut Vec<Part>, errors: &mut Errors) {
    let mut variants = BTreeMap::new();
    let mut constructors = BTreeMap::new();
    parts.retain(|part| {
        if let Some(first) = variants.insert(part.variant.to_string(), part.label.clone()) {
            errors.at(
                &part.member,
                format_args!(
                    "`{first}` and `{}` both make the variant `{}`: rename one of them",
                    part.label, part.variant
                ),
            );
            return false;
        }
        if let Some(first) = constructors.insert(part.constructor.to_string(), part.label.clone()) {
            errors.at(
                &part.constructor,
                format_args!("`{first}` has a constructor `{}` too", part.constructor),
            );
            return false;
        }
        true
    });
}

fn name(ident: &Ident, given: Option<LitStr>, errors: &mut Errors) -> String {
    let name =
        given.as_ref().map_or_else(|| case::kebab(&ident.unraw().to_string()), LitStr::value);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.chars().all(allowed) {
        return name;
    }
    match given {
        Some(literal) => errors.at(
            literal,
            "the name of a machine is made of lower-case letters, digits and hyphens, \
             since it stands in a URL",
        ),
        None => errors.at(
            ident,
            "the name of a machine is made of lower-case letters, digits and hyphens, \
             and this one cannot be turned into such a name: add `#[machine(name = \"…\")]`",
        ),
    }
    "unnamed".to_owned()
}
