//! What happens to log text before somebody reads it: one damage after the other, each a small function from text to text.
//!
//! A damage belongs to a family, of which a copy has at most one, and to a stage: the order in which damages come about,
//! from the writer over the container and the terminal to the chat.

mod characters;
mod containers;
mod exports;
mod head;
mod losses;
mod marks;
mod quotes;
mod text;
mod wraps;

pub(crate) use crate::random::Random;
pub(crate) use text::Document;
#[allow(unused_imports, reason = "the tests use them")]
pub(crate) use text::{Record, TimeLeft};

/// One damage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage {
    /// Name, `wrap-hard`.
    pub(crate) name: &'static str,
    /// Damages of one family exclude each other.
    pub(crate) family: &'static str,
    /// Damages of a later stage come after those of an earlier one.
    pub(crate) stage: u8,
    /// Does it.
    pub(crate) apply: fn(&mut Document, &mut Random),
}

const fn damage(stage: u8, family: &'static str, name: &'static str, apply: fn(&mut Document, &mut Random)) -> Damage {
    Damage { name, family, stage, apply }
}

/// All damages, by stage.
pub(crate) const ALL: &[Damage] = &[
    // What was lost before the copy was made.
    damage(0, "head", "head-bracket-lost", losses::bracket),
    damage(0, "head", "head-inner-bracket-lost", losses::inner_bracket),
    damage(0, "head", "head-date-lost", losses::date),
    damage(0, "head", "head-time-lost", losses::time),
    damage(0, "head", "head-level-lost", losses::level),
    damage(0, "head", "head-time-level-lost", losses::time_and_level),
    damage(0, "head", "head-up-to-message-lost", losses::up_to_message),
    damage(0, "head", "head-into-message-lost", losses::into_message),
    damage(0, "tail", "tail-lost", losses::tail),
    damage(0, "tail", "tail-elided", losses::tail_elided),
    damage(0, "elision", "long-values-elided", losses::long_values),
    damage(0, "elision", "middle-elided", losses::middle),
    damage(0, "elision", "redaction-ate-bracket", losses::redacted),
    // How the time and level are written.
    damage(1, "clock", "time-with-comma", characters::comma),
    damage(1, "clock", "time-with-t", characters::with_t),
    damage(1, "clock", "time-iso", characters::iso),
    damage(1, "level", "level-lower-case", characters::lower_level),
    damage(1, "level", "level-capitalised", characters::capital_level),
    // Containers and collectors.
    damage(2, "container", "cri", containers::cri),
    damage(2, "container", "cri-partial", containers::cri_partial),
    damage(2, "container", "docker-json", containers::docker),
    damage(2, "container", "json-without-header", containers::json_without_header),
    damage(2, "container", "kubectl-timestamps", containers::kubectl),
    damage(2, "container", "kubectl-prefix", containers::pod),
    damage(2, "container", "stern", containers::stern),
    damage(2, "container", "compose", containers::compose),
    damage(2, "container", "klog", containers::klog),
    damage(2, "container", "syslog", containers::syslog),
    damage(2, "container", "journald", containers::journald),
    // Terminals.
    damage(3, "grep", "grep-path-line", marks::grep),
    damage(3, "grep", "grep-context", marks::grep_context),
    damage(3, "glue", "glued", wraps::glued),
    damage(3, "glue", "glued-numbered", wraps::glued_numbered),
    damage(3, "wrap", "wrap-hard", wraps::hard),
    damage(3, "wrap", "wrap-hard-trimmed", wraps::hard_trimmed),
    damage(3, "colour", "colour-level", characters::colour_level),
    damage(3, "colour", "colour-grep", characters::colour_grep),
    damage(3, "colour", "colour-without-escape", characters::colour_text),
    // Viewers' exports and editors.
    damage(4, "export", "grafana-text", exports::grafana),
    damage(4, "export", "logcli", exports::logcli),
    damage(4, "export", "loki-json", exports::loki_json),
    damage(4, "export", "loki-values", exports::loki_values),
    damage(4, "export", "csv", exports::csv),
    damage(4, "export", "csv-sloppy", exports::csv_sloppy),
    damage(4, "export", "dashboard", exports::dashboard),
    damage(4, "export", "cluster-log-table", exports::cluster_log),
    damage(4, "numbers", "numbered-bar", marks::numbered_bar),
    damage(4, "numbers", "numbered-colon", marks::numbered_colon),
    damage(4, "numbers", "numbered-tab", marks::numbered_tab),
    damage(4, "quotes", "quotes-doubled", quotes::doubled),
    damage(4, "quotes", "quotes-stripped", quotes::stripped),
    damage(4, "quotes", "quotes-escaped-twice", quotes::escaped_twice),
    // Chats, mails, web pages.
    damage(5, "quotes", "quotes-typographic", quotes::typographic),
    damage(5, "markup", "html", quotes::html),
    damage(5, "markup", "markdown-brackets", quotes::markdown),
    damage(5, "links", "links", marks::links),
    damage(5, "wrap", "wrap-words", wraps::words),
    damage(5, "blanks", "blanks-lost", characters::blanks_lost),
    damage(5, "blanks", "blanks-doubled", characters::blanks_doubled),
    damage(5, "blanks", "tabs", characters::tabs),
    damage(5, "blanks", "blanks-fixed", characters::fixed_blanks),
    damage(5, "invisible", "zero-width", characters::zero_width),
    damage(5, "marks", "quoted-mail", marks::quoted),
    damage(5, "marks", "table-row", marks::row),
    damage(5, "marks", "indented", marks::indented),
    damage(5, "prose", "fences", marks::fences),
    damage(5, "prose", "prose-between", marks::prose),
    damage(5, "prose", "prose-before", marks::prose_before),
    // The file.
    damage(6, "file", "crlf", characters::crlf),
    damage(6, "file", "bom", characters::bom),
];

/// The damages of these names, in the order in which they come about.
#[allow(dead_code, reason = "the test takes damages from the list")]
pub(crate) fn named(names: &[String]) -> Option<Vec<Damage>> {
    let mut found = Vec::new();
    for name in names {
        found.push(*ALL.iter().find(|damage| damage.name == name)?);
    }
    found.sort_by_key(|damage| damage.stage);
    Some(found)
}
