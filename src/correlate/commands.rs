//! What to type, exactly: with the task's own name and PD's address, quoted for a shell or for SQL.

use super::learned::{Learned, Told};
use crate::units::{Component, FactKind};

/// Where PD is, as far as any log says: what `br` was told, else what others were told, else PD's own address.
#[derive(Debug, Default)]
pub(super) struct PdAddress {
    best: Option<(u8, String)>,
}

impl PdAddress {
    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>) {
        let event = told.event;
        let Some(value) = event.fact(FactKind::Addr, "pd") else { return };
        let Some(address) = plain_address(value) else { return };
        let of_log_backup =
            event.task.is_some() || event.fact(FactKind::Command, "").is_some_and(|text| text.contains("log "));
        let rank = match event.component {
            Some(Component::Br) if of_log_backup => 3,
            Some(Component::Br) => 2,
            _ => 1,
        };
        if self.best.as_ref().is_none_or(|(known, _)| *known <= rank) {
            self.best = Some((rank, address));
        }
    }

    /// The address for a shell.
    pub(super) fn finish(self, learned: &Learned) -> String {
        let own = || {
            let pd = learned.instances.all.iter().filter(|instance| instance.component == Some(Component::Pd));
            pd.filter_map(|instance| instance.address.clone()).find(|address| address.contains(':'))
        };
        let address = self.best.map(|(_, address)| address).or_else(own);
        shell(address.as_deref().unwrap_or_default(), "<PD_ADDR>")
    }
}

/// `[http://pd-0:2379]` as `pd-0:2379`.
fn plain_address(value: &str) -> Option<String> {
    let list = value.trim_matches(|c| matches!(c, '[' | ']' | '"' | ' '));
    let hosts: Vec<&str> = list
        .split([',', ' '])
        .map(|host| host.trim_matches('"'))
        .map(|host| host.strip_prefix("http://").or_else(|| host.strip_prefix("https://")).unwrap_or(host))
        .map(|host| host.trim_end_matches('/'))
        .filter(|host| !host.is_empty())
        .collect();
    (!hosts.is_empty() && !value.contains("REDACTED") && hosts.iter().all(|host| is_host(host)))
        .then(|| hosts.join(","))
}

/// Whether it can be the name of a host, and not what stands in its place: `x.x.x.x:2379`, `<pd>`, `${PD}`.
fn is_host(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:[]%".contains(c))
        && name.chars().any(|c| c.is_ascii_alphanumeric() && !c.eq_ignore_ascii_case(&'x'))
}

/// `br log resume` of a task.
pub(super) fn resume(task: Option<&str>, pd: &str) -> Vec<String> {
    vec![format!("br log resume --task-name={} --pd {pd}", task_name(task))]
}

/// Stop the task, start it anew, and back up in full: what restores need from then on.
pub(super) fn recreate(task: Option<&str>, pd: &str, storage: Option<&str>) -> Vec<String> {
    let mut commands = start(task, pd, storage);
    commands.insert(0, format!("br log stop --task-name={} --pd {pd}", task_name(task)));
    commands
}

/// Start a task, and back up in full.
pub(super) fn start(task: Option<&str>, pd: &str, storage: Option<&str>) -> Vec<String> {
    let task = task_name(task);
    let storage = shell(storage.filter(|url| !url.contains("REDACTED")).unwrap_or_default(), "<STORAGE>");
    vec![
        format!("br log start --task-name={task} --pd {pd} --storage {storage}"),
        format!("br backup full --pd {pd} --storage '<FULL_BACKUP_STORAGE>'"),
    ]
}

/// `br log status` of a task.
pub(super) fn status(task: Option<&str>, pd: &str) -> Vec<String> {
    vec![format!("br log status --task-name={} --pd {pd}", task_name(task))]
}

fn task_name(task: Option<&str>) -> String {
    shell(task.unwrap_or_default(), "<TASK>")
}

/// A value for a shell; the placeholder where it is empty or cannot be typed.
fn shell(value: &str, placeholder: &str) -> String {
    if value.is_empty() || value.chars().any(is_untypable) {
        return format!("'{placeholder}'");
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+=".contains(c);
    // A value that starts with `-` would be read as an option.
    if value.chars().all(safe) && !value.starts_with('-') {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// A control character, or one that changes how the rest of the line reads.
fn is_untypable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `ALTER TABLE ... SET TIFLASH REPLICA` for a table.
pub(super) fn set_tiflash_replica(schema: Option<&str>, table: &str, replicas: Option<u64>) -> String {
    let schema = schema.map(|schema| format!("{}.", sql_name(schema, "<SCHEMA>"))).unwrap_or_default();
    let replicas = replicas.map_or_else(|| "<COUNT>".to_owned(), |replicas| replicas.to_string());
    format!("ALTER TABLE {schema}{} SET TIFLASH REPLICA {replicas}", sql_name(table, "<TABLE>"))
}

fn sql_name(name: &str, placeholder: &str) -> String {
    let name = if name.is_empty() || name.chars().any(is_untypable) { placeholder } else { name };
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::{plain_address, recreate, resume, set_tiflash_replica};

    #[test]
    fn plain_values_need_no_quotes() {
        assert_eq!(resume(Some("task1"), "10.0.1.1:2379"), ["br log resume --task-name=task1 --pd 10.0.1.1:2379"]);
        let commands = recreate(Some("task1"), "pd:2379", Some("s3://b/log")).join(" && ");
        assert_eq!(
            commands,
            "br log stop --task-name=task1 --pd pd:2379 && br log start --task-name=task1 --pd pd:2379 --storage s3://b/log \
             && br backup full --pd pd:2379 --storage '<FULL_BACKUP_STORAGE>'"
        );
    }

    #[test]
    fn hostile_values_are_quoted_or_replaced() {
        for (task, written) in [
            ("a b", "'a b'"),
            ("$(reboot)", "'$(reboot)'"),
            ("it's", r"'it'\''s'"),
            ("-x", "'-x'"),
            ("a\nreboot", "'<TASK>'"),
            ("a\u{202e}b", "'<TASK>'"),
            ("", "'<TASK>'"),
        ] {
            assert_eq!(resume(Some(task), "p:1"), [format!("br log resume --task-name={written} --pd p:1")]);
        }
        assert!(recreate(None, "p:1", Some("s3://[REDACTED]/x"))[1].ends_with("--storage '<STORAGE>'"));
        assert!(recreate(None, "p:1", Some("s3://b/x?a=1&b=2"))[1].ends_with("--storage 's3://b/x?a=1&b=2'"));
    }

    #[test]
    fn names_of_tables_are_back_quoted() {
        assert_eq!(set_tiflash_replica(Some("db"), "a`b", Some(2)), "ALTER TABLE `db`.`a``b` SET TIFLASH REPLICA 2");
        assert_eq!(set_tiflash_replica(None, "a\nb", Some(1)), "ALTER TABLE `<TABLE>` SET TIFLASH REPLICA 1");
    }

    #[test]
    fn addresses_lose_what_the_log_put_around_them() {
        assert_eq!(plain_address("[http://pd-0:2379]").as_deref(), Some("pd-0:2379"));
        assert_eq!(plain_address("\"10.0.1.1:2379,10.0.1.2:2379\"").as_deref(), Some("10.0.1.1:2379,10.0.1.2:2379"));
        assert_eq!(plain_address("[REDACTED]"), None);
    }
}
