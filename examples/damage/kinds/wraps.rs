//! Lines broken and lines joined.

use super::Random;
use super::text::{Document, Piece};

/// Broken at a width, wherever that is.
pub(super) fn hard(document: &mut Document, random: &mut Random) {
    let width = width(random);
    document.lines(|line| pieces(line, width).join("\n"));
}

/// The same, copied by a tool that takes blanks at line ends away.
pub(super) fn hard_trimmed(document: &mut Document, random: &mut Random) {
    let width = width(random);
    document.lines(|line| {
        pieces(line, width).iter().map(|piece| piece.trim_end_matches(' ')).collect::<Vec<_>>().join("\n")
    });
}

/// Broken at blanks, which are lost.
pub(super) fn words(document: &mut Document, random: &mut Random) {
    let width = width(random);
    document.lines(|line| {
        let mut lines = vec![String::new()];
        for word in line.split(' ') {
            let last = lines.len() - 1;
            if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > width {
                lines.push(word.to_owned());
            } else {
                if !lines[last].is_empty() {
                    lines[last].push(' ');
                }
                lines[last].push_str(word);
            }
        }
        lines.join("\n")
    });
}

fn width(random: &mut Random) -> usize {
    const USUAL: [u64; 6] = [80, 100, 120, 132, 160, 200];
    match random.below(12) {
        at @ 0..6 => USUAL[at as usize] as usize,
        _ => random.between(60, 230) as usize,
    }
}

fn pieces(line: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

/// Several records on one line, with nothing between.
pub(super) fn glued(document: &mut Document, random: &mut Random) {
    glue(document, random, "");
}

/// The same, with the editor's line numbers between.
pub(super) fn glued_numbered(document: &mut Document, random: &mut Random) {
    glue(document, random, "152540 ");
}

fn glue(document: &mut Document, random: &mut Random, between: &str) {
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in std::mem::take(&mut document.pieces) {
        match pieces.last_mut() {
            Some(last) if random.below(3) > 0 && !last.text.contains('\n') && !piece.text.contains('\n') => {
                last.text.push_str(between);
                last.text.push_str(&piece.text);
                last.records.extend(piece.records);
            }
            _ => pieces.push(piece),
        }
    }
    document.pieces = pieces;
}
