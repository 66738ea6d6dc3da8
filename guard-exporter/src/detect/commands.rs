//! Commands that were denied something: one `rm -rf` is one, however many files it names.

use super::generations::Generations;
use guard_core::DecisionEvent;
use guard_core::verdict::Verdict;

/// Processes that were denied something.
#[derive(Debug)]
pub(super) struct DeniedCommands(Generations<bool>);

// === impl DeniedCommands ===

impl DeniedCommands {
    /// Whether this is the first denial of its process.
    pub(super) fn is_first(&mut self, event: &DecisionEvent<'_>) -> bool {
        let process = event.process.key;
        event.verdict == Verdict::Deny
            && !std::mem::replace(
                self.0
                    .touch((event.session, process.pid, process.generation)),
                true,
            )
    }
}

impl Default for DeniedCommands {
    fn default() -> Self {
        Self(Generations::new(CAPACITY))
    }
}

/// About 50 KB when full.
const CAPACITY: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_testing::events::denial;

    #[test]
    fn a_process_counts_once() {
        let mut commands = DeniedCommands::default();
        let first = (0..400).filter(|&number| commands.is_first(&denial(number)));
        assert_eq!(first.count(), 1);
        let mut other = denial(0);
        other.process.key.generation += 1;
        assert!(commands.is_first(&other), "another with the same number");
        let allowed = DecisionEvent {
            verdict: Verdict::Allow,
            session: b"other",
            ..denial(0)
        };
        assert!(!commands.is_first(&allowed));
    }
}
