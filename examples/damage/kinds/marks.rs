//! What stands before, around and between lines: marks, numbers, paths, links, prose.

use super::Random;
use super::text::{Document, Piece};

/// `log/tikv.log:1033:`.
pub(super) fn grep(document: &mut Document, random: &mut Random) {
    let mut number = random.below(90_000);
    document.lines(|line| {
        number += 1;
        format!("log/tikv.log:{number}:{line}")
    });
}

/// `log/tikv.log-1033-` of a neighbour, `--` between groups.
pub(super) fn grep_context(document: &mut Document, random: &mut Random) {
    let mut number = random.below(90_000);
    document.lines(|line| {
        number += 1;
        format!("log/tikv.log-{number}-{line}")
    });
    between(document, |at| (at % 2 == 0).then(|| "--".to_owned()));
}

/// ` 12 | `.
pub(super) fn numbered_bar(document: &mut Document, random: &mut Random) {
    numbered(document, random, |number| format!("{number:>4} | "));
}

/// `12: `.
pub(super) fn numbered_colon(document: &mut Document, random: &mut Random) {
    numbered(document, random, |number| format!("{number}: "));
}

/// What `cat -n` puts in front.
pub(super) fn numbered_tab(document: &mut Document, random: &mut Random) {
    numbered(document, random, |number| format!("{number:>6}\t"));
}

fn numbered(document: &mut Document, random: &mut Random, prefix: impl Fn(u64) -> String) {
    let mut number = random.below(9_000);
    document.lines(|line| {
        number += 1;
        format!("{}{line}", prefix(number))
    });
}

/// `> `, also twice.
pub(super) fn quoted(document: &mut Document, random: &mut Random) {
    let mark = if random.below(3) == 0 { "> > " } else { "> " };
    document.lines(|line| format!("{mark}{line}"));
}

/// `| ... |`.
pub(super) fn row(document: &mut Document, _: &mut Random) {
    document.lines(|line| format!("| {line} |"));
}

/// Blanks in front.
pub(super) fn indented(document: &mut Document, random: &mut Random) {
    let blanks = " ".repeat(1 + random.below(8) as usize);
    document.lines(|line| format!("{blanks}{line}"));
}

/// Fences around groups.
pub(super) fn fences(document: &mut Document, _: &mut Random) {
    between(document, |at| Some(if at % 2 == 0 { "```log".to_owned() } else { "```".to_owned() }));
}

/// Sentences between records.
pub(super) fn prose(document: &mut Document, random: &mut Random) {
    const SENTENCES: [&str; 4] = [
        "Then one of the stores said this:",
        "We restarted it twice, without luck. Anything else we should look at?",
        "\u{7136}\u{540e}\u{5c31}\u{5361}\u{4f4f}\u{4e86}",
        "(many more of these)",
    ];
    let first = random.below(4) as usize;
    between(document, |at| Some(format!("\n{}\n", SENTENCES[(at + first) % 4])));
}

/// A sentence before a record on its own line.
pub(super) fn prose_before(document: &mut Document, _: &mut Random) {
    document.records(|text| format!("\u{7136}\u{540e}\u{62a5}\u{9519}\u{3002}{text}"));
}

fn between(document: &mut Document, text: impl Fn(usize) -> Option<String>) {
    let pieces = std::mem::take(&mut document.pieces);
    for (at, piece) in pieces.into_iter().enumerate() {
        document.pieces.extend(text(at).map(|text| Piece { text, records: Vec::new() }));
        document.pieces.push(piece);
    }
}

/// `[10.0.1.11:20160](http://10.0.1.11:20160/)`, `[raft.rs:1344](http://raft.rs:1344/)`.
pub(super) fn links(document: &mut Document, _: &mut Random) {
    document.lines(|line| {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || ".-_:".contains(letter);
        let mut out = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            let word = &rest[..end];
            if is_address(word) && !out.ends_with('/') {
                out.push_str(&format!("[{word}](http://{word}/)"));
            } else {
                out.push_str(word);
            }
            rest = &rest[end..];
            let next = rest.find(is_word).unwrap_or(rest.len());
            out.push_str(&rest[..next]);
            rest = &rest[next..];
        }
        out
    });
}

/// `10.0.1.11:20160`, `raft.rs:1344`.
fn is_address(word: &str) -> bool {
    let Some((host, port)) = word.split_once(':') else { return false };
    let is_file = host.rsplit_once('.').is_some_and(|(_, kind)| kind == "rs" || kind == "go");
    let is_host = host.split('.').count() == 4 && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_file || is_host) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}
