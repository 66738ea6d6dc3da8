//! Every order in which a reader and two writers of one lineage may meet, within loom's bounds.

use super::*;
use crate::actor::AgentMatch;
use crate::process::DescribeProcessError;
use loom::sync::Arc;
use loom::thread;

/// 1 init / 2 codex / 3 rm
struct Tree;

impl ProcessSource for Tree {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        let program = ["init", "codex", "rm"]
            .get(pid as usize - 1)
            .ok_or(DescribeProcessError::Gone)?;
        *into = ProcessDescription {
            key: key(pid),
            ppid: pid - 1,
            executable: program.as_bytes().to_vec(),
            ..ProcessDescription::default()
        };
        Ok(())
    }
}

struct Known;

impl Recogniser for Known {
    fn agent(&self, process: &ProcessDescription) -> Option<AgentMatch> {
        crate::agents::recognise(process, &[""; 0], &crate::agents::IgnoredMarkers::default())
    }

    fn is_scoped_tool(&self, _: &[u8]) -> bool {
        false
    }
}

fn key(pid: u32) -> ProcessKey {
    ProcessKey { pid, generation: 7 }
}

fn is_codex(entry: Entry<'_>) -> bool {
    matches!(entry.attribution(), Attribution::Agent(agent) if agent.label == "codex" && agent.pid == 2)
}

/// Two threads learn the same ancestors while a third reads: it finds only attributions that were
/// given.
#[test]
fn a_process_that_is_found_is_the_agents() {
    loom::model(|| {
        let lineage = Arc::new(Lineage::new(4, None));
        let learner = {
            let lineage = Arc::clone(&lineage);
            thread::spawn(move || assert!(is_codex(lineage.learn(3, &Tree, &Known, 1))))
        };
        if let Some(entry) = lineage.find(key(2)) {
            assert!(is_codex(entry));
            assert!(lineage.agent_seen());
        }
        assert!(is_codex(lineage.learn(2, &Tree, &Known, 2)));
        learner.join().unwrap();
        assert!(lineage.find(key(3)).is_none_or(is_codex));
        assert!(lineage.find(key(2)).is_none_or(is_codex));
    });
}
