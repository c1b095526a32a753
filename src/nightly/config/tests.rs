use super::*;
use clap::Parser;

fn read(text: &str, flags: &[&str]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nightly.toml");
    std::fs::write(&file, text).unwrap();
    let words = ["tidescope", "nightly", "--config", file.to_str().unwrap()];
    let cli = cli::Cli::try_parse_from(words.iter().chain(flags)).unwrap();
    let cli::Command::Nightly(args) = cli.command else { panic!("no nightly") };
    Config::read(&args).map_err(|error| format!("{error:#}"))
}

#[test]
fn two_lines_are_enough() {
    let config = read("inputs = ['/logs']\noutput = 'out'", &[]).unwrap();
    assert_eq!(config.inputs, ["/logs"]);
    assert_eq!(read("inputs = ['s3://logs/a']\noutput = 'out'", &[]).unwrap().inputs, ["s3://logs/a"]);
    assert!(config.output.is_absolute() && config.output.ends_with("out"), "{:?}", config.output);
    assert_eq!((config.gc_ttl_ms, config.context_lookback_ms), (86_400_000, 86_400_000));
    assert!(config.redact && config.fail_on.is_none());
}

#[test]
fn flags_come_before_the_file() {
    let text = "inputs = ['a']\noutput = 'out'\nfail_on = 'error'\ngc_ttl = '1h'\n[limits]\nthreads = 3";
    let config = read(text, &["--fail-on", "critical", "--threads", "1", "--output", "/elsewhere"]).unwrap();
    assert_eq!((config.fail_on, config.limits.threads), (Some(Severity::Critical), Some(1)));
    assert_eq!((config.output.to_str(), config.gc_ttl_ms), (Some("/elsewhere"), 3_600_000));
}

#[test]
fn the_sample_of_the_documentation_is_well_formed() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/nightly/config.toml"));
    let plain = read(text, &[]).unwrap();
    assert_eq!((plain.limits.events, plain.limits.memory, plain.fail_on), (200_000, 512 << 20, None));
    // With all that is commented out, too.
    let key =
        |line: &str| line.strip_prefix("# ").is_some_and(|rest| rest.starts_with(['[', '"']) || rest.contains(" = "));
    let all: String = text
        .lines()
        .map(|line| if key(line) { &line[2..] } else { line })
        .fold(String::new(), |all, line| all + line + "\n");
    let error = read(&all, &[]).unwrap_err();
    assert!(error.contains("TIDESCOPE_HOOK is not set"), "{error}");
    let all = all.replace("${TIDESCOPE_HOOK}", "x").replace("${TIDESCOPE_TOKEN}", "x");
    let full = read(&all, &[]).unwrap();
    assert!(full.webhook.is_some() && full.metrics.is_some() && full.stores.len() == 1);
}

#[test]
fn mistakes_are_named() {
    for (text, word) in [
        ("inputs = []\noutput = 'o'", "inputs"),
        ("inputs = ['-']\noutput = 'o'", "standard input"),
        ("inputs = ['a']", "output"),
        ("inputs = ['a']\noutput = 'o'\ngc_ttl = 'soon'", "gc_ttl"),
        ("inputs = ['a']\noutput = 'o'\nfail_on = 'bad'", "fail_on"),
        ("inputs = ['a']\noutput = 'o'\noutptu = 'o'", "outptu"),
        ("inputs = 3", "line 1"),
    ] {
        let error = read(text, &[]).unwrap_err();
        assert!(error.contains(word) && error.contains("nightly.toml"), "{error}");
    }
}
