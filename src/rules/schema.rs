//! The TOML form of a rule, and how it becomes a `Rule`. Every refusal says which rule, where, and why.

use super::{Conditions, Extract, ExtractPlace, Kind, Rule, Shape};
use crate::units::{Component, FactKind, Level, Severity};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;

/// Why a rule file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Rule, where one is at fault.
    pub rule: Option<String>,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl std::fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        f.write_str(&self.reason)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) rule: Vec<Spanned<RuleForm>>,
    #[serde(default)]
    pub(super) shape: Vec<Spanned<ShapeForm>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShapeForm {
    pub(super) name: String,
    pub(super) regex: String,
    #[allow(dead_code, reason = "for the reader of the file")]
    #[serde(default)]
    pub(super) meaning: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct RuleForm {
    pub(super) id: String,
    component: String,
    group: String,
    kind: Kind,
    severity: Severity,
    #[serde(default)]
    implicates: Option<bool>,
    #[serde(default)]
    wraps: bool,
    #[serde(default)]
    levels: Vec<String>,
    #[serde(default)]
    message: OneOrMany,
    #[serde(default)]
    starts: OneOrMany,
    #[serde(default)]
    message_has: OneOrMany,
    #[serde(default)]
    caller: OneOrMany,
    #[serde(default)]
    has: OneOrMany,
    #[serde(default)]
    any: OneOrMany,
    #[serde(default)]
    none: OneOrMany,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    pub(super) refines: OneOrMany,
    #[serde(default)]
    extract: Vec<ExtractForm>,
    meaning: String,
    #[serde(default)]
    remedy: String,
    #[serde(default)]
    versions: String,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    counter_examples: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtractForm {
    kind: FactKind,
    #[serde(default)]
    role: String,
    key: String,
    #[serde(default)]
    shape: Option<String>,
    #[serde(default)]
    regex: Option<String>,
    #[serde(default)]
    example: Option<String>,
}

/// A text or a list of texts.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(super) fn into_vec(self) -> Vec<Box<str>> {
        match self {
            Self::None => Vec::new(),
            Self::One(text) => vec![text.into()],
            Self::Many(texts) => texts.into_iter().map(Into::into).collect(),
        }
    }
}

impl RuleForm {
    /// The rule, without what it beats: that needs all rules.
    pub(super) fn compile(self, shapes: &BTreeMap<String, Shape>) -> Result<(Rule, Vec<Box<str>>), String> {
        let component = match self.component.as_str() {
            "any" => None,
            word => Some(component(word)?),
        };
        // A rule that names neither levels nor where the message stands is for text without a header, and for failures.
        let gated = !(self.message.is_none() && self.starts.is_none() && self.caller.is_none());
        let (high, low) = halves(&self.levels)?.unwrap_or((true, gated));
        let when = Conditions {
            high,
            low,
            message: self.message.into_vec(),
            starts: self.starts.into_vec(),
            message_has: self.message_has.into_vec(),
            caller: self.caller.into_vec(),
            has: self.has.into_vec(),
            any: self.any.into_vec(),
            none: self.none.into_vec(),
            fields: self
                .fields
                .into_iter()
                .map(|(key, value)| (key.into(), (value != "*").then(|| value.into())))
                .collect(),
        };
        let anchored =
            [&when.message, &when.starts, &when.message_has, &when.has, &when.any].iter().any(|list| !list.is_empty());
        if !anchored && self.code.is_none() && when.fields.is_empty() {
            return Err("it matches everything: give message, starts, message_has, has, any, fields or code".into());
        }
        let texts = [&when.message, &when.starts, &when.message_has, &when.has, &when.any, &when.none, &when.caller];
        if texts.iter().any(|list| list.iter().any(|text| text.is_empty())) {
            return Err("an empty text matches everything: leave it out".into());
        }
        if let Some(wrong) = [&self.id, &self.group].into_iter().find(|word| !is_kebab(word)) {
            return Err(format!("`{wrong}` is not in kebab-case"));
        }
        let implicates = self.implicates.unwrap_or_else(|| {
            self.severity >= Severity::Error
                || (self.severity == Severity::Warning
                    && ["log-backup", "gc", "restore"].contains(&self.group.as_str()))
        });
        let extract = self.extract.into_iter().map(|form| form.compile(shapes)).collect::<Result<_, _>>()?;
        let refines = self.refines.into_vec();
        let rule = Rule {
            id: self.id.into(),
            component,
            group: self.group.into(),
            kind: self.kind,
            severity: self.severity,
            implicates,
            wraps: self.wraps,
            when,
            code: self.code.map(Into::into),
            beats: Vec::new(),
            extract,
            meaning: self.meaning.into(),
            remedy: self.remedy.into(),
            versions: self.versions.into(),
            examples: self.examples.into_iter().map(Into::into).collect(),
            counter_examples: self.counter_examples.into_iter().map(Into::into).collect(),
        };
        Ok((rule, refines))
    }
}

impl ExtractForm {
    fn compile(self, shapes: &BTreeMap<String, Shape>) -> Result<Extract, String> {
        let shape = match (self.shape, self.regex) {
            (Some(name), None) => shapes.get(&name).cloned().ok_or_else(|| format!("there is no shape `{name}`"))?,
            (None, Some(pattern)) => Shape::new(&pattern),
            _ => return Err(format!("the extractor of `{}` needs either shape or regex", self.key)),
        };
        let place = match self.key.as_str() {
            "$message" => ExtractPlace::Message,
            "$line" => ExtractPlace::Line,
            key => ExtractPlace::Field(key.into()),
        };
        Ok(Extract { kind: self.kind, role: Arc::from(self.role), place, shape, example: self.example.map(Into::into) })
    }
}

fn component(word: &str) -> Result<Component, String> {
    Component::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word))
        .map_err(|_| format!("`{word}` is no component: use tikv, br, tidb, pd, tiflash, cdc, os or any"))
}

fn halves(levels: &[String]) -> Result<Option<(bool, bool)>, String> {
    if levels.is_empty() {
        return Ok(None);
    }
    let mut halves = (false, false);
    for word in levels {
        let level = Level::parse(word.as_bytes()).ok_or_else(|| format!("`{word}` is no level"))?;
        if level.is_high() { halves.0 = true } else { halves.1 = true }
    }
    Ok(Some(halves))
}

fn is_kebab(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
