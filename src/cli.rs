//! The command line, as clap reads it: a plain mirror of the flags, without logic. `settings` makes sense of it.

use crate::units::Severity;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds out why a TiDB log backup broke: what, where, since when, whether it can be resumed, and what to type.
#[derive(Debug, Parser)]
#[command(
    name = "tidescope",
    version,
    max_term_width = 100,
    after_help = "Examples:
  tidescope analyze /var/log/incident-0726/
  tidescope analyze tikv.log.tar.gz br.log br-log-status.txt -o report
  tidescope timeline /deploy --region 94812 --since '2022-07-25 14:50'
  tidescope explain KV:LogBackup:RaftReq
  br log status --pd 10.0.1.1:2379 | tidescope analyze - tikv.log"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read logs, write the report folder, print the answer
    #[command(after_help = "PATH is a file, a folder, a glob, an archive, or - for standard input.
Exit status: 0 done, 1 an open incident at or above --fail-on, 2 wrong usage or nothing to read, 3 some input could not be read.")]
    Analyze(Analyze),
    /// Write events only
    #[command(after_help = "Run in parts, the result is the same as in one:
  tidescope scan --split tikv.log:0-268435456 --format jsonl tikv.log > 1.jsonl      (and so on for each part)
  tidescope implicated *.jsonl > ids.json
  tidescope scan --split tikv.log:0-268435456 --context ids.json tikv.log > 1c.jsonl
  tidescope report *.jsonl -o report")]
    Scan(Scan),
    /// The regions and key ranges that events implicate, as JSON for `scan --context`
    Implicated(Implicated),
    /// The report folder, out of what `scan` wrote
    Report(Report),
    /// Splits of about one size, for `scan --split` on many machines
    #[command(
        after_help = "Prints one JSON object a line: path, start, end, bytes, whole. What is compressed or an archive is one split.
  tidescope plan /logs --target-size 256MiB > splits.jsonl"
    )]
    Plan(Plan),
    /// Every record that speaks of a region, store, task or key, merged by time over all sources; repeats on one line, with -v one each
    Timeline(Timeline),
    /// What is new since the last run, into a dated report folder: for timers
    #[cfg(feature = "sqlite")]
    #[command(after_help = "The config file is TOML; two lines are enough:
  inputs = [\"/var/log/tidb\"]
  output = \"/var/lib/tidescope\"
Each flag may also be given by the environment, and comes before the config file.
Exit status: 0 done, 1 an incident at or above --fail-on is open or new, 2 nothing could be done, 3 some input could not be read.")]
    Nightly(Nightly),
    /// What the nights have counted, with a trend
    #[cfg(feature = "sqlite")]
    #[command(after_help = "Examples:
  tidescope history /var/lib/tidescope
  tidescope history /var/lib/tidescope --by store --nights 30
  tidescope history /var/lib/tidescope --by rule --name log-backup --format csv")]
    History(History),
    /// The catalogue, and your own rules
    Rules {
        /// What to do with them.
        #[command(subcommand)]
        command: Rules,
    },
    /// What is new, gone, grown or shrunk between two report folders
    #[command(
        after_help = "Exit status: 0 done, 1 a new open incident at or above --fail-on, 2 wrong usage or no report folder.
  tidescope diff monday/ tuesday/
  tidescope diff monday/ tuesday/ --format html -o changes.html"
    )]
    Diff(Diff),
    /// An error code, rule, TSO or pasted log line, in plain words, with what to do
    Explain(Explain),
    /// Shell completions
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The manual page
    Man,
}

/// Options of every command that reads logs.
#[derive(Debug, Args, Clone)]
pub struct Common {
    /// Only records from this moment on: RFC 3339, `2022-07-25 14:00`, a TSO, or `-2h` before --now
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Only records up to this moment
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Threads; default: as many as there are processors
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// A file of rules that add to the catalogue or replace one by its id; may be given several times
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// The store id of an address; may be given several times. `timeline` also takes a plain id: records of that store
    #[arg(long, value_name = "ADDRESS=ID")]
    pub store: Vec<String>,
    /// Only this task
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,
    /// How long the service safe point of a stopped task holds back GC
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub gc_ttl: String,
    /// The moment the verdict is for; default: the newest time of a record
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub now: Option<String>,
    /// Offset of times that are written without one, such as +08:00
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    pub tz: Option<String>,
    /// Longest gap within an episode
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub episode_gap: String,
    /// Exit with 1 where an open incident is at least this severe: info, notice, warning, error, critical
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// Leave secrets in
    #[arg(long)]
    pub no_redact: bool,
    /// Replace user data too: keys, values, SQL (not in rows for `report`, which needs them)
    #[arg(long)]
    pub redact_keys: bool,
    /// How files are read
    #[arg(long, value_enum, default_value_t = IoChoice::Auto)]
    pub io: IoChoice,
    /// Memory for events; more are kept in temporary files
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub memory: String,
    /// Show progress
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub progress: When,
    /// Colour
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
    /// Say nothing but the result
    #[arg(short, long)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IoChoice {
    /// Mapped where that is fast and safe.
    Auto,
    /// Mapped wherever possible: for files that nobody writes to.
    Mmap,
    /// Read.
    Read,
}

/// When something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `tidescope analyze`.
#[derive(Debug, Args)]
pub struct Analyze {
    /// Files, folders, globs, archives, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The report folder
    #[arg(short, long, value_name = "DIR", default_value = "tidescope-report")]
    pub output: PathBuf,
    /// What to write beside the CSV files, joined with commas: parquet, sqlite, jsonl, timesketch
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',', default_value = "csv")]
    pub format: Vec<ReportFormat>,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
}

/// Formats of the report folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// The CSV files, which are always written.
    Csv,
    /// events.parquet.
    Parquet,
    /// tidescope.sqlite: all tables, indexes and views.
    Sqlite,
    /// events.jsonl.
    Jsonl,
    /// timesketch.csv.
    Timesketch,
}

/// `tidescope scan`.
#[derive(Debug, Args)]
pub struct Scan {
    /// Files, folders, globs, archives, or - for standard input
    #[arg(value_name = "PATH", required_unless_present = "split")]
    pub paths: Vec<PathBuf>,
    /// Where to write; default: standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// csv (for people), or jsonl, arrow, parquet (for `implicated` and `report`)
    #[arg(long, value_enum, default_value_t = ScanFormat::Csv)]
    pub format: ScanFormat,
    /// auto, none, or a file that `implicated` wrote
    #[arg(long, value_name = "auto|none|FILE")]
    pub context: Option<String>,
    /// Only the records whose first byte is in [START, END) of the file
    #[arg(long, value_name = "PATH:START-END")]
    pub split: Option<String>,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
}

/// Formats of `scan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// The columns of `events.csv`.
    Csv,
    /// Rows, one JSON object a line.
    Jsonl,
    /// Rows as a stream of Arrow record batches.
    Arrow,
    /// Rows as a Parquet file.
    Parquet,
}

/// `tidescope plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Files, folders or globs
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Largest split of a plain file
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    pub target_size: String,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
}

/// `tidescope implicated`.
#[derive(Debug, Args)]
pub struct Implicated {
    /// What `scan --format jsonl|arrow|parquet` wrote, or folders of it; - for standard input
    #[arg(required = true, value_name = "EVENTS")]
    pub events: Vec<PathBuf>,
    /// Where to write; default: standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
}

/// `tidescope report`.
#[derive(Debug, Args)]
pub struct Report {
    /// What `scan --format jsonl|arrow|parquet` wrote, or folders of it; - for standard input
    #[arg(required = true, value_name = "EVENTS")]
    pub events: Vec<PathBuf>,
    /// The report folder
    #[arg(short, long, value_name = "DIR", default_value = "tidescope-report")]
    pub output: PathBuf,
    /// What to write beside the CSV files, joined with commas: parquet, sqlite, jsonl, timesketch
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',', default_value = "csv")]
    pub format: Vec<ReportFormat>,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
}

/// `tidescope timeline`.
#[derive(Debug, Args)]
pub struct Timeline {
    /// Files, folders, globs, archives, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Records that speak of this region; may be given several times
    #[arg(long, value_name = "N")]
    pub region: Vec<u64>,
    /// Records that name this key, or a region that holds it (hex)
    #[arg(long, value_name = "HEX")]
    pub key: Option<String>,
    /// Records of this level or worse
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
}

/// `tidescope rules`.
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// All rules, one a line
    List {
        /// Files of your own.
        #[arg(long, value_name = "FILE")]
        rules: Vec<PathBuf>,
    },
    /// One rule: what it matches, what it means, what to do
    Show {
        /// The rule.
        id: String,
        /// Files of your own.
        #[arg(long, value_name = "FILE")]
        rules: Vec<PathBuf>,
    },
    /// Check a file of your own rules: compile it, and run its examples
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// `tidescope diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier report folder
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The later report folder
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// text (the largest changes), csv (all), or html
    #[arg(long, value_enum, default_value_t = DiffFormat::Text)]
    pub format: DiffFormat,
    /// Where to write; default: standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 1 where a new open incident is at least this severe: info, notice, warning, error, critical
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
}

/// Formats of `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Text,
    /// One change a row.
    Csv,
    /// A page.
    Html,
}

/// `tidescope explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// An error code, a rule, a TSO, or a log line
    #[arg(required = true, value_name = "WHAT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub what: Vec<String>,
}

/// `tidescope nightly`.
#[derive(Debug, Args)]
pub struct Nightly {
    /// The config file
    #[arg(long, value_name = "FILE", env = "TIDESCOPE_CONFIG")]
    pub config: PathBuf,
    /// Say what the config means and what is wrong with it; read no logs
    #[arg(long)]
    pub check: bool,
    /// Files, folders or globs, instead of those of the config; may be given several times
    #[arg(long, value_name = "PATH")]
    pub input: Vec<String>,
    /// The folder for reports and state
    #[arg(short, long, value_name = "DIR", env = "TIDESCOPE_OUTPUT")]
    pub output: Option<PathBuf>,
    /// A file of rules; may be given several times
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// Exit with 1 where an incident at least this severe is open or new
    #[arg(long, value_name = "SEVERITY", env = "TIDESCOPE_FAIL_ON")]
    pub fail_on: Option<Severity>,
    /// How long the service safe point of a stopped task holds back GC
    #[arg(long, value_name = "DURATION", env = "TIDESCOPE_GC_TTL")]
    pub gc_ttl: Option<String>,
    /// Offset of times that are written without one, such as +08:00
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true, env = "TIDESCOPE_TZ")]
    pub tz: Option<String>,
    /// How far back the context of new records is looked for in what was read before
    #[arg(long, value_name = "DURATION", env = "TIDESCOPE_CONTEXT_LOOKBACK")]
    pub context_lookback: Option<String>,
    /// How long report folders are kept
    #[arg(long, value_name = "DURATION", env = "TIDESCOPE_RETENTION")]
    pub retention: Option<String>,
    /// Threads; default: as many as there are processors
    #[arg(long, value_name = "N", env = "TIDESCOPE_THREADS")]
    pub threads: Option<usize>,
    /// Memory for events; more are kept in temporary files
    #[arg(long, value_name = "SIZE", env = "TIDESCOPE_MEMORY")]
    pub memory: Option<String>,
    /// Give up after this time; the next run reads what this one did not
    #[arg(long, value_name = "DURATION", env = "TIDESCOPE_TIME_LIMIT")]
    pub time_limit: Option<String>,
    /// The start of the run; default: now
    #[arg(long, value_name = "T")]
    pub now: Option<String>,
    /// Leave secrets in
    #[arg(long)]
    pub no_redact: bool,
    /// Form of the run's own log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "TIDESCOPE_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// Say nothing but the result, and errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Forms of the run's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `tidescope history`.
#[derive(Debug, Args)]
pub struct History {
    /// The folder with reports and state
    #[arg(value_name = "DIR", env = "TIDESCOPE_OUTPUT")]
    pub output: PathBuf,
    /// Counts of these; without it the nights themselves
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<Counted>,
    /// Only names that hold this text
    #[arg(long, value_name = "TEXT", requires = "by")]
    pub name: Option<String>,
    /// Only the last nights
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub nights: usize,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = HistoryFormat::Table)]
    pub format: HistoryFormat,
}

/// What nights count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Counted {
    /// Events of each rule.
    Rule,
    /// Events with each error code.
    Code,
    /// Events of each store.
    Store,
    /// Events of each region.
    Region,
    /// Records of each template that no rule knows.
    Template,
}

/// Forms of `history`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people, with a sparkline.
    Table,
    /// For programs.
    Csv,
}
