//! Which rule knows a failure that the record of another rule quotes: `br failed` holds the whole reason in its error field.

use super::{Catalog, Kind, Rule};
use crate::units::{Component, Severity};
use std::cmp::Reverse;

impl Catalog {
    /// The rule of a quoted failure, by its text or else by one of its codes. Of several the one that refines, or has the most text.
    pub fn quoted<'c>(&'c self, text: &str, codes: &[Box<str>]) -> Option<&'c Rule> {
        let knowing: Vec<&Rule> = self.rules().iter().filter(|rule| is_for_quotes(rule) && holds(rule, text)).collect();
        let is_refined =
            |rule: &Rule| knowing.iter().any(|other| other.beats.iter().any(|general| self.at(*general).id == rule.id));
        let of_text = knowing.iter().filter(|rule| !is_refined(rule)).min_by_key(|rule| Reverse(weight(rule))).copied();
        let of_codes = || codes.iter().filter_map(|code| self.index_for_code(code)).map(|index| self.at(index));
        of_text.or_else(|| of_codes().find(|rule| rule.is_about_code() && !rule.wraps))
    }
}

/// Whether a rule goes by texts alone, whatever record they stand in, and speaks of what went wrong.
fn is_for_quotes(rule: &Rule) -> bool {
    let when = &rule.when;
    let by_texts = when.message.is_empty() && when.starts.is_empty() && when.fields.is_empty();
    let of_br = matches!(rule.component, None | Some(Component::Br));
    by_texts && of_br && rule.kind == Kind::Signal && rule.severity >= Severity::Warning && !rule.wraps
}

fn holds(rule: &Rule, text: &str) -> bool {
    let when = &rule.when;
    let within = |words: &[Box<str>]| words.iter().all(|word| text.contains(&**word));
    let any_within = |words: &[Box<str>]| words.iter().any(|word| text.contains(&**word));
    weight(rule) > 0
        && within(&when.has)
        && within(&when.message_has)
        && (when.any.is_empty() || any_within(&when.any))
        && !any_within(&when.none)
}

fn weight(rule: &Rule) -> usize {
    let when = &rule.when;
    let all: usize = when.has.iter().chain(&when.message_has).map(|word| word.len()).sum();
    all + when.any.iter().map(|word| word.len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Catalog;

    fn id_of(text: &str, codes: &[&str]) -> Option<String> {
        let codes: Vec<Box<str>> = codes.iter().map(|code| Box::from(*code)).collect();
        Catalog::embedded().unwrap().quoted(text, &codes).map(|rule| rule.id.to_string())
    }

    #[test]
    fn a_quoted_failure_is_known_by_its_text() {
        let quoted = "br failed: no base id map found from saved id or last restored PiTR";
        assert_eq!(id_of(quoted, &[]).as_deref(), Some("br-id-map-missing"));
    }

    #[test]
    fn or_by_its_code() {
        let codes = ["BR:Common:ErrUnknown", "BR:PD:ErrPDBatchScanRegion"];
        assert_eq!(id_of("br failed: some words", &codes).as_deref(), Some("code-br-pd-errpdbatchscanregion"));
        assert_eq!(id_of("br failed: some words", &["BR:Common:ErrUnknown"]), None);
    }
}
