//! The command line made sense of: every value checked and typed, once.

use crate::cli::Common;
use crate::safe::Safe;
use crate::units::{Severity, StoreId, Timestamp, Tso, parse_naive, parse_offset};
use std::path::PathBuf;

/// Common options, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Only records from this moment on.
    pub since: Option<Moment>,
    /// Only records up to this moment.
    pub until: Option<Moment>,
    /// Threads; `None`: as many as there are processors.
    pub threads: Option<usize>,
    /// Files of the user's own rules.
    pub rules: Vec<PathBuf>,
    /// Stores that the user named.
    pub stores: Vec<(String, StoreId)>,
    /// Stores whose records are wanted (`timeline`).
    pub only_stores: Vec<StoreId>,
    /// Only this task.
    pub task: Option<String>,
    /// How long a service safe point of a stopped task holds back GC.
    pub gc_ttl_ms: i64,
    /// The moment the verdict is for.
    pub now: Option<Timestamp>,
    /// Offset of times written without one, minutes east of UTC.
    pub zone_minutes: Option<i64>,
    /// Longest gap within an episode.
    pub episode_gap_ms: i64,
    /// Exit status 1 from this severity on.
    pub fail_on: Option<Severity>,
    /// Whether secrets are replaced.
    pub redact: bool,
    /// How what is written is made safe.
    pub safe: Safe,
    /// Bytes of events held in memory.
    pub memory: usize,
}

/// A moment, or a span before `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A moment.
    At(Timestamp),
    /// Milliseconds before `now`.
    BeforeNow(i64),
}

impl Moment {
    /// The moment, given `now`.
    pub fn resolve(self, now: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::BeforeNow(millis) => now.map(|now| now.plus_ms(-millis)),
        }
    }
}

impl Settings {
    /// Checks all values.
    ///
    /// # Errors
    /// Which option is wrong, and what it takes.
    pub fn resolve(common: &Common) -> Result<Self, String> {
        let zone_minutes = common.tz.as_deref().map(zone).transpose()?;
        let at = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| moment(name, text, zone_minutes)).transpose()
        };
        let now = match at("--now", &common.now)? {
            Some(Moment::At(time)) => Some(time),
            Some(Moment::BeforeNow(_)) => {
                return Err("--now takes a moment, not a span: 2022-07-25T14:00:00Z".to_owned());
            }
            None => None,
        };
        let (mut stores, mut only_stores) = (Vec::new(), Vec::new());
        for word in &common.store {
            let id =
                |text: &str| text.parse::<StoreId>().map_err(|_| format!("--store {word}: `{text}` is no store id"));
            match word.rsplit_once('=') {
                Some((address, store)) => stores.push((address.to_owned(), id(store)?)),
                None => only_stores.push(id(word)?),
            }
        }
        if common.threads == Some(0) {
            return Err("--threads takes 1 or more".to_owned());
        }
        Ok(Self {
            since: at("--since", &common.since)?,
            until: at("--until", &common.until)?,
            threads: common.threads,
            rules: common.rules.clone(),
            stores,
            only_stores,
            task: common.task.clone(),
            gc_ttl_ms: duration("--gc-ttl", &common.gc_ttl)?,
            now,
            zone_minutes,
            episode_gap_ms: duration("--episode-gap", &common.episode_gap)?,
            fail_on: common.fail_on,
            redact: !common.no_redact,
            safe: Safe::new(!common.no_redact).hiding_keys(common.redact_keys),
            memory: size("--memory", &common.memory)?,
        })
    }
}

/// RFC 3339, a date and time without offset, a TSO, or a span such as `-2h`.
fn moment(name: &str, text: &str, zone_minutes: Option<i64>) -> Result<Moment, String> {
    if let Some(span) = text.strip_prefix('-') {
        return duration(name, span).map(Moment::BeforeNow);
    }
    if let Some(time) = Timestamp::parse_rfc3339(text) {
        return Ok(Moment::At(time));
    }
    if let Some(tso) = text.parse::<Tso>().ok().filter(|tso| tso.is_plausible()) {
        return Ok(Moment::At(tso.time()));
    }
    let day = format!("{text} 00:00");
    let naive =
        parse_naive(text.as_bytes()).or_else(|| parse_naive(day.as_bytes())).filter(|(_, rest)| rest.is_empty());
    naive
        .map(|(millis, _)| Moment::At(Timestamp(millis - zone_minutes.unwrap_or(0) * 60_000)))
        .ok_or_else(|| format!("{name} {text}: no moment; use 2022-07-25T14:00:00Z, `2022-07-25 14:00`, a TSO, or -2h"))
}

pub(crate) fn zone(text: &str) -> Result<i64, String> {
    parse_offset(text.as_bytes()).ok_or_else(|| format!("--tz {text}: no offset; use +08:00, -03:30 or Z"))
}

/// `24h`, `90s`, `1h30m`, `500ms`, `2d`, in milliseconds.
pub(crate) fn duration(name: &str, text: &str) -> Result<i64, String> {
    let wrong = || format!("{name} {text}: no duration; use 24h, 90s, 1h30m or 2d");
    let mut total = 0i64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        total = value.checked_mul(unit).and_then(|millis| total.checked_add(millis)).ok_or_else(wrong)?;
        rest = &rest[letters..];
    }
    Ok(total)
}

/// `256MiB`, `1GiB`, `64KB`, plain bytes.
pub(crate) fn size(name: &str, text: &str) -> Result<usize, String> {
    let wrong = || format!("{name} {text}: no size; use 256MiB or 1GiB");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let value: usize = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    value.checked_mul(unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_every_form() {
        let at = |text: &str| match moment("--since", text, Some(480)) {
            Ok(Moment::At(time)) => time.to_string(),
            Ok(Moment::BeforeNow(millis)) => format!("-{millis}"),
            Err(error) => error,
        };
        assert_eq!(at("2022-07-25T14:00:00Z"), "2022-07-25T14:00:00.000Z");
        assert_eq!(at("2022-07-25 14:00"), "2022-07-25T06:00:00.000Z");
        assert_eq!(at("2022-07-25"), "2022-07-24T16:00:00.000Z");
        assert_eq!(at("434834088949972992"), "2022-07-25T14:46:50.118Z");
        assert_eq!(at("-2h"), "-7200000");
        assert!(at("yesterday").contains("no moment"));
    }

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("x", "1h30m"), Ok(5_400_000));
        assert!(
            duration("x", "soon").is_err() && duration("x", "").is_err() && duration("x", "9999999999999999h").is_err()
        );
        assert_eq!(size("x", "256MiB"), Ok(256 << 20));
        assert!(size("x", "lots").is_err());
    }
}
