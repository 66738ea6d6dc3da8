//! Which files the processes of a session have open for writing.
//!
//! The session's processes descend from the guard, which adopts orphans. What another user's process
//! has open cannot be seen.

use crate::files;
use crate::procfs;
use rustix::fs::{CWD, Mode};
use std::collections::{HashMap, HashSet};
use std::ffi::CString;

/// The canonical paths of the files that descendants of process `root` have open for writing.
pub(crate) fn written_by_descendants(root: u32) -> HashSet<Vec<u8>> {
    let links = descendants(root).into_iter().flat_map(procfs::open_links);
    links.filter_map(|link| written(&link)).collect()
}

/// The path behind a link of `/proc/PID/fd`, if it is open for writing: the link's own mode says so
/// (`proc_pid_fd(5)`).
fn written(link: &CString) -> Option<Vec<u8>> {
    let found = files::stat_name(CWD, link).ok()?;
    if !found.mode.contains(Mode::WUSR) {
        return None;
    }
    let mut path = Vec::new();
    files::read_link(CWD, link, &mut path).ok()?;
    path.starts_with(b"/").then_some(path)
}

/// All processes below one, as far as they can be found.
fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && let Ok(found) = procfs::stat(pid)
        {
            children.entry(found.ppid).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = children.remove(&root).unwrap_or_default();
    while let Some(pid) = next.pop() {
        next.extend(children.remove(&pid).unwrap_or_default());
        found.push(pid);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::process::{Command, Stdio};

    #[test]
    fn what_a_grandchild_writes_is_found_until_it_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        // The inner shell holds both; the outer one has closed what it wrote.
        let script = "echo x > closed; sh -c 'echo ready; read line' 3>> written 4< closed; exit 0";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .current_dir(&base)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        let stdout = shell.stdout.as_mut().unwrap();
        std::io::Read::read_exact(stdout, &mut ready).unwrap();
        let found = || written_by_descendants(std::process::id());
        let path = |name: &str| base.join(name).as_os_str().as_bytes().to_vec();
        let open = found();
        assert!(open.contains(&path("written")), "{open:?}");
        assert!(!open.contains(&path("closed")), "{open:?}");
        shell.stdin.take().unwrap().write_all(b"on\n").unwrap();
        shell.wait().unwrap();
        assert!(!found().contains(&path("written")));
    }
}
