//! What git's index says of a path, from its bytes (gitformat-index(5)).

use crate::path::is_at_or_below;

/// Whether the index tracks this path or anything below it; the path is relative to the work tree.
/// `None` if the index cannot be understood, or is not whole.
#[must_use]
pub fn tracks(index: &[u8], path: &[u8]) -> Option<bool> {
    // The file does not say which hash it uses; only the right one reads it to its end.
    HASH_BYTES
        .iter()
        .find_map(|&hash| tracks_by(hash, index, path))
}

fn tracks_by(hash_bytes: usize, index: &[u8], path: &[u8]) -> Option<bool> {
    let mut rest = index.strip_prefix(b"DIRC")?;
    let version = take_number(&mut rest)?;
    let count = take_number(&mut rest)?;
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut is_tracked = false;
    let mut name = Vec::new();
    for _ in 0..count {
        let entry = rest;
        rest = rest.get(STAT_BYTES + hash_bytes..)?;
        let (flags, after) = rest.split_first_chunk::<2>()?;
        let flags = u16::from_be_bytes(*flags);
        let is_extended = version >= 3 && flags & EXTENDED != 0;
        rest = after.get(if is_extended { 2 } else { 0 }..)?;
        let fixed = entry.len() - rest.len();
        if version == 4 {
            let cut = take_varint(&mut rest)?;
            name.truncate(name.len().checked_sub(cut)?);
        } else {
            name.clear();
        }
        let length = rest.iter().position(|&byte| byte == 0)?;
        name.extend_from_slice(rest.get(..length)?);
        if usize::from(flags & NAME_LENGTH) != name.len().min(NAME_LENGTH.into()) {
            return None;
        }
        rest = if version == 4 {
            rest.get(length + 1..)?
        } else {
            // Padded with NULs, one at least, to a multiple of eight bytes.
            entry.get((fixed + length + 8) / 8 * 8..)?
        };
        is_tracked |= is_at_or_below(&name, path) || is_sparse_above(&name, path);
    }
    is_whole(rest, hash_bytes).then_some(is_tracked)
}

/// A sparse index has one entry for a whole directory: its name ends in a slash.
fn is_sparse_above(name: &[u8], path: &[u8]) -> bool {
    name.ends_with(b"/") && path.starts_with(name)
}

/// Whether nothing follows the entries but extensions that change nothing about them, and the
/// checksum.
fn is_whole(mut rest: &[u8], hash_bytes: usize) -> bool {
    while rest.len() > hash_bytes {
        let Some((name, mut after)) = rest.split_first_chunk::<4>() else {
            return false;
        };
        // The others must be understood: the entries of a split index (`link`) are elsewhere.
        let is_optional = name.first().is_some_and(u8::is_ascii_uppercase) || name == b"sdir";
        let length = take_number(&mut after).and_then(|length| usize::try_from(length).ok());
        match length.and_then(|length| after.get(length..)) {
            Some(next) if is_optional => rest = next,
            _ => return false,
        }
    }
    rest.len() == hash_bytes
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

/// The variable width encoding of git's pack files, for offsets.
fn take_varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0usize;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value = value
            .checked_mul(128)?
            .checked_add(usize::from(byte & 0x7F))?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value = value.checked_add(1)?;
    }
}

/// The lengths of the hashes that git knows: SHA-1 and SHA-256.
const HASH_BYTES: [usize; 2] = [20, 32];

/// The fields of an entry before its hash.
const STAT_BYTES: usize = 40;

/// The flag of an entry that has two more bytes of flags.
const EXTENDED: u16 = 0x4000;

/// The flags that hold a name's length, or the largest value that they can.
const NAME_LENGTH: u16 = 0x0FFF;

#[cfg(test)]
mod tests {
    use super::*;

    /// An index as git writes it with SHA-1, with these names.
    fn index(version: u32, names: &[&str], extension: &[u8]) -> Vec<u8> {
        index_by(20, version, names, extension)
    }

    fn index_by(hash: usize, version: u32, names: &[&str], extension: &[u8]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(names.len()).unwrap().to_be_bytes());
        let mut previous = "";
        for name in names {
            let start = bytes.len();
            bytes.extend([1; STAT_BYTES]);
            bytes.extend(vec![1; hash]);
            bytes.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
            if version == 4 {
                let shared = name
                    .bytes()
                    .zip(previous.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                bytes.push(u8::try_from(previous.len() - shared).unwrap());
                bytes.extend(&name.as_bytes()[shared..]);
                bytes.push(0);
            } else {
                bytes.extend(name.as_bytes());
                bytes.push(0);
                while !(bytes.len() - start).is_multiple_of(8) {
                    bytes.push(0);
                }
            }
            previous = name;
        }
        bytes.extend(extension);
        bytes.extend(vec![7; hash]);
        bytes
    }

    #[test]
    fn paths_and_what_is_below_them_are_tracked() {
        let names = ["a", "build.sh", "docs/a", "docs/b/c", "src/main.rs"];
        for version in [2, 3, 4] {
            let index = index(version, &names, b"TREE\0\0\0\x03abc");
            for (path, tracked) in [
                ("docs", true),
                ("docs/b", true),
                ("docs/b/c", true),
                ("a", true),
                ("build", false),
                ("doc", false),
                ("docs/x", false),
            ] {
                assert_eq!(
                    tracks(&index, path.as_bytes()),
                    Some(tracked),
                    "{path} in {version}"
                );
            }
        }
    }

    #[test]
    fn either_hash_is_understood() {
        let names = ["a", "docs/a"];
        for version in [2, 4] {
            let index = index_by(32, version, &names, b"TREE\0\0\0\x03abc");
            assert_eq!(tracks(&index, b"docs"), Some(true), "{version}");
            assert_eq!(tracks(&index, b"dist"), Some(false), "{version}");
        }
    }

    #[test]
    fn sparse_directories_cover_what_is_below() {
        let index = index(3, &["a", "lib/"], b"");
        assert_eq!(tracks(&index, b"lib/dist"), Some(true));
        assert_eq!(tracks(&index, b"library"), Some(false));
    }

    #[test]
    fn what_is_not_understood_is_not_answered() {
        let whole = index(2, &["a", "b"], b"");
        assert_eq!(tracks(b"", b"x"), None);
        assert_eq!(tracks(b"DIRC\0\0\0\x05\0\0\0\0", b"x"), None);
        assert_eq!(tracks(&whole[..90], b"x"), None, "cut short");
        let split = index(2, &["a"], b"link\0\0\0\x02ab");
        assert_eq!(tracks(&split, b"x"), None, "entries elsewhere");
        let unknown = index(2, &["a"], b"newx\0\0\0\0");
        assert_eq!(tracks(&unknown, b"x"), None, "a required extension");
        let longer = index(2, &["a"], b"FSMN\0\0\0\x63ab");
        assert_eq!(tracks(&longer, b"x"), None, "an extension cut short");
        assert_eq!(
            tracks(&index(2, &[], b""), b"x"),
            Some(false),
            "an empty one"
        );
    }
}
