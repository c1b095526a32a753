//! The findings of several clusters, put together: each row stays what it is, and says of which cluster where words say anything.

use super::findings::{Episode, ErrorCode, Findings, Totals, Trouble};
use super::incidents::order;
use super::part::Part;
use super::troubles;
use crate::rules::Catalog;
use crate::units::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

/// The findings of clusters with their ids.
pub(super) fn findings(clusters: Vec<(Option<&str>, Findings)>, catalog: &Catalog) -> Findings {
    let mut all = Findings::default();
    all.caveats.push(several(&clusters));
    let mut errors: BTreeMap<String, ErrorCode> = BTreeMap::new();
    let mut troubles: BTreeMap<String, Trouble> = BTreeMap::new();
    for (id, mut own) in clusters {
        let whose = id.map_or_else(|| "Unknown cluster".to_owned(), |id| format!("Cluster {id}"));
        for incident in &mut own.incidents {
            incident.cluster = id.map(str::to_owned);
            incident.summary = format!("{whose}: {}", incident.summary);
        }
        for task in &mut own.tasks {
            task.cluster = id.map(str::to_owned);
        }
        add(&mut all.totals, own.totals);
        all.incidents.append(&mut own.incidents);
        all.tasks.append(&mut own.tasks);
        all.episodes.append(&mut own.episodes);
        all.regions.append(&mut own.regions);
        all.stores.append(&mut own.stores);
        all.sources.append(&mut own.sources);
        all.caveats.extend(own.caveats.into_iter().map(|caveat| format!("{whose}: {caveat}")));
        for trouble in own.troubles {
            let of_all =
                troubles.entry(trouble.rule.clone()).or_insert_with(|| Trouble { count: 0, ..trouble.clone() });
            of_all.count += trouble.count;
            of_all.severity = of_all.severity.max(trouble.severity);
        }
        for error in own.errors {
            match errors.get_mut(&error.code) {
                Some(known) => join(known, error, catalog),
                None => _ = errors.insert(error.code.clone(), error),
            }
        }
    }
    all.errors = errors.into_values().collect();
    all.troubles = troubles.into_values().collect();
    all.troubles.sort_by(|a, b| troubles::order(a).cmp(&troubles::order(b)));
    // Rows of one id keep the order of their clusters.
    all.incidents.sort_by(order);
    all.tasks.sort_by(|a, b| a.name.cmp(&b.name));
    all.episodes.sort_by(|a, b| by_time(a).cmp(&by_time(b)));
    all.regions.sort_by_key(|row| row.id);
    all.stores.sort_by_key(|row| (row.id.is_none(), row.id));
    all.sources.sort_by(|a, b| a.file.cmp(&b.file));
    all
}

fn several(clusters: &[(Option<&str>, Findings)]) -> String {
    const MOST: usize = 4;
    let ids: Vec<&str> = clusters.iter().filter_map(|(id, _)| *id).collect();
    let more = if ids.len() > MOST { format!(" and {} more", ids.len() - MOST) } else { String::new() };
    let named = ids.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    format!("These are logs of {} clusters ({named}{more}): each is told by itself.", ids.len())
}

fn add(sum: &mut Totals, own: Totals) {
    sum.bytes += own.bytes;
    sum.records += own.records;
    sum.events += own.events;
    sum.first = sum.first.into_iter().chain(own.first).min();
    sum.last = sum.last.max(own.last);
}

/// One code of two clusters; it has a meaning where both have the same.
fn join(known: &mut ErrorCode, other: ErrorCode, catalog: &Catalog) {
    known.count += other.count;
    known.first = known.first.into_iter().chain(other.first).min();
    known.last = known.last.max(other.last);
    known.rules.extend(other.rules);
    known.rules.sort_unstable();
    known.rules.dedup();
    known.stores.extend(other.stores);
    known.stores.sort_unstable();
    known.stores.dedup();
    known.regions.extend(other.regions);
    known.regions.sort_unstable();
    known.regions.dedup();
    (known.meaning, known.remedy) = super::codes::explained(&known.code, &known.rules, catalog);
}

/// By first time, those without time last; of one time by where they stand.
fn by_time(episode: &Episode) -> (bool, Option<Timestamp>, &Arc<str>, u64) {
    (episode.first.is_none(), episode.first, &episode.place.file, episode.place.line)
}

/// Makes something of every few episodes, and hands it to `each`, by first time. Each part reads its own back, a little ahead.
pub(super) fn each_made<T: Send>(
    parts: &[Part],
    make: &(impl Fn(Vec<Episode>) -> io::Result<T> + Sync),
    each: &mut impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    const AHEAD: usize = 1_024;
    if let [only] = parts {
        return only.each_made(make, each);
    }
    std::thread::scope(|scope| {
        let mut waiting: Vec<Waiting> = Vec::new();
        for part in parts {
            let (to, from) = sync_channel(AHEAD);
            scope.spawn(move || {
                let gone = |_| io::Error::other("nobody wants to know");
                let told = part.each_made(&Ok, &mut |rows| {
                    rows.into_iter().try_for_each(|episode| to.send(Ok(episode)).map_err(gone))
                });
                if let Err(error) = told {
                    // Where nobody listens any more, somebody else has failed and says so.
                    _ = to.send(Err(error));
                }
            });
            waiting.extend(Waiting::next(from)?);
        }
        let mut rows = Vec::new();
        while let Some(at) =
            (0..waiting.len()).min_by(|a, b| by_time(&waiting[*a].head).cmp(&by_time(&waiting[*b].head)))
        {
            let Waiting { head, from } = waiting.remove(at);
            rows.push(head);
            if let Some(next) = Waiting::next(from)? {
                waiting.insert(at, next);
            }
            if rows.len() == AHEAD {
                each(make(std::mem::take(&mut rows))?)?;
            }
        }
        each(make(rows)?)
    })
}

/// The next episode of a part, and where those after it come from.
struct Waiting {
    head: Episode,
    from: Receiver<io::Result<Episode>>,
}

impl Waiting {
    fn next(from: Receiver<io::Result<Episode>>) -> io::Result<Option<Self>> {
        match from.recv() {
            Ok(Ok(head)) => Ok(Some(Self { head, from })),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}
