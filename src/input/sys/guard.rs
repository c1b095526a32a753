//! The answer to SIGBUS: a page of zeros, where a mapped file has become shorter than its mapping.
//!
//! A table holds the addresses of all mappings. The handler looks the faulting address up there; if it is ours it maps a zero
//! page over the fault, remembers the hit, and the interrupted read goes on. If not, the signal goes where it went before.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// Most mappings at a time; where there are more, files are read instead.
const SLOTS: usize = 256;

static TABLE: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

/// Where the signal went before; set before the handler is.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// One mapping. `version` is odd while start and length are being written: a handler that meets that, or finds the version changed
/// after it looked, has looked at a slot that is not its mapping's (that one stays put while anybody may touch its bytes).
struct Slot {
    taken: AtomicBool,
    version: AtomicUsize,
    start: AtomicUsize,
    len: AtomicUsize,
    hit: AtomicBool,
}

impl Slot {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            version: AtomicUsize::new(0),
            start: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            hit: AtomicBool::new(false),
        }
    }

    fn set(&self, start: usize, len: usize) {
        self.version.fetch_add(1, SeqCst);
        self.start.store(start, SeqCst);
        self.len.store(len, SeqCst);
        self.version.fetch_add(1, SeqCst);
    }

    fn covers(&self, address: usize) -> bool {
        let version = self.version.load(SeqCst);
        let (start, len) = (self.start.load(SeqCst), self.len.load(SeqCst));
        let inside = address >= start && address - start < len;
        inside && version.is_multiple_of(2) && version == self.version.load(SeqCst)
    }
}

/// A place in the table, for as long as it lives.
pub(super) struct Registration(&'static Slot);

impl Registration {
    /// None: the table is full.
    pub(super) fn new(start: usize, len: usize) -> Option<Self> {
        let slot = TABLE.iter().find(|slot| !slot.taken.swap(true, SeqCst))?;
        slot.hit.store(false, SeqCst);
        // Up to the end of the last page: its rest belongs to the mapping.
        slot.set(start, len.next_multiple_of(page_size()));
        Some(Self(slot))
    }

    pub(super) fn was_hit(&self) -> bool {
        self.0.hit.load(SeqCst)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.0.set(0, 0);
        self.0.taken.store(false, SeqCst);
    }
}

/// Bytes of a page.
pub(super) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    match SIZE.load(SeqCst) {
        0 => {
            // SAFETY: `sysconf` only returns a number, and may be called from a signal handler.
            let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4_096);
            SIZE.store(size, SeqCst);
            size
        }
        size => size,
    }
}

/// Makes reading a mapped file that becomes shorter harmless, for the whole process: what is gone reads as zeros, and the input
/// reports it. To be called once, by `main`; without it such a read ends the process, as SIGBUS does.
pub fn guard_mapped_reads() {
    page_size();
    if BEFORE.get().is_some() {
        return;
    }
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with no new action the call only writes the present one to `before`, which is then initialised.
    let before = unsafe {
        if libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr()) != 0 {
            return;
        }
        before.assume_init()
    };
    if BEFORE.set(before).is_err() {
        return;
    }
    // SAFETY: all zeros is a valid `sigaction` (integers and an optional pointer). The handler has the signature that SA_SIGINFO
    // asks for, and does only what a signal handler may: see there. SA_ONSTACK uses the alternate stack that the runtime has set up.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_sigbus as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut());
    }
}

/// Runs in whatever thread touched the page, at any point of any code: it takes no lock and allocates nothing. It reads atomics and
/// calls `mmap`, `sigaction` and `raise`: the last two are on POSIX's list of functions that a handler may call, `mmap` is one system
/// call on every system that this is built for.
extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `siginfo_t`, whose address field is set where the code says that a fault raised the signal.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    if code == libc::BUS_ADRERR
        && let Some(slot) = TABLE.iter().find(|slot| slot.covers(address))
        && put_zeros_under(address)
    {
        slot.hit.store(true, SeqCst);
        return;
    }
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: `before` is what the kernel gave us. Put back, the fault (which happens again on return) goes where it used to go; a
    // signal that was sent does not happen again by itself.
    unsafe {
        libc::sigaction(signal, before, ptr::null_mut());
        if code <= 0 {
            libc::raise(signal);
        }
    }
}

/// Maps a page of zeros over the page of `address`.
fn put_zeros_under(address: usize) -> bool {
    let page = page_size();
    let errno = Errno::keep();
    // SAFETY: the caller found `address` within a registered mapping, which is whole pages and is not unmapped while a thread reads
    // from it: the thread that this handler interrupted does. So MAP_FIXED replaces one page of that mapping and nothing else; what
    // replaces it is as readable, and is unmapped together with it.
    let result = unsafe {
        libc::mmap(
            (address & !(page - 1)) as *mut libc::c_void,
            page,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    errno.restore();
    result != libc::MAP_FAILED
}

/// The interrupted code's `errno`.
struct Errno(*mut libc::c_int, libc::c_int);

impl Errno {
    fn keep() -> Self {
        // SAFETY: the location is this thread's own, and always valid.
        unsafe {
            #[cfg(target_os = "linux")]
            let location = libc::__errno_location();
            #[cfg(not(target_os = "linux"))]
            let location = libc::__error();
            Self(location, *location)
        }
    }

    fn restore(self) {
        // SAFETY: as above.
        unsafe { *self.0 = self.1 }
    }
}

#[cfg(test)]
mod tests {
    use crate::input::sys::{Mapping, guard_mapped_reads};
    use std::io::Write;

    #[test]
    fn what_is_cut_off_a_mapped_file_reads_as_zeros() {
        guard_mapped_reads();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let mapping = Mapping::new(&file, 1 << 20).unwrap();
        let other = Mapping::new(&file, 4_096).unwrap();
        assert_eq!(mapping[900_000], b'x');
        assert!(!mapping.was_hit());
        file.set_len(10_000).unwrap();
        assert!(mapping[..10_000].iter().all(|byte| *byte == b'x'));
        assert!(mapping[10_000..].iter().all(|byte| *byte == 0));
        assert!(mapping.was_hit());
        assert!(!other.was_hit());
        assert!(other.iter().all(|byte| *byte == b'x'));
    }

    #[test]
    fn slots_are_given_back() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"x").unwrap();
        for _ in 0..2 * super::SLOTS {
            assert!(Mapping::new(&file, 1).is_some());
        }
    }
}
