//! A command line of `br` on a terminal. It says what BR's own record of its arguments says, and is read into the same fields.

use crate::record::body::Field;
use crate::record::{Kind, Record, escape};
use std::borrow::Cow;

/// What `br` can be told to do, by its first word.
const VERBS: [&[u8]; 6] = [b"log", b"backup", b"restore", b"debug", b"operator", b"abort"];
/// Programs that are asked to run another one.
const RUNNERS: [&[u8]; 7] = [b"sudo", b"nohup", b"time", b"tiup", b"docker", b"kubectl", b"Starting"];
/// Most words before `br`: those of its runner.
const MOST_BEFORE: usize = 12;
/// Most bytes of a prompt.
const MOST_PROMPT: usize = 80;

/// Where a command begins in a line, behind its prompt.
pub(in crate::record) fn find(line: &[u8]) -> Option<usize> {
    memchr::memmem::find(line, b"br")?;
    let head = &line[..line.len().min(MOST_PROMPT)];
    let ends = [&b"$ "[..], b"# ", "\u{2192} ".as_bytes(), "\u{276F} ".as_bytes()];
    let prompts = ends.iter().filter_map(|end| Some(memchr::memmem::find(head, end)? + end.len()));
    // One without a value names neither task nor PD.
    let tells = |at: &usize| arguments(&line[*at..]).is_some_and(|text| goes_on(text) || fields(text).len() > 1);
    std::iter::once(0).chain(prompts).find(tells)
}

/// What stands behind `br` itself.
fn arguments(command: &[u8]) -> Option<&[u8]> {
    let mut words = Words(command);
    for number in 0..MOST_BEFORE {
        let word = words.next()?;
        if is_br(&word) && Words(words.0).next().is_some_and(|verb| VERBS.contains(&&*verb)) {
            return Some(words.0);
        }
        if number == 0 && !RUNNERS.contains(&&*word) && !is_br(&word) {
            return None;
        }
    }
    None
}

/// `br`, `/usr/bin/br`, `br:v6.5.0`.
fn is_br(word: &[u8]) -> bool {
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name == b"br" || name.strip_prefix(b"br:").is_some_and(|version| !version.is_empty())
}

/// Reads a command line: the command is the message, without prompt, runner and path.
pub(in crate::record) fn read(line: &[u8]) -> Record<'static> {
    let arguments = find(line).and_then(|at| arguments(&line[at..])).unwrap_or_default();
    Record {
        message: Cow::Owned([b"br ", arguments.trim_ascii()].concat()),
        has_message: true,
        fields: fields(arguments),
        text: Cow::Owned(escape::unescape(line).into_owned()),
        kind: Kind::Command,
        ..Record::default()
    }
}

/// `__command`, as BR calls it, and the options by their long names.
fn fields(arguments: &[u8]) -> Vec<Field<'static>> {
    const ENDS: [&[u8]; 6] = [b"|", b">", b">>", b"2>&1", b"&&", b"&"];
    let mut words = Words(arguments).take_while(|word| !ENDS.contains(&&**word)).peekable();
    let mut command = b"br".to_vec();
    while let Some(word) = words.next_if(|word| !word.starts_with(b"-")) {
        command.push(b' ');
        command.extend(word);
    }
    let mut fields = vec![field(b"__command", command)];
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix(b"--").or_else(|| word.strip_prefix(b"-")) else { continue };
        let (name, value) = match memchr::memchr(b'=', option) {
            Some(at) => (&option[..at], Some(option[at + 1..].to_vec())),
            None => (option, words.next_if(|next| !next.starts_with(b"-"))),
        };
        let name = match name {
            b"u" => &b"pd"[..],
            b"s" => b"storage",
            name => name,
        };
        fields.extend(value.map(|value| field(name, value)));
    }
    fields
}

fn field(key: &[u8], value: Vec<u8>) -> Field<'static> {
    Field { key: Cow::Owned(key.to_vec()), value: Cow::Owned(value) }
}

/// Whether the command goes on in the next line.
pub(in crate::record) fn goes_on(text: &[u8]) -> bool {
    text.trim_ascii_end().ends_with(b"\\")
}

/// The words of a shell's line, without their quotes. Only what this needs of a shell: it is read, never run.
struct Words<'t>(&'t [u8]);

impl Iterator for Words<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut word = Vec::new();
        let mut quote = None;
        let mut begun = false;
        while let Some((&byte, rest)) = self.0.split_first() {
            // A backslash at the end of a line joins it with the next one.
            let joins = byte == b'\\' && rest.first().is_none_or(u8::is_ascii_whitespace);
            let is_blank = byte.is_ascii_whitespace() || joins;
            match byte {
                b'"' | b'\'' if quote.is_none() => (quote, begun) = (Some(byte), true),
                _ if quote == Some(byte) => quote = None,
                _ if quote.is_none() && is_blank && begun => break,
                _ if quote.is_none() && is_blank => {}
                _ => {
                    word.push(byte);
                    begun = true;
                }
            }
            self.0 = rest;
        }
        begun.then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::{find, goes_on};

    fn read(line: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        super::read(line.as_bytes()).fields.iter().map(|field| (text(&field.key), text(&field.value))).collect()
    }

    #[test]
    fn a_command_is_known_behind_any_prompt_and_runner() {
        for line in [
            "br log status --pd 10.0.0.1:2379",
            "$ ./br log status -u 10.0.0.1:2379 --json",
            "/ # /br log status --pd 10.0.0.1:2379",
            "sh-5.1# var/lib/br-bin/br log status --pd=pd:2379",
            "[tidb@ops ~]$ tiup br:v7.5.0 log status --pd pd:2379",
            "10:41:16 root@ops ~ \u{2192} /opt/br log status --pd pd:2379",
            "sudo docker exec -it tidb-pd br log status --pd=pd:2379",
            "Starting component `br`: /home/tidb/.tiup/components/br/v6.5.0/br log status --pd pd:2379",
            "Starting component br: /home/tidb/.tiup/components/br/v6.5.0/br /home/tidb/.tiup/components/br/v6.5.0/br log status --pd=pd:2379",
            "br log status \\",
        ] {
            assert!(find(line.as_bytes()).is_some(), "{line}");
            assert_eq!(read(line)[0], ("__command".to_owned(), "br log status".to_owned()), "{line}");
        }
        for line in [
            "br log status",
            "$ br log status --json | jq .",
            "restore with br log status --pd pd:2379",
            "$ cat br log --pd pd:2379",
            "$ ls /br/log --pd pd:2379",
            "br failed --pd pd:2379",
            "",
        ] {
            assert!(find(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn options_are_read_in_every_form() {
        let pairs =
            |line: &str| read(line).into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        assert_eq!(
            pairs(
                "br restore point -u \"10.0.0.1:2379\" --full-backup-storage='s3://b/full a' -s s3://b/log --yes --ca /a"
            ),
            [
                "__command=br restore point",
                "pd=10.0.0.1:2379",
                "full-backup-storage=s3://b/full a",
                "storage=s3://b/log",
                "ca=/a"
            ]
        );
        assert_eq!(
            pairs("br backup full \\\n    --pd \"10.0.0.1:2379\" \\\n    --storage s3://b/f"),
            ["__command=br backup full", "pd=10.0.0.1:2379", "storage=s3://b/f"]
        );
        assert!(goes_on(b"br backup full \\") && goes_on(b"br backup full \\  ") && !goes_on(b"br backup full"));
    }

    #[test]
    fn what_is_not_closed_or_empty_is_read_as_far_as_it_goes() {
        assert_eq!(read("br log start --storage 's3://b").last().unwrap().1, "s3://b");
        assert_eq!(read("br log start --pd= --task-name").last().unwrap(), &("pd".to_owned(), String::new()));
        assert_eq!(read("br log start \\").len(), 1);
    }
}
