//! Nested and repeated error texts, `a: b: a: b`, folded to one chain with a count.

use std::borrow::Cow;

/// Longer chains are left as they are.
const MOST_LINKS: usize = 128;

/// Folds an error text: repeats of the same links become one, with how often they stood there.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    let (outer, times) = fold_by(text, "; ");
    let (inner_text, inner) = fold_by(&outer, ": ");
    if times.max(inner) <= 1 {
        return Cow::Borrowed(text);
    }
    let text = inner_text;
    Cow::Owned(format!("{text} ({} times)", times.max(inner)))
}

/// Folds repeats of one or several links in a row; gives the text and the highest number of repeats.
fn fold_by<'t>(text: &'t str, separator: &str) -> (Cow<'t, str>, usize) {
    if !repeats(text, separator) {
        return (Cow::Borrowed(text), 1);
    }
    let mut links: Vec<&str> = Vec::new();
    let mut from = 0;
    for at in memchr::memmem::find_iter(text.as_bytes(), separator).take(MOST_LINKS - 1) {
        if at >= from {
            links.push(&text[from..at]);
            from = at + separator.len();
        }
    }
    links.push(&text[from..]);
    if links.len() == MOST_LINKS {
        return (Cow::Borrowed(text), 1);
    }
    let keys: Vec<&str> = links.iter().map(|link| key(link)).collect();
    let (mut kept, mut most, mut at): (Vec<&str>, usize, usize) = (Vec::new(), 1, 0);
    while at < links.len() {
        // The longest block that stands here twice or more.
        let block =
            (1..=(links.len() - at) / 2).rev().find(|block| keys[at..at + block] == keys[at + block..at + 2 * block]);
        let Some(block) = block else {
            kept.push(links[at]);
            at += 1;
            continue;
        };
        let mut times = 1;
        while keys
            .get(at..at + block)
            .is_some_and(|head| keys.get(at + times * block..at + (times + 1) * block) == Some(head))
        {
            times += 1;
        }
        kept.extend(&links[at..at + block]);
        most = most.max(times);
        at += block * times;
    }
    (Cow::Owned(kept.join(separator)), most)
}

/// What makes two links the same.
fn key(mut link: &str) -> &str {
    while let Some(rest) = link.strip_prefix("and error ") {
        link = rest;
    }
    let is_bare = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let (first, last) = (link.as_bytes().first(), link.as_bytes().last());
    if is_bare(first) && is_bare(last) { link } else { link.trim() }
}

/// Whether links stand twice in a row; few texts have such, and all are asked.
fn repeats(text: &str, separator: &str) -> bool {
    let signs = separator.as_bytes();
    let is_whole = |at: &usize| text.as_bytes()[*at..].starts_with(signs);
    let mut ends = memchr::memchr_iter(signs[0], text.as_bytes()).filter(is_whole).peekable();
    if ends.peek().is_none() {
        return false;
    }
    let mut links = Vec::with_capacity(16);
    let mut from = 0;
    for end in ends.chain([text.len()]) {
        if links.len() == MOST_LINKS {
            return false;
        }
        links.push(key(&text[from..end]));
        from = (end + signs.len()).min(text.len());
    }
    // A block of so many links, and the same once more behind it.
    (1..=links.len() / 2).any(|block| {
        let mut same = 0;
        links.iter().zip(&links[block..]).any(|(one, other)| {
            same = if one == other { same + 1 } else { 0 };
            same == block
        })
    })
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn three_copies_of_a_chain_are_one() {
        let one = "failed to get initial snapshot: failed to get the snapshot (region_id = 9): Error during requesting raftstore";
        let text = format!("retry time exceeds: and error {one}: {one}: {one}");
        assert_eq!(fold(&text), format!("retry time exceeds: and error {one} (3 times)"));
        assert_eq!(fold("a: b: c"), "a: b: c");
        assert_eq!(fold("dial: timeout; dial: timeout; dial: timeout"), "dial: timeout (3 times)");
        assert_eq!(fold(""), "");
    }
}
