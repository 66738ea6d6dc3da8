//! No decision allocates, whatever the verdict: a counting allocator watches this whole binary.
//! The one exception is the fact source's own answer to `arguments`, which only version control,
//! archivers and compilers are asked for.

#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

#[path = "support/counting.rs"]
mod counting;
mod support;

use counting::allocations;
use guard_core::OperationKind::{self, Rename, Unlink};
use support::{Scene, World};

#[track_caller]
fn check(world: &World, scene: &Scene, kind: OperationKind, path: &str, to: Option<&str>) {
    let before = allocations();
    let decision = world.decide(scene, kind, path, to);
    let allocated = allocations() - before;
    assert_eq!(
        allocated,
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
    let before = allocations();
    let scenes = [
        Scene::human("rm"),
        Scene::agent("rm"),
        Scene::agent("npm").under(&["make", "npm"]),
        Scene::agent("cp"),
        Scene::unknown("rm", true),
    ];
    assert!(allocations() > before, "the allocator counts");
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
