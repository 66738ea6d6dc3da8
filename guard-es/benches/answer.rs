//! From delivery to answer: the whole handler against one that does nothing.
//!
//! The simulator fires AUTH_UNLINK messages at a client of the real wrapper. Each message is timed
//! on the handler's thread, from the handler's first instruction to its return, so that the time to
//! the answer is within it and so is the ring. The baseline is the same client, fed by the same
//! messages in the same process, whose handler answers and does nothing else.
//!
//! `cargo bench -p guard-es --bench answer [-- MESSAGES]`; a million by default.
#![cfg_attr(not(target_vendor = "apple"), allow(unreachable_pub))]

#[cfg(not(target_vendor = "apple"))]
#[path = "../tests/support/counting.rs"]
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
    use super::support::{Mac, NEWEST, Plan};
    use endpoint_sec::{Answer, Client, EventType, Message};
    use endpoint_sec_sim::{Machine, Process};
    use guard_es::Backend;
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    /// What was measured of each message: nanoseconds and allocations.
    type Samples = Arc<Mutex<Vec<(u32, u32)>>>;

    /// One row of the result.
    struct Figures {
        median: u32,
        tail: u32,
        allocations: u32,
    }

    pub(super) fn main() {
        let asked = std::env::args().find_map(|word| word.parse().ok());
        let messages: usize = asked.unwrap_or(1_000_000);
        let policy = r#"{"protected_zones": ["/z"]}"#;
        let mut plan = Plan::new(NEWEST, policy);
        plan.builder = Machine::new(NEWEST).queue(2 * BATCH);
        let mac = plan.set_up();
        let (person, agent) = (mac.shell.clone(), mac.chain("rm < codex"));
        mac.guard.learn(super::support::key(&agent).pid, 0);
        println!("{messages} AUTH_UNLINK messages each; from delivery to the handler's return");
        println!(
            "{:<44} {:>9} {:>9} {:>7} {:>7}",
            "", "median", "p99.9", "ratio", "allocs"
        );
        let nothing = measure(&mac, &person, "/z/doc", messages, || {
            |message: Message<'_>| message.answer(Answer::Allow).unwrap()
        });
        nothing.print("a handler that does nothing", &nothing);
        for (name, actor, path) in [
            ("outside all zones", &person, "/elsewhere/doc"),
            ("in a zone, a person", &person, "/z/doc"),
            ("in a zone, an agent: denied", &agent, "/z/doc"),
        ] {
            let handler = || Backend::handler(Arc::clone(&mac.guard), "/none".into());
            let figures = measure(&mac, actor, path, messages, handler);
            figures.print(name, &nothing);
            let more = figures.median.saturating_sub(nothing.median);
            println!("{:>44} {more:>7}ns more at the median", "");
        }
    }

    fn measure<H>(
        mac: &Mac,
        actor: &Process,
        path: &str,
        messages: usize,
        handler: impl Fn() -> H,
    ) -> Figures
    where
        H: FnMut(Message<'_>) + Send + 'static,
    {
        let samples: Samples = Arc::new(Mutex::new(Vec::with_capacity(messages)));
        let sink = Arc::clone(&samples);
        let mut handler = handler();
        let client = Client::builder()
            .start(move |message: Message<'_>| {
                let before = allocations();
                let start = Instant::now();
                handler(message);
                let took = start.elapsed().as_nanos();
                let allocated = allocations() - before;
                let sample = (u32::try_from(took), u32::try_from(allocated));
                let sample = (sample.0.unwrap_or(u32::MAX), sample.1.unwrap_or(u32::MAX));
                sink.lock().unwrap().push(sample);
            })
            .unwrap();
        let _all_known = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
        let mut left = messages;
        while left > 0 {
            let batch = left.min(BATCH);
            mac.machine.hold();
            for _ in 0..batch {
                let _judged = mac.machine.unlink(actor, path);
            }
            mac.machine.resume();
            mac.machine.settle();
            left -= batch;
        }
        client.close();
        let mut samples = samples.lock().unwrap();
        assert_eq!(samples.len(), messages);
        let mut allocations: Vec<u32> = samples.iter().map(|sample| sample.1).collect();
        samples.sort_unstable();
        allocations.sort_unstable();
        Figures {
            median: samples[messages / 2].0,
            tail: samples[messages - messages / 1000 - 1].0,
            allocations: allocations[messages / 2],
        }
    }

    impl Figures {
        fn print(&self, name: &str, baseline: &Self) {
            let ratio = f64::from(self.median) / f64::from(baseline.median.max(1));
            println!(
                "{name:<44} {:>7}ns {:>7}ns {ratio:>6.2}x {:>7}",
                self.median, self.tail, self.allocations
            );
        }
    }

    /// Messages that are queued before any is delivered: then the queue is not what is measured.
    const BATCH: usize = 1000;
}
