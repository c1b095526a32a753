//! Which cluster each source is of. Store, region and task names mean nothing across clusters, so each is told by itself.
//!
//! A source is of the cluster whose id it names; one that names none is of the cluster of the nearest folder that has only one.

use super::learned::Learned;
use crate::event::Event;
use crate::units::{Component, FactKind};
use std::collections::{BTreeMap, BTreeSet};

/// The cluster ids that sources name.
#[derive(Debug, Default)]
pub(super) struct ClusterIds {
    named: BTreeMap<usize, BTreeSet<Box<str>>>,
}

impl ClusterIds {
    /// Most ids of one source; who names more is of no cluster.
    const MOST: usize = 8;

    /// Takes an event of a source.
    pub(super) fn take(&mut self, source: usize, event: &Event) {
        if event.facts.is_empty() || &*event.group != "lifecycle" {
            return;
        }
        if let Some(id) = event.fact(FactKind::Cluster, "") {
            let ids = self.named.entry(source).or_default();
            if ids.len() < Self::MOST {
                ids.insert(id.into());
            }
        }
    }
}

/// The sources of one cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cluster {
    /// Its id; `None` for sources that nothing tells the cluster of.
    pub(super) id: Option<Box<str>>,
    /// Its sources, as positions.
    pub(super) sources: BTreeSet<usize>,
}

/// More clusters than anybody reads together; telling each costs a reading of all events.
const MOST_CLUSTERS: usize = 64;

/// The clusters, by id, those without one last; all sources are of one cluster where no second is named.
pub(super) fn apart(learned: &Learned) -> Vec<Cluster> {
    let all = |learned: &Learned| vec![Cluster { id: None, sources: (0..learned.sources.len()).collect() }];
    let named = &learned.cluster_ids.named;
    // One `br` speaks with many clusters. Those whose own processes write here are what can be mixed up.
    let of_br =
        |source: &usize| learned.instance(learned.instances.of_source[*source]).component == Some(Component::Br);
    let ids: BTreeSet<&str> =
        named.iter().filter(|(source, _)| !of_br(source)).flat_map(|(_, ids)| ids).map(|id| &**id).collect();
    if !(2..=MOST_CLUSTERS).contains(&ids.len()) {
        return all(learned);
    }
    let mut of_folder: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (source, ids) in named {
        for folder in folders(&learned.sources[*source].file) {
            of_folder.entry(folder).or_default().extend(ids.iter().map(|id| &**id));
        }
    }
    let of_source = |source: usize| -> Option<Box<str>> {
        let own = named.get(&source).into_iter().map(|ids| ids.iter().map(|id| &**id).collect::<BTreeSet<_>>());
        let around = folders(&learned.sources[source].file).filter_map(|folder| of_folder.get(folder).cloned());
        let nearest = own.chain(around).next()?;
        nearest.first().filter(|_| nearest.len() == 1).map(|id| Box::from(*id))
    };
    let mut clusters: BTreeMap<(bool, Option<Box<str>>), BTreeSet<usize>> = BTreeMap::new();
    for source in 0..learned.sources.len() {
        // A copy is of the cluster of what counts in its place.
        let id = of_source(learned.counted[source]);
        clusters.entry((id.is_none(), id)).or_default().insert(source);
    }
    clusters.into_iter().map(|((_, id), sources)| Cluster { id, sources }).collect()
}

/// The folders of a source, the nearest first. The one that holds everything has no name.
fn folders(file: &str) -> impl Iterator<Item = &str> {
    let inner = file.rmatch_indices('/').map(|(at, _)| &file[..at]).filter(|folder| !folder.is_empty());
    inner.chain(std::iter::once(""))
}

#[cfg(test)]
mod tests {
    use super::{apart, folders};
    use crate::correlate::Options;
    use crate::correlate::learned::Learned;
    use crate::correlate::testing::{Cluster, record};
    use crate::units::{Component, FactKind, Severity};

    /// The files of each cluster; a file that ends in a number names that cluster.
    fn clusters(files: &[(&str, &str)]) -> Vec<(Option<String>, Vec<String>)> {
        let mut cluster = Cluster::default();
        for (file, id) in files {
            let plain = record("lb-flush-done", "log-backup", Severity::Info, Component::Tikv);
            cluster.log(file, "2022-07-25T14:00:00Z", plain);
            if !id.is_empty() {
                let named = record("tikv-pd-cluster", "lifecycle", Severity::Info, Component::Tikv);
                cluster.log(file, "2022-07-25T14:00:01Z", named.fact(FactKind::Cluster, "", id));
            }
        }
        let learned = Learned::read(&cluster.events(), &cluster.sources(), &Options::default()).unwrap();
        let name = |source: &usize| learned.sources[*source].file.to_string();
        let found = apart(&learned);
        found.iter().map(|one| (one.id.as_deref().map(str::to_owned), one.sources.iter().map(name).collect())).collect()
    }

    #[test]
    fn one_id_or_none_is_one_cluster() {
        for id in ["", "71"] {
            assert_eq!(clusters(&[("a/tikv.log", id), ("b/tikv.log", "")]).len(), 1, "{id:?}");
        }
    }

    #[test]
    fn folders_say_what_sources_do_not() {
        let found = clusters(&[
            ("c/a/1/tikv.log", "71"),
            ("c/a/pd.log", ""),
            ("c/b/1/tikv.log", "72"),
            ("c/b/2/tikv.log", ""),
            ("c/console.txt", ""),
        ]);
        let wanted = [
            (Some("71"), vec!["c/a/1/tikv.log", "c/a/pd.log"]),
            (Some("72"), vec!["c/b/1/tikv.log", "c/b/2/tikv.log"]),
            (None, vec!["c/console.txt"]),
        ];
        for ((id, files), (wanted_id, wanted)) in found.iter().zip(&wanted) {
            assert_eq!((id.as_deref(), files), (*wanted_id, &wanted.iter().map(|file| (*file).to_owned()).collect()));
        }
        assert_eq!(found.len(), wanted.len());
    }

    #[test]
    fn folders_go_outwards() {
        assert_eq!(folders("/a/b/c.log").collect::<Vec<_>>(), ["/a/b", "/a", ""]);
        assert_eq!(folders("c.log").collect::<Vec<_>>(), [""]);
    }
}
