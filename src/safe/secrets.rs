//! Secrets in log text, found by what stands around them. In doubt too much is hidden, never too little;
//! but an error text such as `InvalidAccessKeyId: The key does not exist` stays readable.

use crate::search::AnyOf;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

/// What stands in a secret's place.
const REDACTED: &str = "[REDACTED]";

/// What tells that a secret may stand near.
#[derive(Clone, Copy)]
enum Clue {
    /// The name of a secret field; its value follows `=` or `:`.
    Name,
    /// The same, only as a whole word.
    Word,
    /// The same, only with `=`: with a colon it is prose.
    Assigned,
    /// A header; its value goes on to the end of line, quote or bracket.
    Header,
    /// The first letters of a key id.
    KeyId,
    /// `@` after `scheme://user:password` or before `tcp(`.
    At,
    /// `IDENTIFIED` of a SQL statement.
    Sql,
    /// Start of a PEM block.
    Pem,
    /// A token after `Bearer`.
    Bearer,
    /// A signed web token.
    Jwt,
}

#[rustfmt::skip]
const CLUES: &[(&str, Clue)] = &[
    ("access-key", Clue::Name), ("access_key", Clue::Name), ("accesskey", Clue::Name), ("access.key", Clue::Name),
    ("secret-access-key", Clue::Name), ("secret_access_key", Clue::Name), ("secretaccesskey", Clue::Name),
    ("secret-key", Clue::Name), ("secret_key", Clue::Name), ("secretkey", Clue::Name), ("secret.key", Clue::Name),
    ("session-token", Clue::Name), ("session_token", Clue::Name), ("sessiontoken", Clue::Name),
    ("security-token", Clue::Name), ("security_token", Clue::Name), ("securitytoken", Clue::Name),
    ("access-token", Clue::Name), ("access_token", Clue::Name), ("accesstoken", Clue::Name),
    ("refresh-token", Clue::Name), ("refresh_token", Clue::Name), ("refreshtoken", Clue::Name),
    ("auth-token", Clue::Name), ("auth_token", Clue::Name), ("authtoken", Clue::Name),
    ("sas-token", Clue::Name), ("sas_token", Clue::Name), ("sastoken", Clue::Name),
    ("account-key", Clue::Name), ("account_key", Clue::Name), ("accountkey", Clue::Name),
    ("shared-key", Clue::Name), ("shared_key", Clue::Name), ("sharedkey", Clue::Name),
    ("client-secret", Clue::Name), ("client_secret", Clue::Name), ("clientsecret", Clue::Name),
    ("private-key", Clue::Name), ("private_key", Clue::Name), ("privatekey", Clue::Name),
    ("api-key", Clue::Name), ("api_key", Clue::Name), ("apikey", Clue::Name),
    ("crypter.key", Clue::Name), ("crypter-key", Clue::Name), ("cipher-key", Clue::Name), ("cipher_key", Clue::Name),
    ("encryption-key", Clue::Name), ("encryption_key", Clue::Name), ("encryptionkey", Clue::Name),
    ("password", Clue::Name), ("passwd", Clue::Name), ("passphrase", Clue::Name),
    ("pwd", Clue::Word), ("sig", Clue::Assigned), ("signature", Clue::Assigned), ("credential", Clue::Assigned),
    ("authorization", Clue::Header),
    ("akia", Clue::KeyId), ("asia", Clue::KeyId), ("ltai", Clue::KeyId), ("goog1", Clue::KeyId),
    (AT, Clue::At), ("identified", Clue::Sql), ("-----begin", Clue::Pem), ("bearer ", Clue::Bearer), ("eyj", Clue::Jwt),
];

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        // Letters of clues are everywhere: looking for them first takes longer.
        .prefilter(false)
        .build(CLUES.iter().map(|(text, _)| text))
        .ok()
});

/// Pieces of clues, one at least in each: nearly every text is known to hold no clue by these few.
#[rustfmt::skip]
const STEMS: [&str; 26] = [
    "access", "secret", "token", "account", "shared", "private", "api-key", "api_key", "apikey", "crypter", "cipher",
    "encryption", "passw", "passp", "pwd", "sig", "credential", "authorization", "akia", "asia", "ltai", "goog1", "identified",
    "-----begin", "bearer", "eyj",
];
static STEM_FINDER: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&STEMS));

/// The clue of one letter: looked for on its own.
const AT: &str = "@";

/// Whether a text may hold a clue.
fn may_hold_clue(text: &str) -> bool {
    text.contains(AT) || STEM_FINDER.is_in(text.to_ascii_lowercase().as_bytes())
}

/// The text with every secret replaced by `[REDACTED]`. Text without a clue is not copied.
pub fn redact(text: &str) -> Cow<'_, str> {
    if !may_hold_clue(text) {
        return Cow::Borrowed(text);
    }
    // The patterns are constants; a test holds that they compile.
    let Some(finder) = FINDER.as_ref() else { return Cow::Borrowed(text) };
    let mut redacted = Cow::Borrowed(text);
    // A secret that is gone may bring another to light, so that a second look at the result would change it again.
    for _ in 0..8 {
        let Some(next) = redact_once(finder, &redacted) else { break };
        redacted = Cow::Owned(next);
    }
    redacted
}

fn redact_once(finder: &AhoCorasick, text: &str) -> Option<String> {
    let secrets: Vec<Range<usize>> = finder
        .find_iter(text)
        .filter_map(|found| secret(text, found.range(), CLUES[found.pattern().as_usize()].1))
        .filter(|secret| !secret.is_empty() && !text[secret.start..].starts_with(REDACTED))
        .collect();
    (!secrets.is_empty()).then(|| replaced(text, secrets, REDACTED))
}

/// The text with `by` in place of each range; of two that overlap, the first and longest counts.
pub(super) fn replaced(text: &str, mut ranges: Vec<Range<usize>>, by: &str) -> String {
    ranges.sort_unstable_by_key(|range| (range.start, Reverse(range.end)));
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for range in ranges {
        if range.start >= done {
            out.push_str(&text[done..range.start]);
            out.push_str(by);
        }
        done = done.max(range.end);
    }
    out.push_str(&text[done..]);
    out
}

/// Where the secret stands that a clue points to.
fn secret(text: &str, clue: Range<usize>, kind: Clue) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = clue.start.checked_sub(1).map(|at| bytes[at]);
    let starts_word = !before.is_some_and(|byte| byte.is_ascii_alphanumeric());
    match kind {
        Clue::Name => {
            // `InvalidAccessKeyId: The ...` is the name of an error.
            let is_error_name = text[..clue.start].to_ascii_lowercase().ends_with("invalid");
            (!is_error_name).then(|| field_value(text, clue, b"=:", true))?
        }
        Clue::Word => starts_word.then(|| field_value(text, clue, b"=:", false))?,
        Clue::Assigned => starts_word.then(|| field_value(text, clue, b"=", false))?,
        Clue::Header => {
            let start = value_start(text, clue.end, b"=:")?;
            Some(match opening_quote(bytes, start) {
                Some(inside) => inside.clone().start..closing_quote(bytes, inside),
                None => {
                    start..start + text[start..].find(['"', '\'', '\n', ']', '}', '\\']).unwrap_or(text.len() - start)
                }
            })
        }
        Clue::KeyId => {
            let end = clue.end + run(bytes, clue.end, |byte| byte.is_ascii_alphanumeric());
            let is_upper = bytes[clue.clone()].iter().all(|byte| !byte.is_ascii_lowercase());
            (starts_word && is_upper && end - clue.end >= 12).then_some(clue.start..end)
        }
        Clue::At => user_info(text, clue.start),
        Clue::Sql => {
            let window = floor_char(text, (clue.end + 80).min(text.len()));
            let rest = text[clue.end..window].to_ascii_lowercase();
            let by = [" by ", " as ", " by password "]
                .iter()
                .filter_map(|word| Some(rest.rfind(word)? + word.len()))
                .max()?;
            let inside = opening_quote(bytes, clue.end + by)?;
            Some(inside.start..closing_quote(bytes, inside))
        }
        Clue::Pem => {
            let line = text[clue.end..].find("-----").map(|at| clue.end + at)?;
            text[clue.end..line].contains("PRIVATE KEY").then_some(())?;
            let start = line + 5;
            Some(start..text[start..].find("-----END").map_or(text.len(), |at| start + at))
        }
        Clue::Bearer => {
            let length = run(bytes, clue.end, is_token);
            (length >= 16).then_some(clue.end..clue.end + length)
        }
        Clue::Jwt => {
            let length = run(bytes, clue.start, is_token);
            let token = &text[clue.start..clue.start + length];
            let is_jwt = starts_word && token.starts_with("eyJ") && length >= 40 && token.matches('.').count() >= 2;
            is_jwt.then_some(clue.start..clue.start + length)
        }
    }
}

/// The value of the field whose name a clue begins or ends.
pub(super) fn field_value(text: &str, clue: Range<usize>, separators: &[u8], may_go_on: bool) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut end = clue.end;
    if may_go_on {
        // `access_key_id`, `AccessKeyId`, `passwords`; not `PasswordExpired`.
        let rest = &text[end..];
        if rest.starts_with(['_', '-']) {
            end += run(bytes, end, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).min(32);
        } else if rest.starts_with("Id") || rest.starts_with("ID") || rest.starts_with("id") {
            end += 2;
        } else if rest.starts_with('s') {
            end += 1;
        }
    }
    let start = match value_start(text, end, separators) {
        Some(start) => start,
        None => flag_value_start(text, clue.start, end)?,
    };
    let start = if text[start..].starts_with("Some(") { start + 5 } else { start };
    let start = if text[start..].starts_with('[') && !text[start..].starts_with(REDACTED) { start + 1 } else { start };
    let value = match opening_quote(bytes, start) {
        Some(inside) => inside.start..closing_quote(bytes, inside),
        None => start..bare_end(bytes, start),
    };
    let word = text[value.clone()].to_ascii_lowercase();
    let says_nothing = ["", "yes", "no", "true", "false", "none", "null", "nil", "<nil>"].contains(&word.as_str());
    (!says_nothing).then_some(value)
}

/// Where a value starts after a name: past the name's own quote, blanks and the separator.
fn value_start(text: &str, name_end: usize, separators: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = name_end;
    at += run(bytes, at, |byte| byte == b'\\');
    at += usize::from(matches!(bytes.get(at), Some(b'"' | b'\'' | b'`' | b']')));
    at += run(bytes, at, |byte| byte == b' ').min(4);
    if text[at..].starts_with("%3D") || text[at..].starts_with("%3d") {
        return Some(at + 3);
    }
    separators.contains(bytes.get(at)?).then_some(())?;
    at += 1;
    at += usize::from(matches!(bytes.get(at), Some(b'>' | b'=')));
    Some(at + run(bytes, at, |byte| byte == b' '))
}

/// Where the value of a command line flag starts: `--password VALUE`.
fn flag_value_start(text: &str, name_start: usize, name_end: usize) -> Option<usize> {
    let is_flag_byte = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    let length = bytes[..name_start].iter().rev().take_while(|byte| is_flag_byte(byte)).count();
    text[name_start - length..].starts_with("--").then_some(())?;
    let blanks = run(bytes, name_end, |byte| byte == b' ');
    let value = name_end + blanks;
    (blanks > 0 && !text[value..].starts_with('-')).then_some(value)
}

/// The password of `scheme://user:password@host` and of `user:password@tcp(host)`.
fn user_info(text: &str, at: usize) -> Option<Range<usize>> {
    let is_edge = |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`' | '<' | '>' | '(' | '[' | '{');
    let start =
        text[..at].rfind(is_edge).map_or(0, |edge| edge + text[edge..].chars().next().map_or(1, char::len_utf8));
    // A password may hold `@` itself: the last one before the path ends it.
    let rest = &text[at..];
    let stop = rest.find(|char| is_edge(char) || matches!(char, '/' | '?' | '#' | ',')).unwrap_or(rest.len());
    let end = at + rest[..stop].rfind('@')?;
    let info = match text[start..at].find("://") {
        Some(scheme) => start + scheme + 3,
        None if ["tcp(", "unix("].iter().any(|protocol| text[end + 1..].starts_with(protocol)) => start,
        None => return None,
    };
    let password = info + text[info..at].find(':')? + 1;
    Some(password..end)
}

/// The inside of a quoted value up to the end of the text, where one starts here: after `"`, `'`, or an escaped `\"`.
pub(super) fn opening_quote(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let slashes = run(bytes, start, |byte| byte == b'\\');
    matches!(bytes.get(start + slashes)?, b'"' | b'\'' | b'`').then_some(start + slashes + 1..bytes.len())
}

/// Where a quoted value ends: at the same quote with the same backslashes before it.
pub(super) fn closing_quote(bytes: &[u8], inside: Range<usize>) -> usize {
    let quote = bytes[inside.start - 1];
    let opened = bytes[..inside.start - 1].iter().rev().take_while(|&&byte| byte == b'\\').count();
    let mut slashes = 0;
    for (at, &byte) in bytes[inside.clone()].iter().enumerate() {
        if byte == b'\\' {
            slashes += 1;
            continue;
        }
        if byte == quote && slashes <= opened {
            return inside.start + at - slashes;
        }
        slashes = 0;
    }
    inside.end
}

/// Where a value without quotes ends.
fn bare_end(bytes: &[u8], start: usize) -> usize {
    let ends = |at: usize| match bytes[at] {
        byte if byte.is_ascii_whitespace() => true,
        b'"' | b'\'' | b'`' | b')' | b']' | b'}' | b'>' | b'|' => true,
        b'\\' => matches!(bytes.get(at + 1), Some(b'"' | b'\'' | b'n' | b'r' | b't' | b'\\')),
        b',' | b';' | b'&' => begins_next_field(&bytes[at + 1..]),
        _ => false,
    };
    (start..bytes.len()).find(|&at| ends(at)).unwrap_or(bytes.len())
}

/// Whether a new field, and not the rest of a value, follows a comma, semicolon or ampersand.
fn begins_next_field(rest: &[u8]) -> bool {
    let name = run(rest, 0, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    match rest.get(name) {
        None => name == 0,
        Some(b'=' | b':') => name > 0,
        Some(byte) => name == 0 && (byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'{' | b'\\')),
    }
}

fn run(bytes: &[u8], start: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().take_while(|&&byte| is(byte)).count()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{CLUES, FINDER, may_hold_clue, redact};
    use std::borrow::Cow;

    #[test]
    fn the_clues_compile() {
        assert!(FINDER.is_some());
        // The quick way finds every clue.
        for (clue, _) in CLUES {
            assert!(
                may_hold_clue(&format!("A text of some length with {} in it", clue.to_ascii_uppercase())),
                "{clue}"
            );
        }
        assert!(!may_hold_clue("a text of some length that holds nothing of that kind"));
    }

    #[test]
    fn secrets_are_hidden_in_every_shape() {
        for (raw, shown) in [
            (
                "s3://b/p?access-key=AB12&secret-access-key=x/y+z==&region=eu",
                "s3://b/p?access-key=[REDACTED]&secret-access-key=[REDACTED]&region=eu",
            ),
            ("azure://c/p?sv=2020&sig=a%2Fb%3D&se=9", "azure://c/p?sv=2020&sig=[REDACTED]&se=9"),
            (
                r#"S3 { access_key: "k1" secret_access_key: "s\"1" region: "x" }"#,
                r#"S3 { access_key: "[REDACTED]" secret_access_key: "[REDACTED]" region: "x" }"#,
            ),
            (r#"{\"password\":\"hunter2\",\"user\":\"root\"}"#, r#"{\"password\":\"[REDACTED]\",\"user\":\"root\"}"#),
            ("session_token: Some(\"tok\")", "session_token: Some(\"[REDACTED]\")"),
            ("[password=a,b;c] [user=root]", "[password=[REDACTED]] [user=root]"),
            ("--password hunter2 --host x", "--password [REDACTED] --host x"),
            ("--crypter.key 0123456789abcdef --pd x", "--crypter.key [REDACTED] --pd x"),
            ("--azblob.encryption-key=QUJD --pd x", "--azblob.encryption-key=[REDACTED] --pd x"),
            ("password: hunter2\nuser: x", "password: [REDACTED]\nuser: x"),
            ("mysql://root:p@ss:w0rd@10.0.0.1:4000/test", "mysql://root:[REDACTED]@10.0.0.1:4000/test"),
            ("dsn root:secret@tcp(10.0.0.1:4000)/", "dsn root:[REDACTED]@tcp(10.0.0.1:4000)/"),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=ab\nHost: y",
                "Authorization: [REDACTED]\nHost: y",
            ),
            (
                "AWS4-HMAC-SHA256 Credential=me/20220725/us/s3/aws4_request, SignedHeaders=host, Signature=fe01",
                "AWS4-HMAC-SHA256 Credential=[REDACTED], SignedHeaders=host, Signature=[REDACTED]",
            ),
            (r#""authorization": "Bearer abc""#, r#""authorization": "[REDACTED]""#),
            ("map[Authorization:[SharedKey a:b=] Date:[x]]", "map[Authorization:[REDACTED]] Date:[x]]"),
            ("key AKIAIOSFODNN7EXAMPLE is wrong", "key [REDACTED] is wrong"),
            ("CREATE USER 'a'@'%' IDENTIFIED BY 'pw'", "CREATE USER 'a'@'%' IDENTIFIED BY '[REDACTED]'"),
            (
                "IDENTIFIED WITH 'mysql_native_password' AS '*6BB4'",
                "IDENTIFIED WITH 'mysql_native_password' AS '[REDACTED]'",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----[REDACTED]-----END RSA PRIVATE KEY-----",
            ),
            ("AccountKey=abc==;EndpointSuffix=core", "AccountKey=[REDACTED];EndpointSuffix=core"),
            ("X-Amz-Security-Token=FwoG%2F&X-Amz-Date=1", "X-Amz-Security-Token=[REDACTED]&X-Amz-Date=1"),
            ("url%3Fsecret-access-key%3Dabc", "url%3Fsecret-access-key%3D[REDACTED]"),
        ] {
            assert_eq!(redact(raw), shown, "{raw}");
        }
    }

    #[test]
    fn what_helps_to_find_the_fault_stays() {
        for raw in [
            "Access denied for user 'root'@'10.0.0.1' (using password: YES)",
            "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
            "SignatureDoesNotMatch: The request signature we calculated does not match",
            "AuthorizationFailure: This request is not authorized to perform this operation.",
            "ExpiredToken: The provided token has expired.",
            "http://10.0.1.11:2379 region 94812 [start_key=7480] [design=1] [signal=15]",
            "storage s3://backup/task1 mail root@example.org",
            "wait for ASIA/Tokyo asiatic",
        ] {
            assert!(matches!(redact(raw), Cow::Borrowed(_)), "{raw} -> {}", redact(raw));
        }
    }
}
