//! No decision allocates, whatever the verdict: a counting allocator watches this whole binary.
//! The one exception is the witness's own answer to `arguments`, which only git and its like are
//! asked for.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use guard_core::OperationKind::{self, Rename, Unlink};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::{Scene, World};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every method hands its arguments to the system allocator unchanged, which keeps the
// trait's contract; counting touches only a thread-local cell without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`, which is passed on unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System.alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[track_caller]
fn check(world: &World, scene: &Scene, kind: OperationKind, path: &str, to: Option<&str>) {
    let before = ALLOCATIONS.get();
    let decision = world.decide(scene, kind, path, to);
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!(
        allocations,
        0,
        "{kind:?} {path} {to:?}: {}",
        decision.reason.as_str()
    );
}

#[test]
fn decisions_allocate_nothing() {
    let world = World::with(
        r#"{"protected_zones": ["/z", "/z/n"], "disposable_paths": ["*.log"],
            "temporary_overrides": ["/z/o", {"path": "/z/p", "agent": "codex"}]}"#,
        guard_core::policy::Platform::Linux,
        &["/home/u/.codex/es-guard"],
    );
    let before = ALLOCATIONS.get();
    let scenes = [
        Scene::human("rm"),
        Scene::agent("rm"),
        Scene::agent("npm").under(&["make", "npm"]),
        Scene::agent("x86_64-linux-gnu-gcc-12"),
        Scene::unknown("rm", true),
    ];
    assert!(ALLOCATIONS.get() > before, "the allocator counts");
    for scene in &scenes {
        for path in [
            "/a/b",
            "/z",
            "/z/a",
            "/z/n/a",
            "/z/o/a",
            "/z/p/a",
            "/z/x.log",
            "/z/node_modules/a",
            "/z/.a.swp",
            "/z/a~",
            "/tmp/a",
            "/home/u/.codex/es-guard/ring",
        ] {
            check(&world, scene, Unlink, path, None);
            check(&world, scene, Rename, path, Some("/z/b"));
            check(&world, scene, Rename, path, Some("/elsewhere"));
        }
    }
}
