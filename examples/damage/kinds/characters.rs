//! Single characters: how time and level are spelled, colours, blanks, line ends.

use super::Random;
use super::head::Head;
use super::losses::floor;
use super::text::Document;

/// `14:54:44,467`.
pub(super) fn comma(document: &mut Document, _: &mut Random) {
    clock(document, |date, clock, zone| format!("{date} {} {zone}", clock.replace('.', ",")));
}

/// `2022/07/25T14:54:44.467 +00:00`.
pub(super) fn with_t(document: &mut Document, _: &mut Random) {
    clock(document, |date, clock, zone| format!("{date}T{clock} {zone}"));
}

/// `2022-07-25T14:54:44.467+00:00`.
pub(super) fn iso(document: &mut Document, _: &mut Random) {
    clock(document, |date, clock, zone| {
        format!("{}T{clock}{}", date.replace('/', "-"), if zone == "+00:00" { "Z" } else { zone })
    });
}

fn clock(document: &mut Document, spell: impl Fn(&str, &str, &str) -> String) {
    document.records(|text| {
        let Some((head, (date, clock, zone))) = Head::find(text).and_then(|head| Some((head, head.stamp(text)?)))
        else {
            return text.to_owned();
        };
        let whole = format!("{date} {clock} {zone}");
        let end = head.time + 1 + whole.len();
        format!("{}{}{}", &text[..=head.time], spell(&date, &clock, &zone), &text[end..])
    });
}

/// `[warn]`.
pub(super) fn lower_level(document: &mut Document, _: &mut Random) {
    level(document, str::to_ascii_lowercase);
}

/// `[Warn]`.
pub(super) fn capital_level(document: &mut Document, _: &mut Random) {
    level(document, |word| format!("{}{}", &word[..1], word[1..].to_ascii_lowercase()));
}

/// `[` ESC `[33mWARN` ESC `[0m]`.
pub(super) fn colour_level(document: &mut Document, _: &mut Random) {
    level(document, |word| format!("\u{1b}[33m{word}\u{1b}[0m"));
}

/// `[[33mWARN[0m]`: a copy of a coloured screen that lost the escape.
pub(super) fn colour_text(document: &mut Document, _: &mut Random) {
    level(document, |word| format!("[33m{word}[0m"));
}

fn level(document: &mut Document, spell: impl Fn(&str) -> String) {
    document.records(|text| {
        let mut words = ["ERROR", "WARN", "INFO", "DEBUG", "FATAL", "TRACE", "PANIC"].iter();
        let found = words.find_map(|word| text.find(&format!("[{word}]")).map(|at| (at + 1, *word)));
        let Some((at, word)) = found else { return text.to_owned() };
        format!("{}{}{}", &text[..at], spell(word), &text[at + word.len()..])
    });
}

/// What `grep --color` does to some word of each line.
pub(super) fn colour_grep(document: &mut Document, random: &mut Random) {
    document.lines(|line| {
        let from = floor(line, random.below(line.len() as u64) as usize);
        let to = floor(line, from + 1 + random.below(12) as usize);
        format!("{}\u{1b}[01;31m\u{1b}[K{}\u{1b}[m\u{1b}[K{}", &line[..from], &line[from..to], &line[to..])
    });
}

/// `[WARN][endpoint.rs:209]["fatal error"]`.
pub(super) fn blanks_lost(document: &mut Document, _: &mut Random) {
    document.lines(|line| line.replace("] [", "]["));
}

/// Two or three blanks for one.
pub(super) fn blanks_doubled(document: &mut Document, random: &mut Random) {
    document.lines(|line| {
        let mut parts = line.split("] [");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str(&format!("]{}[{part}", " ".repeat(1 + random.below(3) as usize)));
        }
        out
    });
}

/// Tabs between the brackets.
pub(super) fn tabs(document: &mut Document, _: &mut Random) {
    document.lines(|line| line.replace("] [", "]\t["));
}

/// Blanks that do not break, as web pages have them.
pub(super) fn fixed_blanks(document: &mut Document, random: &mut Random) {
    let all = random.below(2) == 0;
    document.lines(|line| if all { line.replace(' ', "\u{a0}") } else { line.replace("] [", "]\u{a0}[") });
}

/// Places where a line may break, as web pages mark them in long words.
pub(super) fn zero_width(document: &mut Document, random: &mut Random) {
    document.lines(|line| {
        let mut out = String::new();
        for letter in line.chars() {
            if random.below(16) == 0 {
                out.push('\u{200b}');
            }
            out.push(letter);
        }
        out
    });
}

/// Line ends of Windows.
pub(super) fn crlf(document: &mut Document, _: &mut Random) {
    document.line_end = "\r\n";
}

/// A byte order mark at the start.
pub(super) fn bom(document: &mut Document, _: &mut Random) {
    document.start = "\u{feff}";
}
