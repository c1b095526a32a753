//! How much of a damaged text is still understood: every damage alone, and in pairs.
//!
//! The first example of every rule and the logs of `testdata` are damaged, and what comes out is compared with what the clean
//! text gives. Ids are renumbered first, so that every record has ids of its own: an id that strays from one record into
//! another shows as a false one.
//!
//! What a damage truly destroyed is left out: an id that no longer stands in the text as a whole number with the twelve bytes
//! before it; a rule of which some text no longer stands in the record; a time that is lost; a record of which all that is.

#[path = "../../examples/damage/kinds/mod.rs"]
mod kinds;

use kinds::{Damage, Document, Random, Record, TimeLeft};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use tidescope::event::{self, Event};
use tidescope::matching::Matcher;
use tidescope::record::{Kind, RawRecord, Sink, Tally, split};
use tidescope::rules::Catalog;
use tidescope::units::Timestamp;

type Read = (Option<Arc<str>>, Event);

fn matcher() -> &'static Matcher {
    static MATCHER: OnceLock<Matcher> = OnceLock::new();
    MATCHER.get_or_init(|| Matcher::new(Arc::new(Catalog::embedded().expect("the catalogue is sound"))))
}

/// A clean record and what it gives.
struct Clean {
    text: String,
    rule: Option<Arc<str>>,
    event: Event,
    /// The ids that are known without knowing the rule.
    plain_ids: Vec<String>,
}

/// Whole numbers of a text: where they begin, and their digits.
fn numbers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().position(u8::is_ascii_digit)?;
        let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let found = (at, &text[at..at + length]);
        at += length;
        Some(found)
    })
}

/// Gives every place of a record that names a region or store an id that no other place has.
fn renumbered(text: &str, event: &Event, index: usize) -> String {
    let mut ids: Vec<String> = event.regions.iter().map(ToString::to_string).collect();
    ids.extend(event.stores.iter().map(ToString::to_string));
    let bytes = text.as_bytes();
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b".-/".contains(byte));
    let (mut out, mut copied, mut count) = (String::new(), 0, 0);
    for (at, digits) in numbers(text) {
        let end = at + digits.len();
        let stands_alone = !joins(at.checked_sub(1).and_then(|before| bytes.get(before))) && !joins(bytes.get(end));
        if stands_alone && at > 34 && ids.iter().any(|id| id == digits) {
            let _ = write!(out, "{}{}", &text[copied..at], 10_000_000 + index * 100 + count);
            (copied, count) = (end, count + 1);
        }
    }
    out + &text[copied..]
}

/// Reads a text that is one record.
fn only(text: &str) -> Option<Clean> {
    let mut found = event::read(matcher(), text);
    let (rule, event) = found.pop().filter(|_| found.is_empty())?;
    let record = tidescope::record::Record::clean(text.as_bytes());
    let place = event::Place { file: Arc::from("-"), line: 1, offset: 0 };
    let plain_ids = ids(&event::Facts::of(&record).event_of(&record, None, place));
    Some(Clean { text: text.to_owned(), rule, event, plain_ids })
}

/// The first example of each rule, and a few lines of each log of `testdata`.
fn corpus() -> &'static [Clean] {
    static CORPUS: OnceLock<Vec<Clean>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let mut texts: Vec<String> =
            matcher().catalog().rules().iter().filter_map(|rule| Some(rule.examples.first()?.to_string())).collect();
        for name in files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")) {
            let text = std::fs::read_to_string(name).expect("testdata is text");
            texts.extend(text.lines().step_by(7).map(str::to_owned));
        }
        let texts =
            texts.iter().map(|text| text.trim_end()).filter(|text| tidescope::record::is_clean(text.as_bytes()));
        let read = texts.enumerate().filter_map(|(index, text)| {
            let first = only(text)?;
            let again = only(&renumbered(text, &first.event, index)).filter(|again| again.rule == first.rule);
            Some(again.unwrap_or(first))
        });
        read.collect()
    })
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("testdata is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ext| ext == "log") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether an id still stands in what is left of a record.
fn stands(id: &str, left: &str, clean: &str) -> bool {
    let label = |text: &str, at: usize| text.as_bytes()[at.saturating_sub(12)..at].to_vec();
    let known: Vec<_> = numbers(clean).filter(|(_, digits)| *digits == id).map(|(at, _)| label(clean, at)).collect();
    numbers(left).any(|(at, digits)| {
        let is_whole = left.as_bytes().get(at + digits.len()).is_some_and(|next| *next != b'.');
        digits == id && is_whole && at >= 12 && known.contains(&label(left, at))
    })
}

/// Whether a code stands in what is left, and something behind it.
fn code_stands(code: &str, left: &str) -> bool {
    left.match_indices(code).any(|(at, _)| {
        let next = left.as_bytes().get(at + code.len());
        next.is_some_and(|byte| !byte.is_ascii_alphanumeric() && !b":_.".contains(byte))
    })
}

/// Whether all texts that a rule asks for still stand in what is left.
fn rule_stands(id: &str, left: &str) -> bool {
    let catalog = matcher().catalog();
    let Some(rule) = catalog.rules().iter().find(|rule| &*rule.id == id) else { return false };
    let text = tidescope::record::unescape(left.as_bytes());
    let has = |word: &str| memchr::memmem::find(&text, word.as_bytes()).is_some();
    let any = |words: &[Box<str>]| words.is_empty() || words.iter().any(|word| has(word));
    let when = &rule.when;
    // Where the message's start is lost, short texts say nothing.
    let head =
        |word: &str| if word.len() < 12 { has(&format!("[\"{word}")) || has(&format!("[{word}")) } else { has(word) };
    // A message that is known by all of it must have its end.
    let whole = |word: &str| head(word) && ["\"", "]"].iter().any(|end| has(&format!("{word}{end}")));
    let code = rule.code.as_deref().filter(|_| rule.is_about_code());
    let no_heads = when.message.is_empty() && when.starts.is_empty();
    (no_heads || when.message.iter().any(|word| whole(word)) || when.starts.iter().any(|word| head(word)))
        && code.is_none_or(|code| code_stands(code, left))
        && when.message_has.iter().all(|word| has(word))
        && when.has.iter().all(|word| has(word))
        && any(&when.any)
        && when.fields.iter().all(|(key, value)| {
            (has(&format!("[{key}=")) || has(&format!("\"{key}\"="))) && value.as_ref().is_none_or(|value| has(value))
        })
}

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    records: usize,
    recovered: usize,
    rules: usize,
    ids: usize,
    times: usize,
    false_ids: usize,
    strangers: usize,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.recovered += other.recovered;
        self.rules += other.rules;
        self.ids += other.ids;
        self.times += other.times;
        self.false_ids += other.false_ids;
        self.strangers += other.strangers;
    }

    fn part(self, count: usize) -> f64 {
        count as f64 / self.records.max(1) as f64
    }
}

fn ids(event: &Event) -> Vec<String> {
    let mut found: Vec<String> = event.regions.iter().map(|id| format!("region {id}")).collect();
    found.extend(event.stores.iter().map(|id| format!("store {id}")));
    found.extend(event.tsos.iter().map(|id| format!("tso {id}")));
    found.extend(event.codes.iter().map(|id| format!("code {id}")));
    found
}

/// Damages a few records and compares.
fn measure(cleans: &[&Clean], damages: &[Damage], seed: u64, notes: &mut Vec<String>) -> Score {
    let mut document = Document::new(cleans.iter().map(|clean| &*clean.text));
    let mut random = Random::new(seed);
    for damage in damages {
        (damage.apply)(&mut document, &mut random);
    }
    let text = document.render();
    let found: Vec<(Read, Vec<String>)> = event::read(matcher(), &text)
        .into_iter()
        .map(|(rule, event)| {
            let ids = ids(&event);
            ((rule, event), ids)
        })
        .collect();
    let known: Vec<Vec<String>> = cleans.iter().map(|clean| ids(&clean.event)).collect();
    let mut score = Score::default();
    let mut note = |what: String| notes.push(what);
    for ((rule, event), ids) in &found {
        // The clean record that it shares most with.
        let most = (0..cleans.len()).max_by_key(|at| {
            let shared = ids.iter().filter(|id| known[*at].contains(id)).count();
            (shared, rule.is_some() && cleans[*at].rule == *rule, usize::MAX - at)
        });
        let wrong: Vec<_> = ids.iter().filter(|id| !most.is_some_and(|at| known[at].contains(id))).collect();
        if !wrong.is_empty() {
            score.false_ids += wrong.len();
            note(format!("false {wrong:?} in {:?} {}\n{text}", rule, event.message));
        }
        if rule.is_some() && !cleans.iter().any(|clean| clean.rule == *rule) {
            score.strangers += 1;
            note(format!("stranger {rule:?} {}\n{text}", event.message));
        }
    }
    let records: Vec<_> = document.pieces.iter().flat_map(|piece| &piece.records).collect();
    let wants: Vec<Option<Wants>> =
        records.iter().map(|record| Wants::of(record, cleans[record.index], &known[record.index])).collect();
    // The best fits first: a record of which little is left must not take what another one needs.
    let mut fits: Vec<_> = Vec::new();
    for (at, wants) in wants.iter().enumerate() {
        for (one, found) in found.iter().enumerate() {
            if let Some(wants) = wants {
                let shared = found.1.iter().filter(|id| wants.ids.contains(id)).count();
                let right = wants.compare(found);
                let sure = usize::from(right.0 && wants.rule.is_some());
                fits.push((shared + sure, right, usize::MAX - at.abs_diff(one), at, one));
            }
        }
    }
    fits.sort_unstable();
    let (mut given, mut used) = (vec![None; records.len()], vec![false; found.len()]);
    for (_, right, _, at, one) in fits.into_iter().rev() {
        if given[at].is_none() && !used[one] {
            given[at] = Some((right, one));
            used[one] = true;
        }
    }
    for ((record, wants), given) in records.iter().zip(&wants).zip(&given) {
        let Some(wants) = wants else { continue };
        let (rule, ids, time) = given.map_or((false, false, false), |(right, _)| right);
        score.records += 1;
        score.rules += usize::from(rule);
        score.ids += usize::from(ids);
        score.times += usize::from(time);
        if rule && ids && time {
            score.recovered += 1;
            continue;
        }
        let got = given.map(|(_, at)| {
            let ((rule, event), ids) = &found[at];
            format!("{rule:?} {ids:?} {:?}", event.time.map(|t| t.to_string()))
        });
        note(format!(
            "lost {} ({}{}{}) wanted {:?} {:?} got {}\nleft: {}\n{text}",
            cleans[record.index].rule.as_deref().unwrap_or("-"),
            if rule { "" } else { "rule " },
            if ids { "" } else { "ids " },
            if time { "" } else { "time " },
            wants.ids,
            wants.time.map(|t| t.to_string()),
            got.unwrap_or_default(),
            record.left,
        ));
    }
    score
}

/// What a record must still give.
struct Wants<'a> {
    rule: Option<&'a Arc<str>>,
    ids: Vec<&'a String>,
    time: Option<Timestamp>,
    time_left: TimeLeft,
}

impl<'a> Wants<'a> {
    /// `None` where nothing is left that anybody could know the record by.
    fn of(record: &Record, clean: &'a Clean, known: &'a [String]) -> Option<Self> {
        let whole = record.left == clean.text;
        let stands = |id: &&String| {
            let value = id.split_once(' ').map_or("", |(_, value)| value);
            let left = &record.left;
            whole || if id.starts_with("code") { code_stands(value, left) } else { stands(value, left, &clean.text) }
        };
        let rule = clean.rule.as_ref().filter(|id| whole || rule_stands(id, &record.left));
        let known = if rule.is_some() { known } else { &clean.plain_ids };
        let ids: Vec<_> = known.iter().filter(stands).collect();
        (rule.is_some() || !ids.is_empty() || record.time > TimeLeft::None || whole).then_some(Self {
            rule,
            ids,
            time: clean.event.time,
            time_left: record.time,
        })
    }

    /// Whether rule, ids and time are right.
    fn compare(&self, ((rule, event), ids): &(Read, Vec<String>)) -> (bool, bool, bool) {
        let time = match (self.time_left, self.time, event.time) {
            (_, None, found) => found.is_none(),
            (TimeLeft::Whole, wanted, found) => wanted == found,
            (TimeLeft::None, wanted, found) => found.is_none() || wanted == found || event.time_is_local,
            (TimeLeft::Second, Some(wanted), found) => {
                found.is_some_and(|found| found.0.div_euclid(1000) == wanted.0.div_euclid(1000))
            }
        };
        (self.rule.is_none_or(|id| rule.as_ref() == Some(id)), self.ids.iter().all(|id| ids.contains(id)), time)
    }
}

/// What `split` gives of a part: where records start and end, how they are read, and the counts.
pub(crate) fn parts(text: &[u8], own: std::ops::Range<usize>) -> (Vec<(usize, usize, Kind)>, Tally) {
    struct Starts(Vec<(usize, usize, Kind)>);
    impl Sink for Starts {
        fn record(&mut self, record: RawRecord<'_>) {
            self.0.push((record.start, record.bytes.len(), record.kind));
        }
    }
    let mut found = Starts(Vec::new());
    let tally = split(text, own, &mut found);
    (found.0, tally)
}

#[test]
fn parts_of_damaged_text_split_as_the_whole() {
    let corpus = corpus();
    let mut random = Random::new(7);
    for turn in 0..500 {
        let mut document = Document::new((0..12).map(|step| &*corpus[(turn * 37 + step * 11) % corpus.len()].text));
        for _ in 0..3 {
            let damage = kinds::ALL[random.below(kinds::ALL.len() as u64) as usize];
            (damage.apply)(&mut document, &mut random);
        }
        let text = document.render();
        let whole = parts(text.as_bytes(), 0..text.len());
        let mut cuts: Vec<usize> = (0..6).map(|_| random.below(text.len() as u64) as usize).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let mut records = Vec::new();
        let mut tally = Tally::default();
        for cut in cuts.windows(2) {
            let (found, counted) = parts(text.as_bytes(), cut[0]..cut[1]);
            records.extend(found);
            tally.records += counted.records;
            tally.newlines += counted.newlines;
            tally.continuation_lines += counted.continuation_lines;
            tally.unparsed_lines += counted.unparsed_lines;
        }
        assert_eq!(records, whole.0, "turn {turn}, cut at {cuts:?}\n{text}");
        assert_eq!(tally, whole.1, "turn {turn}, cut at {cuts:?}\n{text}");
    }
}

fn show(title: &str, scores: &[(String, Score)]) -> Score {
    let mut sum = Score::default();
    println!("{title:<44} records recovered   rule    ids   time  false strange");
    for (name, score) in scores {
        sum.add(*score);
        println!(
            "{name:<44} {:>7}     {:.3}  {:.3}  {:.3}  {:.3} {:>6} {:>7}",
            score.records,
            score.part(score.recovered),
            score.part(score.rules),
            score.part(score.ids),
            score.part(score.times),
            score.false_ids,
            score.strangers
        );
    }
    sum
}

/// `DAMAGE_NOTES=wrap-hard cargo test damage -- --nocapture` prints what went wrong under one damage, or pair `a+b`;
/// `DAMAGE_NOTES=false` prints every false id.
fn print(name: &str, notes: &[String]) {
    let Ok(asked) = std::env::var("DAMAGE_NOTES") else { return };
    for note in notes.iter().filter(|note| asked == name || note.starts_with(&format!("{asked} "))) {
        println!("{name}: {note}");
    }
}

/// `DAMAGE_ONLY=wrap-hard` measures one damage only, and its pairs.
fn is_asked(name: &str) -> bool {
    std::env::var("DAMAGE_ONLY").map_or(true, |asked| asked == name)
}

/// Records together in one damaged text.
const TOGETHER: usize = 5;

#[test]
fn each_damage_alone() {
    let corpus: Vec<&Clean> = corpus().iter().collect();
    let mut scores = Vec::new();
    for damage in kinds::ALL.iter().filter(|damage| is_asked(damage.name)) {
        let mut score = Score::default();
        let mut notes = Vec::new();
        for (at, chunk) in corpus.chunks(TOGETHER).enumerate() {
            score.add(measure(chunk, &[*damage], at as u64, &mut notes));
        }
        print(damage.name, &notes);
        scores.push((damage.name.to_owned(), score));
    }
    let sum = show("damage alone", &scores);
    println!("{:<44} {:>7}     {:.3}", "all", sum.records, sum.part(sum.recovered));
    for (name, score) in &scores {
        assert!(score.part(score.recovered) >= 0.97, "{name}: {:.3}", score.part(score.recovered));
        assert_eq!(score.false_ids, 0, "{name}");
    }
}

#[test]
fn damages_in_pairs() {
    let corpus = corpus();
    let mut by_damage: BTreeMap<&str, Score> = BTreeMap::new();
    let mut pairs = Vec::new();
    let mut turn = 0;
    for (at, first) in kinds::ALL.iter().enumerate() {
        for second in kinds::ALL[at + 1..].iter().filter(|second| second.family != first.family) {
            if !is_asked(first.name) && !is_asked(second.name) {
                continue;
            }
            let name = format!("{}+{}", first.name, second.name);
            let mut notes = Vec::new();
            let mut score = Score::default();
            for _ in 0..10 {
                turn += 1;
                let chunk: Vec<&Clean> =
                    (0..TOGETHER).map(|step| &corpus[(turn * 31 + step * 7) % corpus.len()]).collect();
                score.add(measure(&chunk, &[*first, *second], turn as u64, &mut notes));
            }
            print(&name, &notes);
            by_damage.entry(first.name).or_default().add(score);
            by_damage.entry(second.name).or_default().add(score);
            pairs.push((name, score));
        }
    }
    let scores: Vec<_> =
        kinds::ALL.iter().filter_map(|one| Some((one.name.to_owned(), *by_damage.get(one.name)?))).collect();
    show("damage with each other one", &scores);
    pairs.sort_by(|a, b| a.1.part(a.1.recovered).total_cmp(&b.1.part(b.1.recovered)));
    show("worst pairs", &pairs[..60.min(pairs.len())]);
    let mut sum = Score::default();
    pairs.iter().for_each(|(_, score)| sum.add(*score));
    println!(
        "{:<44} {:>7}     {:.3}  false {}  strange {}",
        "all pairs",
        sum.records,
        sum.part(sum.recovered),
        sum.false_ids,
        sum.strangers
    );
    assert!(sum.part(sum.recovered) >= 0.90);
    assert_eq!(sum.false_ids, 0);
}
