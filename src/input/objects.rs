//! Objects of a bucket as inputs: `s3://bucket/prefix`, `gs://`, `az://container/prefix`. Credentials, region and endpoint come
//! from the environment, as the vendors' own tools have them. An object is read in ranges, some of them ahead; one that
//! changes meanwhile is not mixed with what it was.

use super::{Stamp, name};
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, RetryConfig};
use rustc_hash::FxHasher;
use std::collections::VecDeque;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Bytes of a range.
const RANGE: u64 = 8 << 20;
/// Ranges of one object that are on their way at once.
const AHEAD: usize = 3;

/// Waits for the network; the work is done by the threads that ask.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().thread_name("objects").build()
});

fn runtime() -> io::Result<&'static Runtime> {
    RUNTIME.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
}

/// An object as it was found.
#[derive(Debug, Clone)]
pub(super) struct Object {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    name: String,
}

/// The objects behind a URL: the one that it names, else all whose key begins with it and a slash.
pub(super) fn find(url: &str) -> io::Result<Vec<Object>> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    if bucket.is_empty() || rest.contains(['?', '#']) {
        return Err(wrong(format!(
            "a bucket is named as {scheme}://BUCKET/PREFIX; its credentials come from the environment"
        )));
    }
    let prefix = Key::parse(key.trim_matches('/')).map_err(|error| wrong(error.to_string()))?;
    let store = connect(scheme, bucket).map_err(|error| told(&error))?;
    let metas = runtime()?.block_on(async {
        if !key.is_empty() && !key.ends_with('/') {
            match store.head(&prefix).await {
                Ok(meta) => return Ok(vec![meta]),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        store.list(Some(&prefix)).try_collect().await
    });
    let metas: Vec<ObjectMeta> = metas.map_err(|error| told(&error))?;
    if metas.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no object there"));
    }
    let object = |meta: ObjectMeta| {
        let name = name::of_path(Path::new(&format!("{scheme}://{bucket}/{}", meta.location)));
        Object { store: Arc::clone(&store), meta, name }
    };
    Ok(metas.into_iter().map(object).collect())
}

fn connect(scheme: &str, bucket: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
    // As the vendor's tools have it; by default about a minute, with growing pauses.
    let attempts = std::env::var("AWS_MAX_ATTEMPTS").ok().and_then(|most| most.parse::<usize>().ok());
    let max_retries = attempts.map_or(10, |attempts| attempts.saturating_sub(1));
    let retry = RetryConfig { max_retries, ..RetryConfig::default() };
    Ok(match scheme {
        "gs" => Arc::new(GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(retry).build()?),
        "az" => Arc::new(MicrosoftAzureBuilder::from_env().with_container_name(bucket).with_retry(retry).build()?),
        _ => Arc::new(AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry).build()?),
    })
}

/// An error in one line, without what is secret in an address.
fn told(error: &object_store::Error) -> io::Error {
    let kind = match error {
        object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        object_store::Error::Precondition { .. } => {
            return io::Error::other("the object was replaced while it was read");
        }
        _ => io::ErrorKind::Other,
    };
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    io::Error::new(kind, crate::safe::redact(&text).into_owned())
}

impl Object {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn stamp(&self) -> Stamp {
        let hash = |text: &str| {
            let mut hasher = FxHasher::default();
            text.hash(&mut hasher);
            hasher.finish()
        };
        Stamp {
            device: hash(self.meta.e_tag.as_deref().unwrap_or_default()),
            inode: hash(&self.name),
            size: self.meta.size,
            modified_ns: self.meta.last_modified.timestamp_nanos_opt().unwrap_or_default(),
        }
    }

    /// The object's bytes from a place on.
    pub(super) fn open(&self, begin: u64) -> impl Read + Send + use<> {
        Ranges { object: self.clone(), next: begin, coming: VecDeque::new(), have: Vec::new(), given: 0 }
    }

    fn get(&self, begin: u64, end: u64) -> io::Result<JoinHandle<object_store::Result<Vec<u8>>>> {
        let (store, key) = (Arc::clone(&self.store), self.meta.location.clone());
        let options = GetOptions {
            range: Some(GetRange::Bounded(begin..end)),
            if_match: self.meta.e_tag.clone(),
            ..GetOptions::default()
        };
        let range = async move { Ok(store.get_opts(&key, options).await?.bytes().await?.to_vec()) };
        Ok(runtime()?.spawn(range))
    }
}

/// An object that is being read.
struct Ranges {
    object: Object,
    /// Where the next range begins that is to be asked for.
    next: u64,
    coming: VecDeque<JoinHandle<object_store::Result<Vec<u8>>>>,
    have: Vec<u8>,
    given: usize,
}

impl Ranges {
    fn ask(&mut self) -> io::Result<()> {
        let size = self.object.meta.size;
        while self.coming.len() < AHEAD && self.next < size {
            let end = size.min(self.next + RANGE);
            self.coming.push_back(self.object.get(self.next, end)?);
            self.next = end;
        }
        Ok(())
    }
}

impl Read for Ranges {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.have.len() {
            self.ask()?;
            let Some(first) = self.coming.pop_front() else { return Ok(0) };
            self.have = runtime()?.block_on(first).map_err(io::Error::other)?.map_err(|error| told(&error))?;
            self.given = 0;
            self.ask()?;
        }
        let count = out.len().min(self.have.len() - self.given);
        out[..count].copy_from_slice(&self.have[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

impl Drop for Ranges {
    fn drop(&mut self) {
        self.coming.iter().for_each(JoinHandle::abort);
    }
}
