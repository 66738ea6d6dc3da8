//! Any bytes as a policy: parsing never panics, a fault lies within the text, and what parses
//! compiles and decides.

#![no_main]

use guard_core::actor::{Actor, Attribution, FactSource, ToolNames, ToolSet};
use guard_core::decision::decide;
use guard_core::file::FileFacts;
use guard_core::policy::{Platform, Policy, Snapshot, Surroundings};
use guard_core::process::ProcessKey;
use guard_core::{Operation, OperationKind};
use libfuzzer_sys::fuzz_target;

struct Stray(ToolNames);

impl FactSource for Stray {
    fn actor(&self) -> Actor<'_> {
        Actor {
            key: ProcessKey {
                pid: 2,
                generation: 1,
            },
            ppid: 1,
            uid: 1000,
            executable: b"/usr/bin/git",
            argv0: b"git",
            attribution: Attribution::Unknown { agent_seen: true },
            tools: ToolSet::default(),
            tool_names: &self.0,
        }
    }

    fn arguments(&self) -> Vec<u8> {
        b"git\0-C\0x\0gc\0".to_vec()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        Some(0)
    }

    fn file(&self, _path: &[u8]) -> Option<FileFacts> {
        None
    }
}

fuzz_target!(|text: &[u8]| {
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let lines = text.split(|&byte| byte == b'\n').count();
            assert!((1..=lines).contains(&error.line) && error.column > 0);
            return;
        }
    };
    let surroundings = Surroundings {
        home: b"/home/u",
        platform: Platform::Linux,
        extra_zones: &[],
        own_files: &[],
        locate: &|path| vec![path.to_vec()],
        session: "s",
        started_ns: 0,
    };
    let Ok(snapshot) = Snapshot::compile(&policy, &surroundings) else {
        return;
    };
    let stray = Stray(ToolNames::default());
    for zone in snapshot.zones() {
        let inside = [zone.path, b"/a/b.o"].concat();
        for kind in OperationKind::ALL {
            for (path, destination) in [(zone.path, None), (&inside, Some(zone.path))] {
                let operation = Operation {
                    kind,
                    path,
                    destination,
                };
                let decision = decide(&snapshot, &operation, 1, &stray);
                let by_rule = matches!(
                    decision.reason,
                    guard_core::Reason::OutsideZones | guard_core::Reason::NotJudged
                );
                assert!(snapshot.touches(&operation) || by_rule);
            }
        }
    }
});
