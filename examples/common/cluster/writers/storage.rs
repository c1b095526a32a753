//! Flushes that do not get through: the external storage or the local disk refuses.

use crate::cluster::record::fields;
use crate::cluster::record::{Fields, error, warn};
use crate::cluster::time::Ms;
use crate::cluster::version::Version;
use crate::cluster::world::World;
use crate::cluster::writers::task::{self, LastError};

/// Why a flush fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The credentials do not allow it.
    Access,
    /// The object store has no room.
    Full,
    /// Too many requests.
    Throttled,
    /// The store's own disk has no room for temporary files.
    Disk,
}

impl Fault {
    /// The storage's code and message.
    fn answer(self) -> (&'static str, &'static str) {
        match self {
            Self::Access => ("AccessDenied", "Access Denied."),
            Self::Full => (
                "XMinioStorageFull",
                "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.",
            ),
            Self::Throttled => ("SlowDown", "Please reduce your request rate."),
            Self::Disk => ("", "No space left on device (os error 28)"),
        }
    }

    /// What the client library makes of it.
    fn request_error(self, version: Version) -> String {
        let (code, message) = self.answer();
        if version >= Version::V85 {
            format!("service error: unhandled error ({code}): Error {{ code: \"{code}\", message: \"{message}\" }}")
        } else {
            format!(
                "Request ID: None Body: <?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            )
        }
    }

    /// What the flush says.
    fn flush_error(self, version: Version) -> String {
        if self == Self::Disk {
            return self.answer().1.to_owned();
        }
        let library = if version >= Version::V85 { "" } else { "rusoto error " };
        format!("failed to put object {library}{}", self.request_error(version))
    }

    fn debug(self, version: Version) -> String {
        if self == Self::Disk {
            return "Os { code: 28, kind: StorageFull, message: \"No space left on device\" }".to_owned();
        }
        format!("Custom {{ kind: Other, error: {} }}", crate::cluster::record::escaped(&self.flush_error(version)))
    }
}

/// A request to the storage failed and is repeated: harmless alone.
pub(crate) fn request_failed(world: &mut World, store: u64, time: Ms, fault: Fault) {
    if world.version < Version::V65 || fault == Fault::Disk {
        return;
    }
    let uuid = format!("{:08x}-55a1-4b6a-9f0e-{:012x}", world.random.below(1 << 32), world.random.below(1 << 48));
    let err = fault.request_error(world.version);
    let (caller, message) = if world.version >= Version::V85 {
        ("util.rs:139", "aws request fails")
    } else {
        ("util.rs:90", "aws request meet error.")
    };
    let fields =
        fields!["uuid" => uuid, "context" => "upload_part", "retry?" => fault == Fault::Throttled, "err" => err];
    world.kv(store, time, warn(caller, message), fields);
}

/// A flush failed.
pub(crate) fn flush_failed(world: &mut World, store: u64, time: Ms, fault: Fault) {
    request_failed(world, store, time, fault);
    let version = world.version;
    let debug = fault.debug(version);
    let mut fields = fields!["err" => debug, "est_len" => 135_266_304];
    if !version.display_errors() {
        fields.push(("file", "/tidb-data/tikv-20160/log-backup-temp/00000000000000000081_TEMP".to_owned()));
    }
    world.kv(store, time + 2, warn("router.rs:1074", "backup stream flush failed"), fields);
    world.kv(
        store,
        time + 3,
        warn("router.rs:546", "backup steam do flush fail"),
        fields!["err" => format!("Io({debug})")],
    );
    let mut fields = Fields::new();
    if version.display_errors() {
        fields.push(("verbose_err", format!("Io({debug})")));
    }
    if version.async_subscription() {
        fields.push(("position", "components/backup-stream/src/endpoint.rs:921:17".to_owned()));
    }
    fields.extend(
        fields!["err" => format!("I/O Error: {}", fault.flush_error(version)), "context" => "failed to flush task."],
    );
    world.kv(store, time + 4, warn("errors.rs:155", "backup stream meet error"), fields);
}

/// Failures from `from` on, one each `every`, until the store gives up. Gives the moment of the fatal error.
pub(crate) fn fail_until_fatal(world: &mut World, store: u64, from: Ms, every: Ms, fault: Fault) -> Ms {
    let mut time = from;
    for _ in 0..=world.version.flush_failures() {
        flush_failed(world, store, time, fault);
        time += every + world.random.below(900) as Ms;
    }
    time - every + 6
}

/// The store gives up.
pub(crate) fn fatal(world: &mut World, store: u64, time: Ms, fault: Fault) -> LastError {
    let version = world.version;
    let code = version.io_code();
    let message = format!("I/O Error: {}", fault.flush_error(version));
    let debug = format!("Io({})", fault.debug(version));
    let mut fields = fields!["err_code" => code];
    if version.display_errors() {
        fields.extend(fields!["err" => message, "verbose" => debug]);
    } else {
        fields.push(("err", debug));
    }
    world.kv(store, time, error("errors.rs:162", "backup stream meet fatal error"), fields);
    let selector = format!("ByName(\"{}\")", world.task.name);
    task::fatal_reporting(world, store, time + 1, &message, &selector);
    task::give_up(world, store, time + 3);
    LastError { store, time, code, message }
}
