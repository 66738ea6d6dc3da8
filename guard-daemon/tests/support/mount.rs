//! File systems that go away with their test.

use super::stage::{Stage, eventually, finish};

/// Something mounted on a directory of a stage. Only root can.
#[derive(Debug)]
pub(crate) struct Mount<'a> {
    stage: &'a Stage,
    place: &'static str,
}

// === impl Mount ===

impl<'a> Mount<'a> {
    /// Runs `mount ARGUMENTS PLACE`.
    pub(crate) fn make(stage: &'a Stage, place: &'static str, arguments: &[&str]) -> Self {
        let mut command = stage.command("mount");
        let done = finish(command.args(arguments).arg(place).spawn().unwrap());
        assert_eq!(done.code, 0, "{done:?}");
        Self { stage, place }
    }

    fn unmount(&self, arguments: &[&str]) -> bool {
        let mut command = self.stage.command("umount");
        finish(command.args(arguments).arg(self.place).spawn().unwrap()).code == 0
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _at_least_out_of_sight = self.unmount(&["--lazy"]);
            return;
        }
        // The guard keeps directories open for a second at most.
        eventually("it can be unmounted", || self.unmount(&[]));
    }
}
