//! What the name of a source says of its writer: tiup and diag layouts, `HOST/COMPONENT-PORT/`, operator pods, rotated sets.

use crate::units::{Component, StoreId};

/// What a name says. None of it is certain: a folder can be called anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NameHints {
    /// Component.
    pub(super) component: Option<Component>,
    /// Host, pod, or the folder that holds one host's logs.
    pub(super) host: Option<String>,
    /// Port.
    pub(super) port: Option<u16>,
    /// Store id, from a folder or file called `store-4`.
    pub(super) store: Option<StoreId>,
    /// The nearest folder with a name of its own: a host where several folders hold files of the same name.
    pub(super) folder: Option<String>,
    /// The file's name without rotation time and suffixes.
    pub(super) stem: String,
    /// What all files of one process have in common: folders and `stem`.
    pub(super) set: String,
}

impl NameHints {
    /// `host:port`, or the host alone.
    pub(super) fn address(&self) -> Option<String> {
        let host = self.host.as_ref()?;
        Some(self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    }
}

/// Folders that say nothing of who wrote the files in them.
const PLAIN: [&str; 15] = [
    "log",
    "logs",
    "input",
    "deploy",
    "tidb-deploy",
    "data",
    "tmp",
    "home",
    "var",
    "opt",
    "tidb",
    "tikv",
    "pd",
    "br",
    "tiflash",
];

/// Reads a source's name.
pub(super) fn read(name: &str) -> NameHints {
    let parts: Vec<&str> =
        name.split('/').map(|part| part.trim_end_matches('!')).filter(|part| !part.is_empty()).collect();
    let Some((file, folders)) = parts.split_last() else { return NameHints::default() };
    let stem = stem(file);
    let mut hints = NameHints {
        component: component_of(stem),
        stem: stem.to_owned(),
        set: format!("{}/{stem}", folders.join("/")),
        ..NameHints::default()
    };
    hints.host = ip_in(file).or_else(|| pod(stem));
    if let (Some(pod), None) = (&hints.host, hints.component) {
        hints.component = pod.split('-').find_map(Component::of_word);
    }
    hints.port = port_in(stem, hints.host.as_deref());
    hints.store = store_number(stem);
    // From the file outwards: the nearest folder that says something wins.
    for (at, folder) in folders.iter().enumerate().rev() {
        let folder = without_archive_suffix(folder);
        if let Some((component, port)) = component_port(folder) {
            hints.component = hints.component.filter(|known| *known == Component::Os).or(Some(component));
            hints.port = hints.port.or(Some(port));
            if hints.host.is_none() {
                hints.host = host_before(&folders[..at]);
            }
        }
        hints.host = hints.host.take().or_else(|| ip_in(folder)).or_else(|| pod(folder));
        hints.component = hints.component.or_else(|| component_of(folder));
        hints.store = hints.store.or_else(|| store_number(folder));
        if hints.folder.is_none() && !PLAIN.contains(&folder) {
            hints.folder = Some(folder.to_owned());
        }
    }
    hints
}

/// The file's name without rotation time, number and suffixes: the same for all files of a rotated set.
fn stem(file: &str) -> &str {
    // Of a file that is no longer there, whose name another one has.
    let mut stem = file.split_once(" (gone").map_or(file, |(name, _)| name);
    for suffix in [".gz", ".zst", ".xz", ".bz2", ".lz4", ".bak", ".old"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    if let Some((head, number)) = stem.rsplit_once('.')
        && !number.is_empty()
        && number.len() <= 4
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && head.contains('.')
        && ip_in(stem).is_none()
    {
        stem = head;
    }
    for suffix in [".log", ".txt", ".info", ".out", ".json"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    // `tikv-2022-07-25T14-54-44.467`, `br.log.2022-07-25T14.54.44Z`
    for at in stem.char_indices().map(|(at, _)| at) {
        let rest = &stem.as_bytes()[at..];
        let rotated = rest.len() >= 11
            && matches!(rest[0], b'-' | b'.' | b'_')
            && rest[1..5].iter().all(u8::is_ascii_digit)
            && rest[5] == b'-'
            && rest[8] == b'-'
            && rest[6..8].iter().chain(&rest[9..11]).all(u8::is_ascii_digit);
        if rotated {
            stem = &stem[..at];
            break;
        }
    }
    stem = stem.strip_suffix(".log").unwrap_or(stem);
    for tail in ["_stderr", "_slow_query", "-slow", "_slow"] {
        stem = stem.strip_suffix(tail).unwrap_or(stem);
    }
    stem
}

fn without_archive_suffix(folder: &str) -> &str {
    let mut folder = folder;
    for suffix in [".gz", ".zst", ".xz", ".bz2", ".tar", ".tgz", ".zip"] {
        folder = folder.strip_suffix(suffix).unwrap_or(folder);
    }
    folder
}

/// The component that a name's words speak of, where they agree: `tikv-1`, `10.0.1.11_tikv`, `br`.
fn component_of(name: &str) -> Option<Component> {
    let mut words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| Component::of_word(word.trim_end_matches(|c: char| c.is_ascii_digit())));
    let first = words.next()?;
    words.all(|other| other == first).then_some(first)
}

/// `tikv-20160`.
fn component_port(folder: &str) -> Option<(Component, u16)> {
    let (word, port) = folder.rsplit_once(['-', '_'])?;
    if port.len() < 4 {
        return None;
    }
    Some((Component::of_word(word)?, port.parse().ok()?))
}

/// The host's folder in front of a deploy path: an address, or the folder before `tidb-deploy`.
fn host_before(folders: &[&str]) -> Option<String> {
    let folders: Vec<&str> = folders.iter().map(|folder| without_archive_suffix(folder)).collect();
    if let Some(ip) = folders.iter().rev().find_map(|folder| ip_in(folder)) {
        return Some(ip);
    }
    let named = folders.iter().rev().find(|folder| !PLAIN.contains(folder))?;
    Some((*named).to_owned())
}

/// An IPv4 address, standing alone or between other words.
fn ip_in(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while at < bytes.len() {
        if !digit(at) || (at > 0 && (digit(at - 1) || bytes[at - 1] == b'.')) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let candidate = text[at..end].trim_end_matches('.');
        let octets: Vec<&str> = candidate.split('.').collect();
        if octets.len() == 4 && octets.iter().all(|octet| octet.parse::<u8>().is_ok()) {
            return Some(candidate.to_owned());
        }
        at = end;
    }
    None
}

/// The port in a name that holds the host too: `tikv_10.0.1.11_20160`.
fn port_in(stem: &str, host: Option<&str>) -> Option<u16> {
    let rest = stem.split(host?).nth(1)?;
    let number = rest.trim_start_matches(['_', '-', ':', '.']);
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    (end >= 4).then(|| number[..end].parse().ok())?
}

/// An operator's pod: `tc-tikv-0`, `basic-pd-2`.
fn pod(name: &str) -> Option<String> {
    let name = name.split(['.', '_']).find(|part| part.matches('-').count() >= 2)?;
    let (head, ordinal) = name.rsplit_once('-')?;
    let (cluster, word) = head.rsplit_once('-')?;
    let ordered = !ordinal.is_empty() && ordinal.len() <= 3 && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    (ordered && !cluster.is_empty() && Component::of_word(word).is_some()).then(|| name.to_owned())
}

/// `store-4`, `store4`, `tikv-store-4`.
fn store_number(name: &str) -> Option<StoreId> {
    let after = &name[name.find("store")? + "store".len()..];
    let number = after.trim_start_matches(['-', '_', '=']);
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{read, stem};
    use crate::units::{Component, StoreId};

    #[test]
    fn a_rotated_set_has_one_stem() {
        for name in [
            "tikv.log",
            "tikv-2022-07-25T14-54-44.467.log",
            "tikv-2022-07-25T14-54-44.467.log.gz",
            "tikv_stderr.log",
            "tikv.log.1",
            "tikv.log (gone 2)",
            "tikv.log.2022-07-25T14-54-44.467",
        ] {
            assert_eq!(stem(name), "tikv", "{name}");
        }
        assert_eq!(stem("br.log.2022-07-25T14.54.44Z"), "br");
        assert_eq!(stem("tikv-10.0.1.11.log"), "tikv-10.0.1.11");
    }

    #[test]
    fn layouts_name_host_and_port() {
        for (name, address) in [
            ("diag/10.0.1.11/tidb-deploy/tikv-20160/log/tikv.log", "10.0.1.11:20160"),
            ("bundle/10.0.1.11/tikv-20160/tikv.log", "10.0.1.11:20160"),
            ("bundle/node-a/tikv-20160/tikv.log", "node-a:20160"),
            ("logs/tc-tikv-0/tikv.log", "tc-tikv-0"),
            ("logs/tc-tikv-0.log", "tc-tikv-0"),
            ("x/tikv_10.0.1.11_20161.log", "10.0.1.11:20161"),
            ("10.0.1.11.tar.gz!/tikv.log", "10.0.1.11"),
        ] {
            let hints = read(name);
            assert_eq!(hints.component, Some(Component::Tikv), "{name}");
            assert_eq!(hints.address().as_deref(), Some(address), "{name}");
        }
        assert_eq!(read("/tidb-deploy/tikv-20160/log/tikv.log").port, Some(20160));
        assert_eq!(read("/tidb-deploy/tikv-20160/log/tikv.log").host, None);
        assert_eq!(read("case/node-a/logs/tikv.log").host, None);
        assert_eq!(read("case/node-a/logs/tikv.log").folder.as_deref(), Some("node-a"));
    }

    #[test]
    fn components_come_from_words() {
        for (name, component) in [
            ("a/tidb_slow_query.log", Some(Component::Tidb)),
            ("a/dmesg.log", Some(Component::Os)),
            ("a/pd2.log", Some(Component::Pd)),
            ("a/console.txt", None),
            ("10.0.1.1/pd-2379/pd.log", Some(Component::Pd)),
        ] {
            assert_eq!(read(name).component, component, "{name}");
        }
        assert_eq!(read("a/store-4/tikv.log").store, Some(StoreId(4)));
    }

    #[test]
    fn odd_names_do_not_panic() {
        for name in ["", "/", "!/", "ä/ö.log", "tikv-", "store", "1.2.3", "....", "-2022-07-25"] {
            read(name);
        }
    }
}
