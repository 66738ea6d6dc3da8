//! The little tree that every operation is tried on, and its description.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A tree with one of everything, and the working directory in it.
#[derive(Debug)]
pub struct House {
    /// Where it is.
    pub path: PathBuf,
    /// A file on another file system.
    pub elsewhere: PathBuf,
    builder: BufReader<UnixStream>,
    /// Open on both ends, so that no open of the FIFO waits for the other.
    fifo: Option<File>,
}

// === impl House ===

impl House {
    /// A tree at `path`, built by the builder that listens at `socket`; `elsewhere` is a directory
    /// on another file system.
    pub fn new(path: &Path, elsewhere: &Path, socket: &Path) -> Self {
        let builder = UnixStream::connect(socket).expect("the builder listens");
        let mut house = Self {
            path: path.to_owned(),
            elsewhere: elsewhere.join("file"),
            builder: BufReader::new(builder),
            fifo: None,
        };
        house.rebuild();
        house
    }

    /// Puts the tree back as it was built, after a call that changed it.
    pub fn rebuild(&mut self) {
        self.fifo = None;
        let order = format!("{}\t{}\n", self.path.display(), self.elsewhere.display());
        self.builder
            .get_mut()
            .write_all(order.as_bytes())
            .expect("the builder listens");
        self.builder
            .read_exact(&mut [0])
            .expect("the builder answers");
        std::env::set_current_dir(&self.path).expect("it was just built");
        self.fifo = OpenOptions::new().read(true).write(true).open("fifo").ok();
    }

    /// The tree in one line: every name with its kind, mode, links, target and content.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        list(&self.path, &mut text);
        let elsewhere = fs::read(&self.elsewhere).ok();
        let elsewhere = elsewhere.map(|content| content.escape_ascii().to_string());
        text.push_str(&format!("; elsewhere {elsewhere:?}"));
        text
    }
}

/// Builds trees for the programs that connect to `listener`, one after the other. The builder is a
/// process outside the guarded session: what it does costs no call under guard.
pub fn build_for(listener: &UnixListener) {
    for stream in listener.incoming().flatten() {
        let mut orders = BufReader::new(stream);
        let mut order = String::new();
        while orders.read_line(&mut order).is_ok_and(|length| length > 0) {
            let (path, elsewhere) = order.trim_end().split_once('\t').expect("a tab in between");
            demolish(Path::new(path));
            furnish(Path::new(path), Path::new(elsewhere));
            order.clear();
            if orders.get_mut().write_all(b"\n").is_err() {
                break;
            }
        }
    }
}

fn furnish(house: &Path, elsewhere: &Path) {
    let at = |name: &str| house.join(name);
    fs::create_dir(house).expect("nothing is there");
    for name in ["dir", "dir/sub", "empty", "sealed", "dark"] {
        fs::create_dir(at(name)).expect("its parent was just made");
    }
    for name in ["file", "other", "dir/inner", "sealed/kept", "dark/kept"] {
        fs::write(at(name), name).expect("its directory was just made");
    }
    fs::write(house.join(OsStr::from_bytes(STRANGE)), b"").expect("any byte but two");
    fs::write(at(&long_name(255)), b"").expect("the longest name there is");
    fs::hard_link(at("file"), at("hard")).expect("a link on one file system");
    for (target, name) in [
        ("file", "link"),
        ("dir", "dirlink"),
        ("nowhere", "dangling"),
        ("loop", "loop"),
    ] {
        symlink(target, at(name)).expect("the name is free");
    }
    make_fifo(&at("fifo"));
    fs::write(elsewhere, b"elsewhere").expect("the driver made the directory");
    for (name, mode) in [("sealed", 0o500), ("dark", 0o600)] {
        fs::set_permissions(at(name), Permissions::from_mode(mode)).expect("it is ours");
    }
}

/// Makes a FIFO.
pub fn make_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).expect("paths hold no NUL");
    // SAFETY: `path` is NUL-terminated.
    let made = unsafe { libc::mkfifo(path.as_ptr(), 0o644) };
    assert_eq!(made, 0, "mkfifo: {}", std::io::Error::last_os_error());
}

/// Removes a tree, permissions notwithstanding.
pub fn demolish(path: &Path) {
    for name in ["sealed", "dark"] {
        let _moved = fs::set_permissions(path.join(name), Permissions::from_mode(0o700));
    }
    if fs::remove_file(path).is_ok() || fs::remove_dir_all(path).is_ok() {
        return;
    }
    if path.exists() {
        open_up(path);
        fs::remove_dir_all(path).expect("the tree is ours and open");
    }
}

/// Makes every directory below `path` writable.
fn open_up(path: &Path) {
    let _not_ours = fs::set_permissions(path, Permissions::from_mode(0o700));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

fn list(dir: &Path, text: &mut String) {
    let mut entries: Vec<_> = match fs::read_dir(dir) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => {
            text.push_str(&format!("({:?})", error.kind()));
            return;
        }
    };
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let name = if name.len() > 40 {
            "long".into()
        } else {
            name.escape_ascii().to_string()
        };
        let Ok(found) = fs::symlink_metadata(&path) else {
            text.push_str(&format!(" {name}?"));
            continue;
        };
        let kind = found.file_type();
        text.push_str(&format!(" {name}:{:o}", found.mode() & 0o7777));
        if kind.is_dir() {
            text.push('[');
            list(&path, text);
            text.push(']');
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap_or_default();
            text.push_str(&format!(
                "->{}",
                target.as_os_str().as_bytes().escape_ascii()
            ));
        } else {
            let fifo = if kind.is_fifo() { "fifo" } else { "" };
            let content = if kind.is_file() {
                fs::read(&path).ok()
            } else {
                None
            };
            let content = content.unwrap_or_default();
            let content = content.escape_ascii();
            text.push_str(&format!(
                "x{}{fifo}{}={content}",
                found.nlink(),
                found.rdev()
            ));
        }
    }
}

/// A name of `length` bytes.
pub fn long_name(length: usize) -> String {
    "n".repeat(length)
}

/// A file name with a newline and bytes that are not UTF-8.
pub const STRANGE: &[u8] = b"odd\n\xff\xfe name";
