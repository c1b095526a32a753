//! A strict reader of Prometheus' text format, after its rules: names, escapes, one block for each metric, no sample twice.

use std::collections::{BTreeMap, BTreeSet};

/// A sample.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Reads a page, or says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Sample>, String> {
    let mut samples: Vec<Sample> = Vec::new();
    let (mut helped, mut typed, mut done) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    let mut current = String::new();
    if !text.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    for line in text.lines() {
        let wrong = |why: &str| Err(format!("{why}: {line}"));
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, _) = rest.split_once(' ').ok_or("HELP without text")?;
            if !helped.insert(name.to_owned()) || done.contains(name) {
                return wrong("HELP comes twice, or too late");
            }
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("TYPE without a type")?;
            if !["gauge", "counter"].contains(&kind) || typed.insert(name.to_owned(), kind.to_owned()).is_some() {
                return wrong("no such type, or TYPE twice");
            }
            if kind == "counter" && !name.ends_with("_total") {
                return wrong("a counter ends in _total");
            }
            continue;
        }
        if line.starts_with('#') || line.is_empty() {
            return wrong("neither HELP nor TYPE nor a sample");
        }
        let sample = sample(line)?;
        if !typed.contains_key(&sample.name) || !helped.contains(&sample.name) {
            return wrong("a sample before its HELP and TYPE");
        }
        if sample.name != current {
            if !done.insert(sample.name.clone()) {
                return wrong("the samples of a metric stand together");
            }
            current.clone_from(&sample.name);
        }
        if samples.iter().any(|other| other.name == sample.name && other.labels == sample.labels) {
            return wrong("a sample comes twice");
        }
        samples.push(sample);
    }
    Ok(samples)
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("no name of a metric: {name}"));
    }
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or("a label without a value")?;
            let (value, after) = quoted(after)?;
            if !is_name(label, false) || labels.insert(label.to_owned(), value).is_some() {
                return Err(format!("no label, or twice: {label}"));
            }
            match after.chars().next() {
                Some(',') => rest = &after[1..],
                Some('}') => {
                    rest = &after[1..];
                    break;
                }
                _ => return Err(format!("labels do not end: {line}")),
            }
        }
    }
    let number = rest.strip_prefix(' ').ok_or("no blank before the value")?;
    let value = number.parse().map_err(|_| format!("no number: {number}"))?;
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// A label's value up to its quote, and the rest.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, char @ ('\\' | '"'))) => char,
                _ => return Err(format!("no such escape: {text}")),
            }),
            char => value.push(char),
        }
    }
    Err(format!("a label's value does not end: {text}"))
}

fn is_name(text: &str, colons: bool) -> bool {
    !text.is_empty()
        && !text.starts_with(|char: char| char.is_ascii_digit())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_' || (colons && char == ':'))
}
