//! All rules: those built in, and a user's own.

use super::schema::{File, RuleForm};
use super::{Rule, RuleIndex, RuleProblem, Shape};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// The rules in force, sorted by id.
#[derive(Debug, Clone)]
pub struct Catalog {
    rules: Vec<Rule>,
    by_id: FxHashMap<Arc<str>, RuleIndex>,
    /// By code in lower case: versions of TiKV differ in capitals.
    by_code: FxHashMap<String, RuleIndex>,
}

impl Catalog {
    /// The built-in rules.
    ///
    /// # Errors
    /// None in a released build: the tests load the same files.
    pub fn embedded() -> Result<Self, Vec<RuleProblem>> {
        Self::load(&[])
    }

    /// The built-in rules with a user's own files on top: a rule with a known id takes its place.
    ///
    /// # Errors
    /// What is wrong with which rule of which file.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, Vec<RuleProblem>> {
        let mut problems = Vec::new();
        let mut shapes = BTreeMap::new();
        let mut forms: BTreeMap<String, (usize, usize, RuleForm)> = BTreeMap::new();
        let all: Vec<_> = FILES.iter().chain(files).copied().collect();
        let mut parsed = Vec::new();
        for (index, (name, text)) in all.iter().enumerate() {
            match toml::from_str::<File>(text) {
                Ok(file) => parsed.push((index, file)),
                Err(error) => {
                    let at = error.span().map_or(0, |span| span.start);
                    problems.push(problem(name, text, at, rule_before(text, at), error.message().to_owned()));
                }
            }
        }
        for (index, file) in &mut parsed {
            let (name, text) = all[*index];
            for form in std::mem::take(&mut file.shape) {
                let at = form.span().start;
                let form = form.into_inner();
                let shape = Shape::new(&form.regex);
                if *index >= FILES.len()
                    && let Err(reason) = shape.check()
                {
                    problems.push(problem(name, text, at, None, format!("shape `{}`: {reason}", form.name)));
                }
                shapes.insert(form.name, shape);
            }
        }
        for (index, file) in parsed {
            let (name, text) = all[index];
            for form in file.rule {
                let at = form.span().start;
                let form = form.into_inner();
                let id = form.id.clone();
                if let Some((other, _, _)) = forms.insert(id.clone(), (index, at, form))
                    && (index < FILES.len() || other == index)
                {
                    let reason = format!("the id stands twice, also in {}", all[other].0);
                    problems.push(problem(name, text, at, Some(id), reason));
                }
            }
        }
        let mut rules = Vec::new();
        let mut origins = Vec::new();
        for (id, (index, at, form)) in forms {
            let (name, text) = all[index];
            match form.compile(&shapes) {
                Ok((rule, refines)) => {
                    if index >= FILES.len() {
                        for extract in &rule.extract {
                            if let Err(reason) = extract.shape.check() {
                                problems.push(problem(name, text, at, Some(id.clone()), reason));
                            }
                        }
                    }
                    rules.push(rule);
                    origins.push((index, at, refines));
                }
                Err(reason) => problems.push(problem(name, text, at, Some(id), reason)),
            }
        }
        let by_id: FxHashMap<_, _> =
            rules.iter().enumerate().map(|(at, rule)| (Arc::clone(&rule.id), RuleIndex(at as u16))).collect();
        for (at, (index, span, refines)) in origins.iter().enumerate() {
            for target in refines {
                if let Some(general) = by_id.get(&**target) {
                    rules[at].beats.push(*general);
                } else {
                    let (name, text) = all[*index];
                    let reason = format!("it refines `{target}`, which is no rule");
                    problems.push(problem(name, text, *span, Some(rules[at].id.to_string()), reason));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        close(&mut rules);
        let mut by_code: FxHashMap<String, RuleIndex> = FxHashMap::default();
        for (at, rule) in rules.iter().enumerate() {
            // A rule that is only about the code speaks for it; else the first that carries it.
            let Some(code) = rule.code.as_ref().map(|code| code.to_ascii_lowercase()) else { continue };
            let exact = |known: &RuleIndex| rules[usize::from(known.0)].is_about_code();
            if !by_code.get(&code).is_some_and(exact) {
                by_code.insert(code, RuleIndex(at as u16));
            }
        }
        Ok(Self { rules, by_id, by_code })
    }

    /// All rules, sorted by id.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule at a position.
    pub fn at(&self, index: RuleIndex) -> &Rule {
        &self.rules[usize::from(index.0)]
    }

    /// The rule of an id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id).map(|index| self.at(*index))
    }

    /// The position of an id.
    pub fn index(&self, id: &str) -> Option<RuleIndex> {
        self.by_id.get(id).copied()
    }

    /// The rule that explains an error code.
    pub fn for_code(&self, code: &str) -> Option<&Rule> {
        self.index_for_code(code).map(|index| self.at(index))
    }

    /// The position of the rule that explains an error code: its own, or that of all codes of its component, `BR:*`.
    pub fn index_for_code(&self, code: &str) -> Option<RuleIndex> {
        let code = code.to_ascii_lowercase();
        let any = || self.by_code.get(&format!("{}:*", code.split_once(':')?.0));
        self.by_code.get(&code).or_else(any).copied()
    }

    /// The ids of a user's own file, for `rules check`.
    pub fn ids_in(text: &str) -> Vec<String> {
        toml::from_str::<File>(text)
            .map(|file| file.rule.into_iter().map(|form| form.into_inner().id).collect())
            .unwrap_or_default()
    }
}

impl Rule {
    /// Whether the rule only explains an error code, and matches a record by nothing else.
    pub fn is_about_code(&self) -> bool {
        let when = &self.when;
        [&when.message, &when.starts, &when.message_has, &when.has, &when.any].iter().all(|list| list.is_empty())
            && when.fields.is_empty()
    }
}

/// `beats` becomes transitive: what beats a rule beats what that rule beats.
fn close(rules: &mut [Rule]) {
    for at in 0..rules.len() {
        let mut all = rules[at].beats.clone();
        let mut next = 0;
        while let Some(general) = all.get(next).copied() {
            next += 1;
            for further in rules[usize::from(general.0)].beats.clone() {
                if !all.contains(&further) && usize::from(further.0) != at {
                    all.push(further);
                }
            }
        }
        rules[at].beats = all;
    }
}

/// The id of the rule whose table a byte of a broken file lies in, as far as it can be told.
fn rule_before(text: &str, at: usize) -> Option<String> {
    let table = text.get(..at)?.rfind("[[rule]]")?;
    let end = text[at..].find("[[").map_or(text.len(), |next| at + next);
    let line = text[table..end].lines().find(|line| line.trim_start().starts_with("id"))?;
    Some(line.split('"').nth(1)?.to_owned())
}

fn problem(file: &str, text: &str, at: usize, rule: Option<String>, reason: String) -> RuleProblem {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    RuleProblem { file: file.to_owned(), line, column, rule, reason }
}
