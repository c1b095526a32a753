//! A notice to a URL: a JSON document by POST, tried again where it fails, at longer and longer intervals.
//!
//! `http` is spoken here, in a few lines: a request, a status line. `https` is left to `curl`, which is on every machine that has
//! certificates to check against; a TLS library of our own would be a third of the program. Secrets reach `curl` by standard input.

use super::config::Webhook;
use anyhow::{Context, anyhow, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// Sends; gives the number of tries.
///
/// # Errors
/// What the last try met. No secret of the address is in it.
pub(super) fn send(hook: &Webhook, body: &str) -> anyhow::Result<u32> {
    let mut pause = hook.pause;
    for try_ in 1..=hook.tries {
        match once(hook, body) {
            Ok(()) => return Ok(try_),
            Err(error) if try_ == hook.tries => return Err(error.context(format!("given up after {try_} tries"))),
            Err(_) => {
                sleep(pause);
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
    Ok(0)
}

fn once(hook: &Webhook, body: &str) -> anyhow::Result<()> {
    let address = Address::of(&hook.url).context("the webhook's url is none")?;
    let status = if address.tls { by_curl(hook, body)? } else { by_tcp(hook, &address, body)? };
    match status {
        200..=299 => Ok(()),
        status => bail!("{} answered with status {status}", address.host),
    }
}

/// Gives the status of the answer.
fn by_tcp(hook: &Webhook, Address { host, authority, path, .. }: &Address<'_>, body: &str) -> anyhow::Result<u16> {
    let mut stream = connect(host, hook.timeout).with_context(|| format!("{host} does not answer"))?;
    stream.set_read_timeout(Some(hook.timeout))?;
    stream.set_write_timeout(Some(hook.timeout))?;
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: tidescope/{}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n",
        env!("CARGO_PKG_VERSION"),
        body.len()
    );
    for (name, value) in &hook.headers {
        request.push_str(name);
        request.push_str(": ");
        request.push_str(value);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream.take(1_024)).read_line(&mut line).with_context(|| format!("no answer from {host}"))?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.filter(|_| line.starts_with("HTTP/")).with_context(|| format!("{host} does not speak HTTP"))
}

/// The first address that answers: a name may have several.
fn connect(host: &str, timeout: Duration) -> anyhow::Result<TcpStream> {
    let mut last = None;
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| anyhow!("it has no address"), Into::into))
}

fn by_curl(hook: &Webhook, body: &str) -> anyhow::Result<u16> {
    // A line of a config holds 100 KiB only.
    let mut document = tempfile::NamedTempFile::new().context("a temporary file cannot be made")?;
    document.write_all(body.as_bytes()).context("a temporary file cannot be written")?;
    // In a config on standard input nobody sees it among the processes.
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut config = format!(
        "url = {}\nmax-time = {}\nheader = \"Content-Type: application/json\"\ndata-binary = {}\n",
        quoted(&hook.url),
        hook.timeout.as_secs().max(1),
        quoted(&format!("@{}", document.path().display()))
    );
    for (name, value) in &hook.headers {
        config.push_str(&format!("header = {}\n", quoted(&format!("{name}: {value}"))));
    }
    let mut curl = Command::new("curl")
        .args(["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("https needs `curl`, which cannot be run")?;
    if let Some(mut input) = curl.stdin.take() {
        input.write_all(config.as_bytes())?;
    }
    let output = curl.wait_with_output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8_lossy(&output.stdout).trim().parse().context("curl gives no status")
}

/// Where a URL points.
struct Address<'u> {
    /// Whether it is `https`.
    tls: bool,
    /// Host and port, to connect to.
    host: String,
    /// The same as written.
    authority: &'u str,
    path: &'u str,
}

impl<'u> Address<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (tls, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let after_port = authority.rsplit(']').next().unwrap_or(authority);
        let port = if tls { 443 } else { 80 };
        let host = if after_port.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") };
        let is_plain =
            !authority.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic()) && !authority.contains('@');
        is_plain.then_some(Self { tls, host, authority, path: if path.is_empty() { "/" } else { path } })
    }
}

/// Whether notices can be sent there.
pub(super) fn is_address(url: &str) -> bool {
    Address::of(url).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let parts = |url| Address::of(url).map(|address| (address.host, address.path.to_owned()));
        assert_eq!(parts("http://hook.example/a?b"), Some(("hook.example:80".into(), "/a?b".into())));
        assert_eq!(parts("http://[::1]:9093"), Some(("[::1]:9093".into(), "/".into())));
        assert_eq!(parts("http://[::1]/x"), Some(("[::1]:80".into(), "/x".into())));
        assert_eq!(parts("https://hook.example/a"), Some(("hook.example:443".into(), "/a".into())));
        for url in [
            "ftp://x/",
            "http://",
            "https://",
            "https://u@host/",
            "http://a b/",
            "http://a/\r\nX: y",
            "http://u:p@host/",
        ] {
            assert!(!is_address(url), "{url}");
        }
    }
}
