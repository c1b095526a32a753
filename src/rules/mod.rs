//! What to look for: the catalogue of rules, as data. How a rule is written: `docs/rules.md`.

mod catalog;

mod quoted;
mod schema;
mod shapes;

pub use catalog::Catalog;

pub use schema::RuleProblem;
pub use shapes::Shape;

use crate::units::{Component, FactKind, Severity};
use std::sync::Arc;

/// One entry of the catalogue, compiled.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Stable name.
    pub id: Arc<str>,
    /// The program that prints it; `None` where several do.
    pub component: Option<Component>,
    /// Topic.
    pub group: Arc<str>,
    /// Whether and when it yields an event.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// Whether its events draw in the regions they name.
    pub implicates: bool,
    /// Whether its records only say that something failed, and quote why: incidents are told by the rule of what they quote.
    pub wraps: bool,
    /// When it matches.
    pub when: Conditions,
    /// Error code that its events carry.
    pub code: Option<Box<str>>,
    /// The more general rules that this one beats.
    pub beats: Vec<RuleIndex>,
    /// What it takes out of a record.
    pub extract: Vec<Extract>,
    /// What it means, for people.
    pub meaning: Box<str>,
    /// What to do about it.
    pub remedy: Box<str>,
    /// Versions that print it, as free text.
    pub versions: Box<str>,
    /// Records that it must match.
    pub examples: Vec<Box<str>>,
    /// Records that it must not match.
    pub counter_examples: Vec<Box<str>>,
}

/// Position of a rule in its catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub u16);

/// Whether and when a rule yields an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Always.
    Signal,
    /// For implicated regions.
    Context,
    /// Never: routine.
    Silent,
}

impl Kind {
    /// The word used in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Context => "context",
            Self::Silent => "silent",
        }
    }
}

/// All must hold; an empty list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// May come at WARN and worse.
    pub high: bool,
    /// May come at INFO and finer.
    pub low: bool,
    /// The whole message is one of these.
    pub message: Vec<Box<str>>,
    /// The message starts with one of these.
    pub starts: Vec<Box<str>>,
    /// All of these stand in the message.
    pub message_has: Vec<Box<str>>,
    /// The caller's file is one of these.
    pub caller: Vec<Box<str>>,
    /// All of these stand in the record.
    pub has: Vec<Box<str>>,
    /// One of these stands in the record.
    pub any: Vec<Box<str>>,
    /// None of these stands in the record.
    pub none: Vec<Box<str>>,
    /// Fields that must be there, with a value where one is given.
    pub fields: Vec<(Box<str>, Option<Box<str>>)>,
}

/// Takes one value out of a record.
#[derive(Debug, Clone)]
pub struct Extract {
    /// What the value is.
    pub kind: FactKind,
    /// Which of several it is.
    pub role: Arc<str>,
    /// Where it stands.
    pub place: ExtractPlace,
    /// How to find it there.
    pub shape: Shape,
    /// The value that must come out of the rule's first example.
    pub example: Option<Box<str>>,
}

/// Where an extractor looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtractPlace {
    /// A field of this name; the first in which the shape is found.
    Field(Box<str>),
    /// The message.
    Message,
    /// The whole record, unescaped.
    Line,
}
