//! From delivery to answer: the whole handler against one that does nothing.
//!
//! The simulator fires AUTH_UNLINK and AUTH_OPEN messages at a client of the real wrapper. Each is timed
//! on the handler's thread: from the handler's first instruction to the call that answers, for
//! which the caller waits, and to the handler's return, when the ring has the event. The baseline
//! is the same client, fed by the same messages in the same process, whose handler answers and does
//! nothing else. Rows take turns of some thousand messages.
//!
//! `cargo bench -p guard-es --bench answer [-- MESSAGES]`; a million by default.
#![cfg_attr(not(target_vendor = "apple"), allow(unreachable_pub))]

#[cfg(not(target_vendor = "apple"))]
#[path = "../../guard-core/tests/support/counting.rs"]
mod counting;
#[cfg(not(target_vendor = "apple"))]
#[path = "../tests/support/mod.rs"]
mod support;

#[cfg(target_vendor = "apple")]
fn main() {}

#[cfg(not(target_vendor = "apple"))]
fn main() {
    simulated::main();
}

#[cfg(not(target_vendor = "apple"))]
#[allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench")]
mod simulated {
    use super::counting::allocations;
    use super::support::{Mac, MacConfig, NEWEST};
    use endpoint_sec::{Answer, Client, EventType, Message};
    use endpoint_sec_sim::{Machine, Process, last_answer};
    use guard_core::guard::SharedGuard;
    use guard_es::Backend;
    use guard_undo::Preservation;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    /// What was measured of one message.
    struct Sample {
        /// Nanoseconds to the answer.
        answered: u32,
        /// Nanoseconds to the handler's return.
        returned: u32,
        allocations: u32,
    }

    type Samples = Arc<Mutex<Vec<Sample>>>;

    /// What answers, what it is asked, and what was measured.
    struct Row<'a> {
        name: &'static str,
        actor: &'a Process,
        path: &'static str,
        /// The kernel's flags of an open; nothing for a removal.
        open: Option<u32>,
        /// The guard; nobody, for the handler that does nothing.
        guard: Option<&'a SharedGuard>,
        samples: Samples,
    }

    /// One row of the result.
    struct Figures {
        answered: Times,
        returned: Times,
        allocations: u32,
    }

    /// Nanoseconds.
    struct Times {
        median: u32,
        tail: u32,
    }

    pub(super) fn main() {
        let asked = std::env::args().find_map(|word| word.parse().ok());
        let messages: usize = asked.unwrap_or(1_000_000);
        let policy = r#"{"protected_zones": ["/z"]}"#;
        let mut plan = MacConfig::new(NEWEST, policy);
        plan.builder = Machine::new(NEWEST).queue(2 * BATCH);
        let mac = plan.set_up();
        let (person, agent) = (mac.shell.clone(), mac.chain("rm < codex"));
        mac.guard.learn(super::support::key(&agent).pid, 0);
        let row = |name, actor, path, open, guard| Row {
            name,
            actor,
            path,
            open,
            guard,
            samples: Arc::new(Mutex::new(Vec::with_capacity(messages))),
        };
        let guard = Some(&mac.guard);
        let rows = [
            row("a handler that does nothing", &person, "/z/doc", None, None),
            row("outside all zones", &person, "/elsewhere/doc", None, guard),
            row("in a zone, a person", &person, "/z/doc", None, guard),
            row("in a zone, an agent: denied", &agent, "/z/doc", None, guard),
            row("a person reads", &person, "/z/doc", READ, guard),
            row("an agent reads", &agent, "/z/doc", READ, guard),
            row("a person writes", &person, "/z/doc", WRITE, guard),
        ];
        println!("{messages} messages each, nanoseconds from delivery");
        println!(
            "{:<30} {:^25} {:^25} {:>7}",
            "", "to the answer", "to the return", "allocs"
        );
        println!(
            "{:<30} {:>7} {:>8} {:>8} {:>7} {:>8} {:>8}",
            "", "median", "more", "p99.9", "median", "more", "p99.9"
        );
        // In turns, so that what else the machine does meets all rows alike.
        let mut left = messages;
        while left > 0 {
            let turn = left.min(TURN);
            for row in &rows {
                row.take_turn(&mac, turn);
            }
            left -= turn;
        }
        let figures: Vec<Figures> = rows.iter().map(|row| row.figures(messages)).collect();
        let nothing = &figures[0];
        for (row, figures) in rows.iter().zip(&figures) {
            println!(
                "{:<30} {} {} {:>7}",
                row.name,
                figures.answered.beside(&nothing.answered),
                figures.returned.beside(&nothing.returned),
                figures.allocations
            );
        }
    }

    // === impl Row ===

    impl Row<'_> {
        /// Fires messages at a client of its own.
        fn take_turn(&self, mac: &Mac, messages: usize) {
            match self.guard {
                None => {
                    self.fire(mac, messages, |message: Message<'_>| {
                        message.answer(Answer::Allow).unwrap();
                    });
                }
                Some(guard) => {
                    let handler = Backend::handler(Arc::clone(guard), "/none".into(), NOWHERE);
                    self.fire(mac, messages, handler);
                }
            }
        }

        fn fire(
            &self,
            mac: &Mac,
            messages: usize,
            mut handler: impl FnMut(Message<'_>) + Send + 'static,
        ) {
            let sink = Arc::clone(&self.samples);
            let client = Client::builder()
                .start(move |message: Message<'_>| {
                    let before = allocations();
                    let start = Instant::now();
                    handler(message);
                    let returned = start.elapsed();
                    let allocated = allocations() - before;
                    let answered = last_answer().expect("every handler answers") - start;
                    sink.lock().unwrap().push(Sample {
                        answered: nanoseconds(answered),
                        returned: nanoseconds(returned),
                        allocations: u32::try_from(allocated).unwrap(),
                    });
                })
                .unwrap();
            let events = [EventType::AUTH_UNLINK, EventType::AUTH_OPEN];
            let _all_known = client.subscribe(&events).unwrap();
            let mut left = messages;
            while left > 0 {
                let batch = left.min(BATCH);
                mac.machine.hold();
                for _ in 0..batch {
                    let _judged = match self.open {
                        Some(flags) => mac.machine.open(self.actor, self.path, flags),
                        None => mac.machine.unlink(self.actor, self.path),
                    };
                }
                mac.machine.resume();
                mac.machine.settle();
                left -= batch;
            }
            client.close();
        }

        fn figures(&self, messages: usize) -> Figures {
            let samples = self.samples.lock().unwrap();
            assert_eq!(samples.len(), messages, "{}", self.name);
            let sorted = |value: fn(&Sample) -> u32| {
                let mut values: Vec<u32> = samples.iter().map(value).collect();
                values.sort_unstable();
                values
            };
            Figures {
                answered: Times::of(&sorted(|sample| sample.answered)),
                returned: Times::of(&sorted(|sample| sample.returned)),
                allocations: sorted(|sample| sample.allocations)[messages / 2],
            }
        }
    }

    // === impl Times ===

    impl Times {
        fn of(sorted: &[u32]) -> Self {
            let count = sorted.len();
            Self {
                median: sorted[count / 2],
                tail: sorted[count - count / 1000 - 1],
            }
        }

        fn beside(&self, baseline: &Self) -> String {
            let more = i64::from(self.median) - i64::from(baseline.median);
            format!("{:>7} {:>+8} {:>8}", self.median, more, self.tail)
        }
    }

    fn nanoseconds(time: Duration) -> u32 {
        u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)
    }

    /// It would preserve, and none of these rows takes anything that it would.
    const NOWHERE: Preservation = Preservation::Unavailable;

    /// `FREAD`.
    const READ: Option<u32> = Some(1);

    /// `FREAD`, `FWRITE` and `O_TRUNC`.
    const WRITE: Option<u32> = Some(0x403);

    /// Messages of one row before the next row's turn.
    const TURN: usize = 50_000;

    /// Messages that are queued before any is delivered: then the queue is not what is measured.
    const BATCH: usize = 1000;
}
