//! The table of processes: a fixed number of slots, read without a lock.
//!
//! A process's home is a hash of its process id, and its record is in one of the [`WINDOW`] slots
//! from there. A search reads the whole window, so emptied slots need no mark.
//!
//! Each slot is a sequence lock over atomic words. A reader that meets a writer tries again a few
//! times, then reports "not found": its caller takes the slow path, which waits for the writer. A
//! record that is found is whole, and has the key that was asked for.
//!
//! There is one writer at a time: writing needs the table's [`TableWriter`], which the lineage keeps
//! behind its lock. If a window is full, [`put`](Table::put) first frees exited processes, then evicts
//! the oldest that is no agent's.

use super::interned::AgentNumber;
use crate::actor::ToolSet;
use crate::process::ProcessKey;
use crate::sync::{AtomicU64, Ordering};

/// What is known of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: ProcessKey,
    pub(super) ppid: u32,
    pub(super) started_ns: u64,
    /// The time as of which its ancestors are known.
    pub(super) learnt_at_ns: u64,
    pub(super) kind: Kind,
    pub(super) tools: ToolSet,
    /// Whether it is known to have exited; kept for reports that are still queued.
    pub(super) exited: bool,
}

/// An attribution, without what it borrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Human,
    Unknown,
    Agent(AgentNumber),
}

/// The slots.
pub(super) struct Table {
    slots: Box<[Slot]>,
    /// `32 - log2(slots)`: a hash's upper bits choose the home.
    shift: u32,
}

/// The right to write, and the counts that only the writer keeps.
#[derive(Debug, Default)]
pub(super) struct TableWriter {
    pub(super) len: usize,
    /// Records evicted although their process was not known to have exited.
    pub(super) evictions: u64,
}

/// One record, a cache line.
///
/// SYNC: only the holder of the [`TableWriter`] stores. It makes `version` odd, stores the words, and makes
/// `version` even. Word stores are `Release` and word loads `Acquire`: a reader that sees any word
/// of a write also sees that write's odd `version`, so its second load of `version` differs from
/// the first. The even store is `Release` and pairs with the reader's first load: a reader that
/// begins with it sees all of its words.
#[derive(Default)]
#[repr(align(64))]
struct Slot {
    version: AtomicU64,
    /// `pid << 32 | ppid`; 0 if the slot is empty.
    ids: AtomicU64,
    generation: AtomicU64,
    started_ns: AtomicU64,
    learnt_at_ns: AtomicU64,
    /// `agent number << 32 | exited << 2 | kind`.
    attribution: AtomicU64,
    tools: AtomicU64,
}

// === impl Table ===

impl Table {
    /// A table of at least `capacity` slots.
    pub(super) fn new(capacity: usize) -> Self {
        let slots = capacity.clamp(WINDOW, MAX_SLOTS).next_power_of_two();
        Self {
            slots: (0..slots).map(|_| Slot::default()).collect(),
            shift: (u32::BITS - slots.trailing_zeros()).min(31),
        }
    }

    /// The record of a process. Takes no lock and never waits.
    pub(super) fn find(&self, key: ProcessKey) -> Option<Record> {
        self.window(key.pid)
            .filter(|slot| slot.may_hold(key))
            .find_map(|slot| slot.read().filter(|record| record.key == key))
    }

    /// All records, in no order.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.slots.iter().filter_map(Slot::read)
    }

    /// Stores the record of a process, over its earlier one. `is_dead` is asked only if there is no
    /// free slot.
    pub(super) fn put(
        &self,
        writer: &mut TableWriter,
        record: Record,
        is_dead: &mut dyn FnMut(ProcessKey) -> bool,
    ) {
        let slot = self
            .window(record.key.pid)
            .find(|slot| slot.read().is_some_and(|known| known.key == record.key))
            .or_else(|| self.free_slot(writer, record.key.pid, is_dead));
        if let Some(slot) = slot {
            writer.len += usize::from(slot.read().is_none());
            slot.write(Some(record));
        }
    }

    /// An empty slot, emptied if need be.
    fn free_slot(
        &self,
        writer: &mut TableWriter,
        pid: u32,
        is_dead: &mut dyn FnMut(ProcessKey) -> bool,
    ) -> Option<&Slot> {
        let empty = || self.window(pid).find(|slot| slot.read().is_none());
        if let Some(slot) = empty() {
            return Some(slot);
        }
        // Freeing the whole window at once makes the next insertions cheap.
        for slot in self.window(pid) {
            if slot
                .read()
                .is_some_and(|record| record.exited || is_dead(record.key))
            {
                slot.write(None);
                writer.len -= 1;
            }
        }
        if let Some(slot) = empty() {
            return Some(slot);
        }
        let loss = |slot: &&Slot| slot.read().map(|r| (r.kind.is_agent(), r.learnt_at_ns));
        let slot = self.window(pid).min_by_key(loss)?;
        slot.write(None);
        writer.len -= 1;
        writer.evictions += 1;
        Some(slot)
    }

    fn window(&self, pid: u32) -> impl Iterator<Item = &Slot> {
        let home = (pid.wrapping_mul(GOLDEN_RATIO) >> self.shift) as usize;
        let mask = self.slots.len() - 1;
        (home..home + WINDOW).filter_map(move |index| self.slots.get(index & mask))
    }
}

// === impl Kind ===

impl Kind {
    pub(super) const fn is_agent(self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

// === impl Slot ===

impl Slot {
    /// Whether reading the slot is worth it. A wrong "no" is possible only while the slot is
    /// overwritten.
    fn may_hold(&self, key: ProcessKey) -> bool {
        self.ids.load(Ordering::Relaxed) >> 32 == u64::from(key.pid)
            && self.generation.load(Ordering::Relaxed) == key.generation
    }

    /// The record; `None` if there is none, or a writer interfered with each attempt.
    fn read(&self) -> Option<Record> {
        for _ in 0..READ_ATTEMPTS {
            let before = self.version.load(Ordering::Acquire);
            if before.is_multiple_of(2) {
                let record = self.load();
                if self.version.load(Ordering::Relaxed) == before {
                    return record;
                }
            }
            std::hint::spin_loop();
        }
        None
    }

    fn write(&self, record: Option<Record>) {
        let version = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(version, Ordering::Relaxed);
        self.store(record);
        self.version
            .store(version.wrapping_add(1), Ordering::Release);
    }

    fn load(&self) -> Option<Record> {
        let ids = self.ids.load(Ordering::Acquire);
        let attribution = self.attribution.load(Ordering::Acquire);
        let record = Record {
            key: ProcessKey {
                pid: high(ids),
                generation: self.generation.load(Ordering::Acquire),
            },
            ppid: low(ids),
            started_ns: self.started_ns.load(Ordering::Acquire),
            learnt_at_ns: self.learnt_at_ns.load(Ordering::Acquire),
            kind: match attribution & KIND {
                HUMAN => Kind::Human,
                AGENT => Kind::Agent(AgentNumber(high(attribution))),
                _ => Kind::Unknown,
            },
            tools: ToolSet(self.tools.load(Ordering::Acquire)),
            exited: attribution & EXITED != 0,
        };
        (ids != 0).then_some(record)
    }

    fn store(&self, record: Option<Record>) {
        let Some(record) = record else {
            self.ids.store(0, Ordering::Release);
            return;
        };
        let (kind, agent) = match record.kind {
            Kind::Human => (HUMAN, 0),
            Kind::Unknown => (UNKNOWN, 0),
            Kind::Agent(number) => (AGENT, number.0),
        };
        let exited = if record.exited { EXITED } else { 0 };
        self.ids
            .store(join(record.key.pid, record.ppid), Ordering::Release);
        self.generation
            .store(record.key.generation, Ordering::Release);
        self.started_ns.store(record.started_ns, Ordering::Release);
        self.learnt_at_ns
            .store(record.learnt_at_ns, Ordering::Release);
        self.attribution
            .store(join(agent, 0) | exited | kind, Ordering::Release);
        self.tools.store(record.tools.0, Ordering::Release);
    }
}

fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
fn low(word: u64) -> u32 {
    word as u32
}

/// Slots that a process's record may be in. Even at a load of nine tenths, a window this wide is
/// rarely full.
#[cfg(not(loom))]
const WINDOW: usize = 16;
/// One slot for all, so that a model reaches eviction at once.
#[cfg(loom)]
const WINDOW: usize = 1;

/// 64 MiB of slots: more processes than a machine runs.
const MAX_SLOTS: usize = 1 << 20;

/// A write is a dozen stores; more attempts only wait for a writer that was preempted.
#[cfg(not(loom))]
const READ_ATTEMPTS: usize = 64;
#[cfg(loom)]
const READ_ATTEMPTS: usize = 2;

/// 2³² divided by the golden ratio spreads consecutive pids evenly.
const GOLDEN_RATIO: u32 = 0x9E37_79B9;

const KIND: u64 = 0b11;
const HUMAN: u64 = 0;
const UNKNOWN: u64 = 1;
const AGENT: u64 = 2;
const EXITED: u64 = 0b100;

#[cfg(test)]
mod tests;
