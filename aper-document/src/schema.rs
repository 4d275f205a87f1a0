//! [`Schema`]: rules that a server enforces on its documents.

use std::collections::BTreeSet;
use std::fmt;

use jsonschema::paths::Location;
use jsonschema::{PatternOptions, ValidationError, Validator};

use crate::Document;
use crate::conflict::{Conflict, Reason};
use crate::node::Node;
use crate::path::{Path, Step};
use crate::value::Value;

/// A JSON Schema that a server enforces: what would break it is refused.
///
/// It is written for what `client.state` shows: a list is an array of
/// `{ id, value }`, a counter is an integer.
///
/// It belongs to the server's configuration, not to the machine. Browsers do
/// not have it: they show such a transition and take it back when the server
/// has refused it. And it is asked only when a transition is new. What a
/// journal holds was accepted once and stays accepted, so a schema can be
/// changed at any time. A document that does not keep to the new one can still
/// be changed, as long as that adds nothing that breaks it.
///
/// Cost of a check: O(n) of the whole document, and what the schema's own
/// keywords cost. Patterns are matched in time that is linear in the text, so
/// they have neither back-references nor look-around.
///
/// ```
/// use aper::{Context, StateMachine};
/// use aper_document::{Document, Operation, Schema, Transition};
/// use serde_json::json;
///
/// let schema = Schema::new(&json!({
///     "properties": { "title": { "type": "string", "maxLength": 5 } },
///     "additionalProperties": false,
/// }))?;
/// let before = Document::default();
/// let mut after = before.clone();
/// let rename = Transition::from(Operation::set(["title"], "groceries"));
/// after.apply(&rename, &Context::for_test())?;
/// let conflict = schema.check(&before, &after).unwrap_err();
/// assert_eq!(conflict.path.to_string(), "title");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Schema {
    validator: Validator,
}

/// Not a JSON Schema, or one that refers to another that is not in it.
///
/// ```
/// use aper_document::{InvalidSchema, Schema};
/// use serde_json::json;
///
/// let schema = Schema::new(&json!({ "properties": { "title": { "type": "strnig" } } }));
/// let InvalidSchema { reason } = schema.unwrap_err();
/// assert!(reason.contains("/properties/title/type"), "{reason}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no JSON Schema: {reason}")]
pub struct InvalidSchema {
    /// What is wrong, and where.
    pub reason: String,
}

/// How long the text of a conflict may be, in bytes.
const TEXT_BYTES: usize = 300;

impl Schema {
    /// The schema; of draft 2020-12, unless its `$schema` says otherwise.
    /// Nothing is fetched: a `$ref` leads to a part of the schema itself.
    ///
    /// # Errors
    ///
    /// When it is no JSON Schema.
    pub fn new(schema: &serde_json::Value) -> Result<Self, InvalidSchema> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        options.build(schema).map(|validator| Self { validator }).map_err(|error| {
            let at = error.instance_path();
            let reason =
                if at.as_str().is_empty() { error.to_string() } else { format!("{at}: {error}") };
            InvalidSchema { reason }
        })
    }

    /// Whether the schema allows what a transition made of a document.
    ///
    /// # Errors
    ///
    /// [`Reason::Schema`] for the first thing that breaks it and did not do so
    /// before.
    pub fn check(&self, before: &Document, after: &Document) -> Result<(), Conflict> {
        let seen = seen(after);
        if self.validator.is_valid(&seen) {
            return Ok(());
        }
        let earlier = self.violations(before);
        let mut errors = self.validator.iter_errors(&seen);
        match errors.find(|error| !earlier.contains(&Violation::of(error, after))) {
            Some(error) => Err(Conflict {
                operation: 0,
                path: path_of(error.instance_path(), after.root()),
                reason: Reason::Schema { text: text_of(&error) },
            }),
            None => Ok(()),
        }
    }

    fn violations(&self, document: &Document) -> BTreeSet<Violation> {
        let seen = seen(document);
        self.validator.iter_errors(&seen).map(|error| Violation::of(&error, document)).collect()
    }
}

/// What breaks the schema, by the ids of items and not by their places, which
/// change without anybody's breaking anything.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    keyword: String,
    text: String,
}

impl Violation {
    fn of(error: &ValidationError<'_>, document: &Document) -> Self {
        let path = path_of(error.instance_path(), document.root());
        // Unmasked: with the value that is wrong, so that another one is new.
        Self {
            path: path.to_string(),
            keyword: error.schema_path().to_string(),
            text: error.to_string(),
        }
    }
}

fn seen(document: &Document) -> serde_json::Value {
    serde_json::to_value(document).expect("a document has texts as keys, and no other numbers")
}

/// The path of what is at a place in the document as JavaScript sees it.
fn path_of(location: &Location, root: &Value) -> Path {
    let pointer = location.as_str();
    let mut segments =
        pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    let mut path = Path::root();
    let mut value = root;
    while let Some(segment) = segments.next() {
        let next = match &value.0 {
            Node::List(items) => {
                let index = segment.parse().ok();
                index.and_then(|index| items.iter().nth(index)).map(|(id, item)| {
                    // An item is `{ id, value }`, of which only the value has a path.
                    segments.next();
                    (Step::from(id), item)
                })
            }
            Node::Object(object) => {
                object.get(&segment).map(|value| (Step::from(&*segment), value))
            }
            _ => None,
        };
        let Some((step, inside)) = next else { break };
        path = path.then(step);
        value = inside;
    }
    path
}

/// Without the value itself, which may be long, and which its sender knows.
fn text_of(error: &ValidationError<'_>) -> String {
    let mut text = error.masked_with("this").to_string();
    if text.len() > TEXT_BYTES {
        text.truncate(text.floor_char_boundary(TEXT_BYTES));
        text.push('…');
    }
    text
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}
