//! The entry points of `fuzz/`, without a fuzzer: pieces of the shipped logs, mutated, always in the same way.

#[path = "../../fuzz/entries.rs"]
mod entries;

use crate::harness::Sandbox;
use crate::random::Random;
use std::fs;
use std::path::Path;

/// Mutations of each seed; more with `TIDESCOPE_ROUNDS`.
const ROUNDS: usize = 12;

/// Bytes that mean something to some reader.
const TOKENS: [&[u8]; 24] = [
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\\"",
    b"{",
    b"}",
    b"\n",
    b"\r\n",
    b" ",
    b"=",
    b"[2022/07/25 14:54:44.467 +00:00] [WARN] ",
    b"&quot;",
    b"\xe2\x80\xba",
    b"\xff",
    b"\0",
    b"\x1b[31m",
    b"{\"log\":\"",
    b"> #1 <\n",
    b"| ",
    b"region_id=",
    b"18446744073709551616",
    b" P ",
    b"...",
];

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(5) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let end = (at + random.below(200) as usize).min(bytes.len());
        let to = random.below(bytes.len() as u64 + 1) as usize;
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(to..to, bytes[at..end].to_vec())),
            4 => bytes[at..end].reverse(),
            _ => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len() as u64) as usize].iter().copied())),
        }
    }
}

fn run(name: &str, seeds: &[Vec<u8>], entry: fn(&[u8])) {
    let set = std::env::var("TIDESCOPE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for (number, seed) in seeds.iter().enumerate() {
        let mut random = Random::new(number as u64);
        for round in 0..set.unwrap_or(ROUNDS) {
            let mut bytes = seed.clone();
            if round > 0 {
                mutate(&mut random, &mut bytes);
            }
            let outcome = std::panic::catch_unwind(|| entry(&bytes));
            assert!(outcome.is_ok(), "{name}, seed {number}, round {round}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else {
            let text = fs::read(path).unwrap();
            // A piece of the head and one of the end.
            found.push(text[..text.len().min(3_000)].to_vec());
            found.push(text[text.len().saturating_sub(2_000)..].to_vec());
        }
    }
}

#[test]
fn no_mutation_of_a_log_does_harm() {
    let mut seeds = Vec::new();
    files(&crate::harness::project().join("testdata"), &mut seeds);
    for (name, entry) in [
        ("records", entries::records as fn(&[u8])),
        ("damaged", entries::damaged),
        ("body", entries::body),
        ("json", entries::json),
        ("status", entries::status),
    ] {
        run(name, &seeds, entry);
    }
    run("archive", &seeds[..seeds.len().min(4)], entries::archive);
}

#[test]
fn no_mutation_of_rules_or_rows_does_harm() {
    let catalog = fs::read_to_string(crate::harness::project().join("src/rules/catalog/panics.toml")).unwrap();
    let rules: Vec<Vec<u8>> =
        catalog.split("[[rule]]").skip(1).take(8).map(|rule| format!("[[rule]]{rule}").into_bytes()).collect();
    run("rules", &rules, entries::rules);
    let sandbox = Sandbox::with_testdata(&["resume-refused"]);
    sandbox.run(["scan", "-q", "resume-refused", "--format", "jsonl", "-o", "rows"]).with_status(0);
    let rows = sandbox.read("rows");
    let rows: Vec<&str> = rows.lines().collect();
    let pieces: Vec<Vec<u8>> = rows.chunks(10).take(12).map(|rows| rows.join("\n").into_bytes()).collect();
    run("rows", &pieces, entries::rows);
}
