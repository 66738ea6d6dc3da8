//! Any bytes as the command name in `/proc/PID/stat`, which the process chooses: parent and start time
//! are read as without it. Any bytes as a whole `stat` or `status`: nothing panics.

#![no_main]

use guard_linux::fuzzing::{parent_and_start, status_number};
use libfuzzer_sys::fuzz_target;

/// Fields 3 to 22 and some more, as `proc_pid_stat(5)` lists them.
const REST: &[u8] = b") S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n";

fuzz_target!(|bytes: &[u8]| {
    let stat = [b"1234 (", bytes, REST].concat();
    assert_eq!(parent_and_start(&stat), Some((7, 4242)));
    let _any = parent_and_start(bytes);
    let _any = status_number(bytes, b"Tgid:");
});
