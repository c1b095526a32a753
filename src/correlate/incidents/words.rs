//! Small words for sentences.

use crate::units::Timestamp;
use std::fmt::Display;

/// Most ids that a sentence names.
const MOST: usize = 3;

/// `1`, `1 and 4`, `1, 4 and 5`, `1, 4, 5 and 7 more`.
pub(super) fn list<T: Display>(ids: impl Iterator<Item = T>) -> String {
    let all: Vec<String> = ids.map(|id| id.to_string()).collect();
    match all.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] if all.len() <= MOST => format!("{} and {last}", head.join(", ")),
        _ => format!("{} and {} more", all[..MOST].join(", "), all.len() - MOST),
    }
}

/// The noun, for one or several.
pub(super) fn plural(noun: &str, count: usize) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// ` at 2022-07-25 14:54:44Z`, nothing where the time is not known.
pub(super) fn at(time: Option<Timestamp>) -> String {
    moment("at", time)
}

/// ` since 2022-07-25 13:20:00Z`, or nothing.
pub(super) fn since(time: Option<Timestamp>) -> String {
    moment("since", time)
}

fn moment(word: &str, time: Option<Timestamp>) -> String {
    time.map(|time| format!(" {word} {}Z", time.human())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{list, plural};

    #[test]
    fn lists_stay_short() {
        assert_eq!(list([1].iter()), "1");
        assert_eq!(list([1, 4].iter()), "1 and 4");
        assert_eq!(list([1, 4, 5].iter()), "1, 4 and 5");
        assert_eq!(list([1, 4, 5, 7, 9].iter()), "1, 4, 5 and 2 more");
        assert_eq!((plural("store", 1), plural("store", 2)), ("store".to_owned(), "stores".to_owned()));
    }
}
