//! Who wrote a record, as the row of a log search or the prefix of a container's log says.

use crate::units::Component;

/// `tikv | 10.0.1.11:20160 | WARN`: a component and an address among the cells of a row.
pub(super) fn of_cells(cells: &[u8]) -> Option<(Component, &str)> {
    let words = std::str::from_utf8(cells).ok()?.split([' ', '\t', '|']);
    let component = words.clone().find_map(Component::of_word)?;
    words.into_iter().find(|word| is_address(word)).map(|address| (component, address))
}

/// `tc-tikv-0`: a pod's name, or a container's, has the component as one of its words.
pub(in crate::record) fn of_name(name: &[u8]) -> Option<(Component, &str)> {
    let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= MOST && is_host(name))?;
    let mut words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.find_map(Component::of_word).map(|component| (component, name))
}

/// `10.0.1.11:20160`, `tc-tikv-0.tc-tikv-peer:20160`, `[fd00::11]:20160`.
fn is_address(word: &str) -> bool {
    word.rsplit_once(':').is_some_and(|(host, port)| {
        is_host(host)
            && word.len() <= MOST
            && (2..=5).contains(&port.len())
            && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Longest name of a host in DNS, and a port.
const MOST: usize = 253 + 6;

fn is_host(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Component::{Pd, Tidb, Tikv};

    #[test]
    fn rows_and_pods_name_their_writer() {
        for (cells, want) in [
            (" TiKV tikv-8:20160 ", Some((Tikv, "tikv-8:20160"))),
            ("| tidb | 10.0.1.21:4000 | WARN  | ", Some((Tidb, "10.0.1.21:4000"))),
            ("10.0.1.1:2379\tpd\tINFO\t", Some((Pd, "10.0.1.1:2379"))),
            (" TiKV WARN ", None),
            (" a:20160 WARN ", None),
            (" TiKV error:x ", None),
        ] {
            assert_eq!(of_cells(cells.as_bytes()), want, "{cells}");
        }
        assert_eq!(of_name(b"tc-tikv-0"), Some((Tikv, "tc-tikv-0")));
        assert_eq!(of_name(b"backup-1"), None);
        assert_eq!(of_name(b"tikv \x1b[31m"), None);
    }
}
