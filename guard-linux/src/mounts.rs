//! The mount table: the other paths of a directory.
//!
//! A bind mount gives a directory a second path. `/proc/self/mountinfo` lists for each mount its
//! device, the directory of that file system it shows (`root`) and where (`point`); so a location
//! on one mount becomes a path inside the file system, and from there its location on every other
//! mount that shows it.

use std::fs;
use std::io;

/// One mount (`proc_pid_mountinfo(5)`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    id: u64,
    device: Vec<u8>,
    root: Vec<u8>,
    point: Vec<u8>,
}

/// All mounts of one mount namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mounts(Vec<Mount>);

// === impl Mounts ===

impl Mounts {
    /// Reads the mounts that process `pid` sees; `self` for the guard.
    pub(crate) fn read(pid: &str) -> io::Result<Self> {
        Ok(Self::parse(&fs::read(format!("/proc/{pid}/mountinfo"))?))
    }

    pub(crate) fn parse(text: &[u8]) -> Self {
        let lines = text.split(|&byte| byte == b'\n');
        Self(lines.filter_map(parse_line).collect())
    }

    /// Whether this namespace has mount `id`.
    pub(crate) fn has(&self, id: u64) -> bool {
        self.0.iter().any(|mount| mount.id == id)
    }

    /// The path inside its file system of `location` on mount `id`, and the device.
    pub(crate) fn inside(&self, id: u64, location: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mount = self.0.iter().find(|mount| mount.id == id)?;
        let below = below(location, &mount.point)?;
        Some((mount.device.clone(), join(&mount.root, below)))
    }

    /// Every location of the directory at `path` inside the file system on `device`.
    pub(crate) fn locations(&self, device: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        for mount in self.0.iter().filter(|mount| mount.device == device) {
            if let Some(below) = below(path, &mount.root) {
                let location = join(&mount.point, below);
                if !found.contains(&location) {
                    found.push(location);
                }
            }
        }
        found
    }

    /// The other locations of the directory that is at `location` on mount `id`.
    pub(crate) fn aliases(&self, id: u64, location: &[u8]) -> Vec<Vec<u8>> {
        let Some((device, path)) = self.inside(id, location) else {
            return Vec::new();
        };
        let mut found = self.locations(&device, &path);
        found.retain(|other| other != location);
        found
    }
}

fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let device = fields.nth(1)?.to_vec();
    let root = unescape(fields.next()?);
    let point = unescape(fields.next()?);
    Some(Mount {
        id,
        device,
        root,
        point,
    })
}

/// Space, tab, newline and backslash are written `\ooo`.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let octal = if first == b'\\' {
            after.get(..3).and_then(octal)
        } else {
            None
        };
        if let Some(byte) = octal {
            plain.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            plain.push(first);
            rest = after;
        }
    }
    plain
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// What of `path` is below `ancestor`: empty for itself, else starting with a slash.
fn below<'a>(path: &'a [u8], ancestor: &[u8]) -> Option<&'a [u8]> {
    if ancestor == b"/" {
        return Some(if path == b"/" { b"" } else { path });
    }
    let rest = path.strip_prefix(ancestor)?;
    (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
}

fn join(ancestor: &[u8], below: &[u8]) -> Vec<u8> {
    if ancestor == b"/" && !below.is_empty() {
        return below.to_vec();
    }
    [ancestor, below].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"\
21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 8:2 / /home rw - ext4 /dev/sda2 rw
31 21 8:2 /u/proj /mnt/p rw - ext4 /dev/sda2 rw
32 21 8:1 /srv /with\\040space rw - ext4 /dev/sda1 rw
";

    #[test]
    fn a_bind_mount_leads_back_to_the_directory_s_own_path() {
        let mounts = Mounts::parse(TABLE);
        assert_eq!(
            mounts.aliases(31, b"/mnt/p/src"),
            [b"/home/u/proj/src".to_vec()]
        );
        assert_eq!(mounts.aliases(30, b"/home/u/proj"), [b"/mnt/p".to_vec()]);
        assert_eq!(mounts.aliases(21, b"/srv/a"), [b"/with space/a".to_vec()]);
        assert_eq!(mounts.aliases(30, b"/home/u"), Vec::<Vec<u8>>::new());
        assert_eq!(mounts.aliases(99, b"/home/u"), Vec::<Vec<u8>>::new());
        assert!(mounts.has(21) && !mounts.has(22));
    }

    #[test]
    fn this_machine_has_a_root_mount() {
        assert!(
            Mounts::read("self")
                .unwrap()
                .0
                .iter()
                .any(|mount| mount.point == b"/")
        );
    }
}
