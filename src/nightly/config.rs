//! What a night is to do: the config file, then what the environment and flags say instead, checked and typed once.

use crate::cli;
use crate::input;
use crate::settings;
use crate::units::{Severity, StoreId, Timestamp};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a night is to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub file: PathBuf,
    /// Files, folders, globs and URLs of buckets.
    pub inputs: Vec<String>,
    /// Where reports and state are kept.
    pub output: PathBuf,
    /// Files of the user's own rules.
    pub rules: Vec<PathBuf>,
    /// Exit status 1 from this severity on.
    pub fail_on: Option<Severity>,
    /// How long the service safe point of a stopped task holds back GC.
    pub gc_ttl_ms: i64,
    /// Offset of times without one, minutes east of UTC.
    pub zone_minutes: Option<i64>,
    /// Longest gap within an episode.
    pub episode_gap_ms: i64,
    /// Stores that the user named.
    pub stores: Vec<(String, StoreId)>,
    /// Whether secrets are replaced.
    pub redact: bool,
    /// How far back context of records that were read already is looked for again.
    pub context_lookback_ms: i64,
    /// How long events are remembered that nothing rests on.
    pub remember_ms: i64,
    /// How long reports are kept; `None`: for ever.
    pub retention_ms: Option<i64>,
    /// What a run may cost.
    pub limits: Limits,
    /// The start of the run; default: now.
    pub now: Option<Timestamp>,
    /// The file for node_exporter's textfile collector.
    pub metrics: Option<Metrics>,
    /// The file for a mail.
    pub mail: Option<PathBuf>,
    /// Where notices are sent.
    pub webhook: Option<Webhook>,
}

/// The file for node_exporter's textfile collector.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Its path.
    pub file: PathBuf,
    /// Labels of every sample, by name: they tell the files of several configs apart.
    pub labels: Vec<(String, String)>,
}

/// Where notices are sent.
#[derive(Clone)]
pub struct Webhook {
    /// URL.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Tries.
    pub tries: u32,
    /// The pause after the first try; it doubles.
    pub pause: Duration,
    /// The time that a try may take.
    pub timeout: Duration,
    /// Whether a night without news sends one too.
    pub always: bool,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Address and headers may hold secrets.
        f.debug_struct("Webhook").field("tries", &self.tries).field("always", &self.always).finish_non_exhaustive()
    }
}

/// What a run may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Threads; `None`: as many as there are processors.
    pub threads: Option<usize>,
    /// Bytes of events held in memory.
    pub memory: usize,
    /// Milliseconds; `None`: as long as it takes.
    pub time_ms: Option<i64>,
    /// Most events remembered of the last days.
    pub events: usize,
}

/// The file's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Doc {
    inputs: Vec<String>,
    output: Option<PathBuf>,
    #[serde(default)]
    rules: Vec<PathBuf>,
    fail_on: Option<String>,
    gc_ttl: Option<String>,
    tz: Option<String>,
    episode_gap: Option<String>,
    #[serde(default)]
    stores: BTreeMap<String, u64>,
    redact: Option<bool>,
    context_lookback: Option<String>,
    remember: Option<String>,
    retention: Option<String>,
    #[serde(default)]
    limits: LimitsDoc,
    metrics: Option<MetricsDoc>,
    mail: Option<FileDoc>,
    webhook: Option<WebhookDoc>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsDoc {
    file: PathBuf,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDoc {
    file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookDoc {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    tries: Option<u32>,
    pause: Option<String>,
    timeout: Option<String>,
    #[serde(default)]
    always: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsDoc {
    threads: Option<usize>,
    memory: Option<String>,
    time: Option<String>,
    remembered_events: Option<usize>,
}

impl Config {
    /// Reads the file; flags and the environment (which clap has put into the flags) come before it.
    ///
    /// # Errors
    /// What is wrong, with file and line where the file is wrong.
    pub fn read(args: &cli::Nightly) -> anyhow::Result<Self> {
        let file = args.config.clone();
        let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let doc: Doc = toml::from_str(&text).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        Self::of(file.clone(), doc, args).with_context(|| format!("{} and the flags", file.display()))
    }

    fn of(file: PathBuf, doc: Doc, args: &cli::Nightly) -> anyhow::Result<Self> {
        // A path in the file starts at the file's own folder: a timer has another folder than a person.
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let beside = |path: &PathBuf| folder.join(path);
        let input = |path: &String| {
            if input::is_url(path) { path.clone() } else { folder.join(path).to_string_lossy().into_owned() }
        };
        let inputs = if args.input.is_empty() { doc.inputs.iter().map(input).collect() } else { args.input.clone() };
        if inputs.is_empty() {
            bail!("`inputs` is empty: name files, folders, globs or URLs of buckets");
        }
        if let Some(stream) = inputs.iter().find(|path| *path == "-" || path.ends_with("/-")) {
            bail!("input `{stream}`: standard input cannot be read again, so it is none for nights");
        }
        let Some(output) = args.output.clone().or(doc.output.as_ref().map(beside)) else {
            bail!("`output` is missing: name the folder for reports and state");
        };
        let given = |flag: &Option<String>, own: Option<String>| flag.clone().or(own);
        let span = |name: &str, text: Option<String>, default: &str| {
            settings::duration(name, text.as_deref().unwrap_or(default)).map_err(anyhow::Error::msg)
        };
        let fail_on = match args.fail_on {
            Some(severity) => Some(severity),
            None => {
                doc.fail_on.map(|word| word.parse().map_err(anyhow::Error::msg)).transpose().context("`fail_on`")?
            }
        };
        let zone = given(&args.tz, doc.tz);
        let zone_minutes = zone.as_deref().map(settings::zone).transpose().map_err(anyhow::Error::msg)?;
        let memory = given(&args.memory, doc.limits.memory);
        let memory = settings::size("memory", memory.as_deref().unwrap_or("512MiB")).map_err(anyhow::Error::msg)?;
        let threads = args.threads.or(doc.limits.threads);
        if threads == Some(0) {
            bail!("`threads` takes 1 or more");
        }
        let context_lookback_ms = span("context_lookback", given(&args.context_lookback, doc.context_lookback), "24h")?;
        let optional = |name: &str, text: Option<String>| {
            text.map(|text| settings::duration(name, &text).map_err(anyhow::Error::msg)).transpose()
        };
        let now = args.now.as_deref().map(|text| {
            Timestamp::parse_rfc3339(text).with_context(|| format!("--now {text}: no moment; use 2022-07-25T14:00:00Z"))
        });
        Ok(Self {
            rules: if args.rules.is_empty() { doc.rules.iter().map(beside).collect() } else { args.rules.clone() },
            fail_on,
            gc_ttl_ms: span("gc_ttl", given(&args.gc_ttl, doc.gc_ttl), "24h")?,
            zone_minutes,
            episode_gap_ms: span("episode_gap", doc.episode_gap, "60s")?,
            stores: doc.stores.into_iter().map(|(address, id)| (address, StoreId(id))).collect(),
            redact: !args.no_redact && doc.redact.unwrap_or(true),
            context_lookback_ms,
            // Context that is read again must be remembered, or it would be told twice.
            remember_ms: span("remember", doc.remember, "7d")?.max(context_lookback_ms),
            retention_ms: optional("retention", given(&args.retention, doc.retention))?,
            limits: Limits {
                threads,
                memory,
                time_ms: optional("time", given(&args.time_limit, doc.limits.time))?,
                events: doc.limits.remembered_events.unwrap_or(200_000),
            },
            now: now.transpose()?,
            metrics: doc.metrics.map(|doc| Metrics::of(doc, &folder)).transpose().context("`metrics`")?,
            mail: doc.mail.map(|mail| beside(&mail.file)),
            webhook: doc.webhook.map(Webhook::of).transpose().context("`webhook`")?,
            inputs,
            output,
            file,
        })
    }
}

impl Metrics {
    fn of(doc: MetricsDoc, folder: &Path) -> anyhow::Result<Self> {
        let is_name = |name: &str| {
            name.starts_with(|char: char| char.is_ascii_alphabetic())
                && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
        };
        if let Some(name) =
            doc.labels.keys().find(|name| !is_name(name) || super::metrics::LABELS.contains(&name.as_str()))
        {
            bail!("label `{name}` is taken, or no name for one; use `cluster`, `site` or the like");
        }
        Ok(Self { file: folder.join(doc.file), labels: doc.labels.into_iter().collect() })
    }
}

impl Webhook {
    fn of(doc: WebhookDoc) -> anyhow::Result<Self> {
        let span = |name: &str, text: Option<String>, default: &str| {
            let ms = settings::duration(name, text.as_deref().unwrap_or(default)).map_err(anyhow::Error::msg)?;
            anyhow::Ok(Duration::from_millis(ms.unsigned_abs()))
        };
        let url = with_secrets(&doc.url)?;
        if !super::webhook::is_address(&url) {
            bail!("`url` takes http://host[:port]/path or https://...; a user and password go into `headers`");
        }
        let mut headers = Vec::new();
        for (name, value) in &doc.headers {
            let value = with_secrets(value)?;
            if [name, &value].iter().any(|text| text.bytes().any(|byte| byte.is_ascii_control())) || name.contains(':')
            {
                bail!("header `{name}` is none");
            }
            headers.push((name.clone(), value));
        }
        Ok(Self {
            url,
            headers,
            tries: doc.tries.unwrap_or(5).clamp(1, 20),
            pause: span("pause", doc.pause, "2s")?,
            timeout: span("timeout", doc.timeout, "10s")?.max(Duration::from_millis(1)),
            always: doc.always,
        })
    }
}

/// `${NAME}` becomes the value of that environment variable: secrets do not belong into the file.
fn with_secrets(text: &str) -> anyhow::Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after.find('}').with_context(|| "`${` without `}`")?;
        let name = &after[2..end];
        out.push_str(&std::env::var(name).with_context(|| format!("the environment variable {name} is not set"))?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests;
