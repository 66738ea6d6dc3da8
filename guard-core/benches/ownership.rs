//! What it costs to ask whose an object is, in a session that made few and many.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use guard_core::file::{FileFacts, FileIdentity, FileKind};
use guard_core::ownership::Ownership;
use guard_core::standing::Standing;
use std::hint::black_box;

fn ownership(c: &mut Criterion) {
    for names in [1_000, 1_000_000] {
        let ownership = Ownership::default();
        for number in 0..names {
            ownership.brought(path(number).as_bytes(), &facts(number), 1);
        }
        let known: Vec<(String, FileFacts)> = (0..names)
            .step_by(usize::try_from(names / SAMPLES).unwrap_or(1))
            .map(|number| (path(number), facts(number)))
            .collect();
        let mut wanted = known.iter().cycle();
        c.bench_function(&format!("an agent's own, of {names} names"), |b| {
            b.iter(|| {
                wanted.next().is_some_and(|(path, found)| {
                    matches!(ownership.standing(path.as_bytes(), found), Standing::Own(_))
                })
            });
        });
        let foreign = facts(names);
        c.bench_function(&format!("somebody else's, beside {names} names"), |b| {
            b.iter(|| ownership.standing(black_box(b"/home/me/work/p/7/thesis.tex"), &foreign));
        });
    }
}

/// A thousand files a directory, as deep as in a project.
fn path(number: u64) -> String {
    format!("/home/me/work/p/{}/file-{number}.o", number / 1_000)
}

fn facts(number: u64) -> FileFacts {
    FileFacts {
        kind: FileKind::Regular,
        born_ns: Some(number),
        identity: FileIdentity {
            device: 1,
            inode: number,
        },
        changed_ns: number,
        modified_ns: number,
        size: 1,
    }
}

/// How many of the names are asked for, in turn: the same number, so that what the processor caches
/// is the same, too.
const SAMPLES: u64 = 1_000;

criterion_group!(benches, ownership);
criterion_main!(benches);
