//! Names that the code shares with the catalogue.

use crate::correlate::chains::Chains;
use crate::rules::Catalog;
use std::collections::BTreeSet;
use std::path::Path;

/// Quoted words that begin as ids of rules do, but are other words of this stage.
const OTHER: [&str; 5] = ["gc-safepoint", "log-backup", "region-merge", "store-checkpoint", "tidb-deploy"];

/// What the code of a file or of a folder's files, without tests and what the findings are called, puts in quotes.
fn quoted(path: &Path, words: &mut BTreeSet<String>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries
            .filter(|path| !path.ends_with("tests") && !path.ends_with("findings"))
            .for_each(|path| quoted(&path, words));
    }
    if path.extension().is_none_or(|ending| ending != "rs") || path.ends_with("testing.rs") {
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    words.extend(code.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned));
}

/// A rule that was renamed would silently lose what code makes of it.
#[test]
fn the_rules_that_code_names_are_in_the_catalogue() {
    let catalog = Catalog::embedded().unwrap();
    let ids: Vec<&str> = catalog.rules().iter().map(|rule| &*rule.id).collect();
    let heads: BTreeSet<&str> = ids.iter().filter_map(|id| id.split_once('-')).map(|(head, _)| head).collect();
    let mut words = BTreeSet::new();
    quoted(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/correlate")), &mut words);
    let is_id = |word: &&String| {
        let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        plain && word.split_once('-').is_some_and(|(head, tail)| heads.contains(head) && !tail.is_empty())
    };
    let named: Vec<&String> = words.iter().filter(is_id).filter(|word| !OTHER.contains(&word.as_str())).collect();
    let chains = Chains::embedded();
    let is_known = |word: &str| match word.strip_suffix('-') {
        Some(_) => ids.iter().any(|id| id.starts_with(word)),
        None => ids.contains(&word) || chains.kind(word).is_ok(),
    };
    let unknown: Vec<_> = named.iter().filter(|word| !is_known(word)).collect();
    assert!(named.len() > 40 && unknown.is_empty(), "{} named, unknown: {unknown:?}", named.len());
}
