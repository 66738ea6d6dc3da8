//! What one look-up costs in a store of few and of many objects that agents made.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use guard_undo::made::{Entry, MadeStore};
use std::hint::black_box;

fn made(c: &mut Criterion) {
    for each in [1_000, 1_000_000] {
        let scratch = tempfile::tempdir().expect("a directory can be made");
        let store = MadeStore::at(scratch.path().join("made"));
        for session in 0..SESSIONS {
            let numbers = session * each..(session + 1) * each;
            store
                .write(&session.to_string(), numbers.map(entry).collect())
                .expect("the disk has room");
        }
        let files = store.read().expect("what was written can be read");
        let all = SESSIONS * each;
        let mut wanted = (0..all).cycle().step_by(STEP);
        c.bench_function(&format!("find each of {all} objects"), |b| {
            b.iter(|| files.find(&entry(wanted.next().unwrap_or(0))).is_some());
        });
        c.bench_function(&format!("find none, among {all} objects"), |b| {
            b.iter(|| files.find(black_box(&entry(all))).is_some());
        });
    }
}

/// An object of its own: neighbours have nothing in common.
fn entry(number: u64) -> Entry {
    Entry {
        path: Entry::hash_path(&number.to_le_bytes()),
        device: 1,
        inode: number,
        born_ns: number,
        modified_ns: number,
        changed_ns: number,
        size: 100,
        is_doubtful: false,
        day: 20_000,
    }
}

/// How many sessions wrote their objects.
const SESSIONS: u64 = 10;

/// A prime: each look-up is at another place of the store.
const STEP: usize = 7_919;

criterion_group!(benches, made);
criterion_main!(benches);
