//! What a guard knows of processes over time, and what it records.

use super::*;
use crate::actor::{Actor, ToolNames, ToolSet};
use crate::file::FileFacts;
use crate::operation::OperationKind;
use crate::policy::{Platform, Policy, Surroundings};
use crate::process::DescribeProcessError;
use crate::ring::{Lane, MIN_LANE_WORDS, RingOptions};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;

const NOW_NS: u64 = 1_000_000_000_000;

/// Simulated processes, as `PID → (PARENT, PROGRAM)`; each started at the time of its process id.
#[derive(Default)]
struct Processes(Mutex<BTreeMap<u32, (u32, &'static str)>>);

impl Processes {
    fn set(&self, pid: u32, parent: u32, program: &'static str) {
        self.0.lock().unwrap().insert(pid, (parent, program));
    }
}

impl ProcessSource for Arc<Processes> {
    fn describe(
        &self,
        pid: u32,
        into: &mut ProcessDescription,
    ) -> Result<(), DescribeProcessError> {
        let (ppid, program) = *self
            .0
            .lock()
            .unwrap()
            .get(&pid)
            .ok_or(DescribeProcessError::Gone)?;
        *into = ProcessDescription {
            key: key(pid),
            ppid,
            started_ns: u64::from(pid),
            executable: program.into(),
            ..ProcessDescription::default()
        };
        Ok(())
    }
}

/// The parents of the processes in these tests, which are in order.
fn parent_of(pid: u32) -> Option<u32> {
    (pid > 1).then_some(pid - 1)
}

fn key(pid: u32) -> ProcessKey {
    ProcessKey { pid, generation: 7 }
}

fn guard(processes: &Arc<Processes>, policy: &str) -> Guard {
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let surroundings = Surroundings {
        home: b"/home/u",
        platform: Platform::Linux,
        extra_zones: &[],
        own_files: &[],
        locate: &|path| vec![path.to_vec()],
        session: "",
        started_ns: 0,
    };
    let options = RingOptions {
        deny_words: MIN_LANE_WORDS,
        allow_words: MIN_LANE_WORDS,
        change_words: MIN_LANE_WORDS,
        ..RingOptions::default()
    };
    Guard::new(
        Snapshot::compile(&policy, &surroundings).unwrap(),
        None,
        Producer::anonymous(&options).unwrap(),
        b"guard-session".to_vec(),
        Box::new(Arc::clone(processes)),
        parent_of,
        IgnoredMarkers::default(),
    )
}

/// 1 init / 2 zsh / 3 sh / 4 rm
fn person() -> Arc<Processes> {
    let processes = Arc::new(Processes::default());
    for (pid, program) in [(1, "init"), (2, "zsh"), (3, "sh"), (4, "rm")] {
        processes.set(pid, pid - 1, program);
    }
    processes
}

fn is_agents(entry: &Entry<'_>) -> bool {
    matches!(entry.attribution(), Attribution::Agent(agent) if agent.label == "claude_code")
}

#[test]
fn a_late_title_is_recognised_after_a_tenth_of_a_second() {
    let processes = person();
    let guard = guard(&processes, "{}");
    assert_eq!(
        guard.entry(key(4), NOW_NS).attribution(),
        Attribution::Human
    );
    processes.set(2, 1, "claude");
    let within = guard.entry(key(4), NOW_NS + 100_000_000);
    assert_eq!(within.attribution(), Attribution::Human);
    assert!(is_agents(&guard.entry(key(4), NOW_NS + 100_000_001)));
}

#[test]
fn a_process_that_executes_an_agent_is_recognised_at_once() {
    let processes = person();
    let guard = guard(&processes, "{}");
    assert_eq!(
        guard.entry(key(4), NOW_NS).attribution(),
        Attribution::Human
    );
    guard.program_changes(key(4), Some(key(3)), 4, NOW_NS);
    processes.set(4, 3, "claude");
    assert!(is_agents(&guard.entry(key(4), NOW_NS + 1)));
}

/// An agent that starts programs and never acts itself.
#[test]
fn an_ancestor_that_executes_an_agent_is_recognised_with_its_child() {
    let processes = person();
    let guard = guard(&processes, "{}");
    assert_eq!(
        guard.entry(key(3), NOW_NS).attribution(),
        Attribution::Human
    );
    guard.program_changes(key(3), Some(key(2)), 3, NOW_NS);
    processes.set(3, 2, "claude");
    guard.program_changes(key(4), Some(key(3)), 4, NOW_NS);
    assert!(is_agents(&guard.entry(key(4), NOW_NS + 1)));
}

#[test]
fn an_exec_records_a_new_process_below_its_parent() {
    let processes = person();
    let guard = guard(&processes, "{}");
    processes.set(2, 1, "claude");
    guard.learn(3, NOW_NS);
    guard.program_changes(key(4), Some(key(3)), 4, NOW_NS);
    // The parents have exited, and 4 is a child of 1 now.
    processes.set(4, 1, "rm");
    assert!(is_agents(&guard.entry(key(4), NOW_NS + 1)));
}

/// Facts of which the recording of a denial asks.
struct Facts {
    names: ToolNames,
    environment: &'static [u8],
    questions: Cell<usize>,
}

impl FactSource for Facts {
    fn actor(&self) -> Actor<'_> {
        self.questions.set(self.questions.get() + 1);
        Actor {
            key: key(4),
            ppid: 3,
            uid: 1000,
            executable: b"/bin/rm",
            argv0: b"",
            attribution: Attribution::Human,
            tools: ToolSet::default(),
            tool_names: &self.names,
        }
    }

    fn arguments(&self) -> Vec<u8> {
        self.questions.set(self.questions.get() + 1);
        b"rm\0-rf\0".to_vec()
    }

    fn executable_changed_ns(&self) -> Option<u64> {
        None
    }

    fn file(&self, _: &[u8]) -> Option<FileFacts> {
        None
    }

    fn environment(&self) -> Vec<u8> {
        self.questions.set(self.questions.get() + 1);
        self.environment.to_vec()
    }
}

fn facts(environment: &'static [u8]) -> Facts {
    Facts {
        names: ToolNames::default(),
        environment,
        questions: Cell::new(0),
    }
}

fn circumstances(answer: Answer) -> Circumstances<'static> {
    Circumstances {
        process: ActingProcess {
            key: key(4),
            ppid: 3,
            uid: 1000,
            executable: b"/bin/rm",
            argv0: b"",
        },
        answer,
        errno: i32::from(answer == Answer::Denied),
        wall_ns: NOW_NS,
        received_ns: 10,
        decided_ns: 15,
        deadline_left_ns: None,
        delivery_delay_us: None,
        preservation: None,
    }
}

fn decision(verdict: Verdict, reason: Reason) -> Decision<'static> {
    Decision {
        verdict,
        reason,
        ..Decision::unresolved(false)
    }
}

const UNLINK: Operation<'_> = Operation {
    kind: OperationKind::Unlink,
    path: b"/z/a",
    destination: None,
};

#[test]
fn a_denial_is_recorded_with_its_command_agent_and_trace() {
    let processes = person();
    processes.set(2, 1, "claude");
    let guard = guard(&processes, "{}");
    guard.learn(4, NOW_NS);
    let trace = b"A=1\0TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\0";
    let facts = facts(trace);
    let denied = decision(Verdict::Deny, Reason::AgentInZone);
    guard.record_decision(&UNLINK, &denied, &circumstances(Answer::Denied), &facts);
    let mut reader = guard.ring.reader();
    let event = reader.next(Lane::Deny).unwrap();
    assert_eq!(event.process.argv0, b"rm");
    assert_eq!(
        (event.agent, event.agent_pid),
        (Some("claude_code"), Some(2))
    );
    assert_eq!(event.session, b"guard-session");
    assert_eq!(
        (event.latency_ns, event.monotonic_ns, event.errno),
        (5, 15, 1)
    );
    assert_eq!(event.trace.map(|trace| trace.flags), Some(1));
    assert_eq!(guard.ring.counter(Counter::AnswersDenied), 1);
    assert_eq!(guard.ring.counter(Counter::ProtectedWritesDenied), 0);
}

#[test]
fn an_allowed_operation_asks_for_no_facts() {
    let processes = person();
    let guard = guard(&processes, "{}");
    let facts = facts(b"TRACEPARENT=malformed\0");
    let allowed = decision(Verdict::Allow, Reason::OutsideZones);
    guard.record_decision(&UNLINK, &allowed, &circumstances(Answer::Continued), &facts);
    assert_eq!(facts.questions.get(), 0);
    let mut reader = guard.ring.reader();
    let event = reader.next(Lane::Allow).unwrap();
    assert_eq!(
        (event.process.argv0, event.agent, event.trace),
        (&b""[..], None, None)
    );
    assert_eq!(guard.ring.counter(Counter::AnswersContinued), 1);
    assert_eq!(guard.ring.counter(Counter::MalformedTraces), 0);
}

#[test]
fn what_is_counted_beside_the_answers() {
    let processes = person();
    let guard = guard(&processes, "{}");
    for (verdict, reason, answer) in [
        (Verdict::Deny, Reason::GuardFiles, Answer::Denied),
        (Verdict::Deny, Reason::UnresolvedPath, Answer::Denied),
        (Verdict::Allow, Reason::UnresolvedPath, Answer::Performed),
    ] {
        let facts = facts(b"TRACEPARENT=malformed\0");
        guard.record_decision(
            &UNLINK,
            &decision(verdict, reason),
            &circumstances(answer),
            &facts,
        );
    }
    for (counter, count) in [
        (Counter::AnswersDenied, 2),
        (Counter::AnswersPerformed, 1),
        (Counter::ProtectedWritesDenied, 1),
        (Counter::PathsUnresolved, 2),
        (Counter::MalformedTraces, 2),
    ] {
        assert_eq!(guard.ring.counter(counter), count, "{counter:?}");
    }
}

#[test]
fn the_header_shows_the_policy_and_the_agents() {
    let processes = person();
    processes.set(2, 1, "claude");
    let policy = r#"{"protected_zones": ["/a", "/b"], "mode": "audit",
                     "temporary_overrides": ["/a/x"]}"#;
    let guard = guard(&processes, policy);
    guard.learn(4, NOW_NS);
    guard.publish_state(NOW_NS);
    let revision = guard.policy.load().revision();
    for (counter, value) in [
        (Counter::Zones, 2),
        (Counter::Overrides, 1),
        (Counter::PolicyAudit, 1),
        (Counter::PolicyRevision, revision),
        (Counter::ActiveAgents, 1),
        (Counter::LineageEntries, 4),
    ] {
        assert_eq!(guard.ring.counter(counter), value, "{counter:?}");
    }
    assert_eq!(guard.ring.reader().heartbeat_ns(), NOW_NS);
}
