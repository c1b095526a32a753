//! Log text in Markdown: nothing in it may open a tag, a link, a mention, a table cell or a code block.

use std::fmt::{self, Write};

/// The escaper of the `.md` templates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Markdown;

impl askama::filters::Escaper for Markdown {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let mut rest = string;
        while let Some(at) = rest.find(needs_care) {
            let (before, from) = rest.split_at(at);
            dest.write_str(before)?;
            let mut chars = from.chars();
            let Some(char) = chars.next() else { break };
            rest = chars.as_str();
            // Bare links are found in text that is already unescaped; only an entity hides them.
            match char {
                ':' if rest.starts_with("//") => dest.write_str("&#58;")?,
                '.' if before.ends_with("www") => dest.write_str("&#46;")?,
                ':' | '.' => dest.write_char(char)?,
                _ => self.write_escaped_char(&mut dest, char)?,
            }
        }
        dest.write_str(rest)
    }

    fn write_escaped_char<W: Write>(&self, mut dest: W, char: char) -> fmt::Result {
        match char {
            '\n' => dest.write_char(' '),
            // So are mentions.
            '@' => dest.write_str("&#64;"),
            '&' => dest.write_str("&amp;"),
            ':' | '.' => dest.write_char(char),
            _ if needs_care(char) => write!(dest, "\\{char}"),
            _ => dest.write_char(char),
        }
    }
}

/// Text of the notices that nights write.
#[cfg(feature = "sqlite")]
pub(crate) fn text(raw: &str) -> String {
    let mut out = String::new();
    let _ = askama::filters::Escaper::write_escaped_str(&Markdown, &mut out, raw);
    out
}

fn needs_care(char: char) -> bool {
    matches!(
        char,
        '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '$' | '#' | '@' | '&' | '\n' | ':' | '.'
    )
}

/// Text as a code span that is safe in a table too.
pub(super) fn span(text: &str) -> String {
    let text = text.replace('\n', " ").replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text as a block of code.
pub(super) fn fenced(text: &str, language: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}
