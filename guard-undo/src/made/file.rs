//! One file of entries.
//!
//! ```text
//! magic   8 bytes  "ESMADE02"
//! count   8 bytes  number of entries
//! entries 64 bytes each, sorted by their keys
//! index   8 bytes each: the key of every 64th entry
//! ```
//!
//! All numbers are little-endian. The index is read into memory: 1.25 MB for ten million entries.
//! Files of an earlier version, "ESMADE01", are read as well: their entries have 56 bytes, without the
//! time of the last change of the contents at their end.

use fnv::FnvHasher;
use std::fs::File;
use std::hash::Hasher as _;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt as _;

/// One object that an agent made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The hash of its canonical path. It need not be strong: the values below name one object.
    pub path: u64,
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Birth time, wall clock nanoseconds.
    pub born_ns: u64,
    /// Last change of the inode, wall clock nanoseconds; 0 for a directory.
    pub changed_ns: u64,
    /// Last change of the contents, wall clock nanoseconds; 0 for a directory, and where it is not
    /// known.
    pub modified_ns: u64,
    /// Size in bytes; 0 for a directory.
    pub size: u64,
    /// Whether somebody else may have changed it before it was written down.
    pub is_doubtful: bool,
    /// When it was written down, in days since 1970.
    pub day: u32,
}

/// A file of entries, open for looking up.
#[derive(Debug)]
pub struct MadeFile {
    file: File,
    /// What each entry takes.
    entry_bytes: usize,
    count: u64,
    index: Vec<u64>,
}

// === impl Entry ===

impl Entry {
    /// The hash of a path (FNV-1a), the same on every machine.
    #[must_use]
    pub fn hash_path(path: &[u8]) -> u64 {
        let mut hasher = FnvHasher::default();
        hasher.write(path);
        hasher.finish()
    }

    /// What entries are sorted by: the object, whatever its state.
    fn key(&self) -> u64 {
        self.path ^ self.inode.rotate_left(32) ^ self.born_ns
    }

    /// Whether both speak of the same object in the same state.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.state() == other.state()
    }

    /// Whether the same object has the same contents, as far as their time and their size say that.
    const fn has_contents_of(&self, other: &Self) -> bool {
        self.modified_ns != 0 && self.modified_ns == other.modified_ns && self.size == other.size
    }

    /// The object and its state.
    const fn state(&self) -> [u64; 6] {
        [
            self.path,
            self.device,
            self.inode,
            self.born_ns,
            self.changed_ns,
            self.size,
        ]
    }

    /// The order of entries in a file.
    fn order(&self) -> (u64, [u64; 6]) {
        (self.key(), self.state())
    }

    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let flags = u64::from(self.day) << 32 | u64::from(self.is_doubtful);
        let fields = self.state().into_iter().chain([flags, self.modified_ns]);
        for (into, field) in bytes.chunks_exact_mut(8).zip(fields) {
            into.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut fields = bytes.chunks_exact(8).filter_map(number);
        let mut next = || fields.next();
        let (path, device, inode) = (next()?, next()?, next()?);
        let (born_ns, changed_ns, size, flags) = (next()?, next()?, next()?, next()?);
        Some(Self {
            path,
            device,
            inode,
            born_ns,
            changed_ns,
            modified_ns: next().unwrap_or(0),
            size,
            is_doubtful: flags & 1 != 0,
            day: u32::try_from(flags >> 32).unwrap_or(0),
        })
    }
}

// === impl MadeFile ===

impl MadeFile {
    /// Opens a file of entries.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not such a file.
    pub fn open(file: File) -> io::Result<Self> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let mut head = [0; HEAD_BYTES];
        file.read_exact_at(&mut head, 0)?;
        let (magic, count) = head.split_at(8);
        let entry_bytes = match magic {
            MAGIC => ENTRY_BYTES,
            EARLIER_MAGIC => EARLIER_ENTRY_BYTES,
            _ => return Err(invalid()),
        };
        let count = number(count).ok_or_else(invalid)?;
        let index_at = count
            .checked_mul(entry_bytes as u64)
            .map(|bytes| bytes + HEAD_BYTES as u64);
        let index_at = index_at.ok_or_else(invalid)?;
        let blocks = count.div_ceil(BLOCK_ENTRIES as u64);
        if file.metadata()?.len() != index_at.saturating_add(blocks * 8) {
            return Err(invalid());
        }
        let blocks = usize::try_from(blocks).map_err(|_| invalid())?;
        let mut bytes = vec![0; blocks * 8];
        file.read_exact_at(&mut bytes, index_at)?;
        let index = bytes.chunks_exact(8).filter_map(number).collect();
        Ok(Self {
            file,
            entry_bytes,
            count,
            index,
        })
    }

    /// How many entries it has.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The entry of the same object in the same state; else one with the same contents, of which only
    /// the inode changed since.
    #[must_use]
    pub fn find(&self, wanted: &Entry) -> Option<Entry> {
        let (key, bytes) = (wanted.key(), wanted.to_bytes());
        let object = bytes.get(..OBJECT_BYTES)?;
        let mut similar = None;
        // Entries of one key may begin in the block before the first whose key it is.
        let mut block = self
            .index
            .partition_point(|&first| first < key)
            .saturating_sub(1);
        while self.index.get(block).is_some_and(|&first| first <= key) {
            let mut room = [0; BLOCK_ENTRIES * ENTRY_BYTES];
            let entries = self.read(block, &mut room).ok()?;
            let entries = entries.chunks_exact(self.entry_bytes);
            let of_object = entries.filter(|entry| entry.starts_with(object));
            for entry in of_object.filter_map(Entry::from_bytes) {
                if entry.is_same(wanted) {
                    return Some(entry);
                }
                if entry.has_contents_of(wanted) {
                    similar = Some(entry);
                }
            }
            block += 1;
        }
        similar
    }

    /// All entries, in the order of their keys, until one cannot be read.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        (0..self.index.len()).flat_map(|block| {
            let mut room = [0; BLOCK_ENTRIES * ENTRY_BYTES];
            let bytes = self.read(block, &mut room).unwrap_or_default();
            let entries = bytes
                .chunks_exact(self.entry_bytes)
                .filter_map(Entry::from_bytes);
            entries.collect::<Vec<_>>()
        })
    }

    /// Reads the entries of a block.
    fn read<'r>(&self, block: usize, room: &'r mut [u8]) -> io::Result<&'r [u8]> {
        let first = block as u64 * BLOCK_ENTRIES as u64;
        let count = self.count.saturating_sub(first).min(BLOCK_ENTRIES as u64);
        let count = usize::try_from(count).unwrap_or(0);
        let bytes = self.entry_bytes;
        let room = room.get_mut(..count * bytes).unwrap_or_default();
        let at = HEAD_BYTES as u64 + first * bytes as u64;
        self.file.read_exact_at(room, at)?;
        Ok(room)
    }

    /// Writes entries that are sorted and of which no two are the same.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    fn write_sorted(entries: impl Iterator<Item = Entry>, file: &File) -> io::Result<()> {
        let (mut count, mut index) = (0u64, Vec::new());
        let mut into = BufWriter::new(file);
        into.write_all(&[0; HEAD_BYTES])?;
        for entry in entries {
            if count.is_multiple_of(BLOCK_ENTRIES as u64) {
                index.push(entry.key());
            }
            count += 1;
            into.write_all(&entry.to_bytes())?;
        }
        for key in index {
            into.write_all(&key.to_le_bytes())?;
        }
        into.flush()?;
        drop(into);
        // Last, so that what is not whole is no such file.
        file.write_all_at(&count.to_le_bytes(), 8)?;
        file.write_all_at(MAGIC, 0)
    }

    /// Writes entries in any order. Of an object in one state the last counts.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(mut entries: Vec<Entry>, file: &File) -> io::Result<()> {
        entries.reverse();
        entries.sort_by_key(Entry::order);
        entries.dedup_by(|later, kept| later.is_same(kept));
        Self::write_sorted(entries.into_iter(), file)
    }

    /// Writes the entries of several files that are not older than `oldest_day`. Of an object in one
    /// state the youngest counts.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn merge(files: &[Self], oldest_day: u32, file: &File) -> io::Result<()> {
        let mut sources: Vec<_> = files
            .iter()
            .map(|file| {
                file.entries()
                    .filter(|entry| entry.day >= oldest_day)
                    .peekable()
            })
            .collect();
        let merged = std::iter::from_fn(|| {
            let heads = sources
                .iter_mut()
                .filter_map(|source| source.peek().copied());
            let next = heads.min_by_key(|entry| (entry.order(), std::cmp::Reverse(entry.day)))?;
            for source in &mut sources {
                while source.next_if(|entry| entry.is_same(&next)).is_some() {}
            }
            Some(next)
        });
        Self::write_sorted(merged, file)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

const MAGIC: &[u8] = b"ESMADE02";

/// Of files that are only read.
const EARLIER_MAGIC: &[u8] = b"ESMADE01";

const HEAD_BYTES: usize = 16;

const ENTRY_BYTES: usize = 64;

const EARLIER_ENTRY_BYTES: usize = 56;

/// What the object takes of an entry, at its beginning.
const OBJECT_BYTES: usize = 32;

/// Entries of a block, which is read at once: 4 KB.
const BLOCK_ENTRIES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry {
            path: number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            device: 1,
            inode: number,
            born_ns: 5 * number,
            changed_ns: 7 * number,
            modified_ns: 6 * number,
            size: number % 10,
            is_doubtful: number.is_multiple_of(3),
            day: 20_000,
        }
    }

    fn file(entries: Vec<Entry>) -> MadeFile {
        let file = tempfile::tempfile().unwrap();
        MadeFile::write(entries, &file).unwrap();
        MadeFile::open(file).unwrap()
    }

    #[test]
    fn files_are_merged_without_what_is_too_old() {
        let old = |number| Entry {
            day: 10_000,
            ..entry(number)
        };
        let files = [
            file((1..=100).map(entry).collect()),
            file((50..=150).map(old).collect()),
            file(Vec::new()),
        ];
        for (oldest_day, count) in [(0, 150), (15_000, 100), (30_000, 0)] {
            let merged = tempfile::tempfile().unwrap();
            MadeFile::merge(&files, oldest_day, &merged).unwrap();
            let merged = MadeFile::open(merged).unwrap();
            assert_eq!(merged.len(), count);
            if count > 0 {
                assert_eq!(
                    merged.find(&entry(75)),
                    Some(entry(75)),
                    "the younger counts"
                );
            }
        }
    }

    #[test]
    fn every_entry_is_found_and_no_other() {
        for count in [0, 1, 63, 64, 65, 1000] {
            let file = file((1..=count).map(entry).collect());
            assert_eq!((file.len(), file.is_empty()), (count, count == 0));
            for number in 1..=count {
                assert_eq!(file.find(&entry(number)), Some(entry(number)));
            }
            assert_eq!(file.find(&entry(count + 1)), None);
            assert_eq!(file.entries().count() as u64, count);
        }
    }

    #[test]
    fn one_other_value_makes_it_another_object() {
        let file = file((1..=100).map(entry).collect());
        let known = entry(7);
        let others = [
            Entry { path: 1, ..known },
            Entry { device: 2, ..known },
            Entry { inode: 1, ..known },
            Entry {
                born_ns: 1,
                ..known
            },
            Entry {
                changed_ns: 1,
                modified_ns: 1,
                ..known
            },
            Entry {
                changed_ns: 1,
                size: 1,
                ..known
            },
        ];
        for other in others {
            assert_eq!(file.find(&other), None, "{other:?}");
        }
        let doubted = Entry {
            is_doubtful: true,
            day: 1,
            ..known
        };
        assert_eq!(
            file.find(&doubted),
            Some(known),
            "the state of the object counts"
        );
    }

    #[test]
    fn the_same_state_comes_before_the_same_contents() {
        let at = |changed_ns| Entry {
            changed_ns,
            ..entry(7)
        };
        let file = file(vec![at(10), entry(8), at(30)]);
        assert_eq!(file.find(&at(10)), Some(at(10)));
        assert_eq!(file.find(&at(30)), Some(at(30)));
        let similar = file.find(&at(20)).unwrap();
        assert!(!similar.is_same(&at(20)) && similar.modified_ns == entry(7).modified_ns);
        let unknown = Entry {
            modified_ns: 0,
            ..at(10)
        };
        let file = self::file(vec![unknown]);
        assert_eq!(
            file.find(&Entry {
                changed_ns: 11,
                ..unknown
            }),
            None
        );
    }

    #[test]
    fn files_of_the_earlier_version_are_read() {
        let mut bytes = [EARLIER_MAGIC, &2u64.to_le_bytes()].concat();
        let mut entries = [entry(1), entry(2)];
        entries.sort_by_key(Entry::order);
        for entry in entries {
            bytes.extend(&entry.to_bytes()[..EARLIER_ENTRY_BYTES]);
        }
        bytes.extend(entries[0].key().to_le_bytes());
        let mut written = tempfile::tempfile().unwrap();
        written.write_all(&bytes).unwrap();
        let file = MadeFile::open(written).unwrap();
        let without_time = |number| Entry {
            modified_ns: 0,
            ..entry(number)
        };
        for number in [1, 2] {
            assert_eq!(file.find(&entry(number)), Some(without_time(number)));
        }
        assert_eq!(file.find(&entry(3)), None);
        let merged = tempfile::tempfile().unwrap();
        MadeFile::merge(&[file], 0, &merged).unwrap();
        let merged = MadeFile::open(merged).unwrap();
        assert_eq!(merged.find(&entry(2)), Some(without_time(2)));
    }

    #[test]
    fn entries_of_one_key_are_all_found_and_the_last_of_two_counts() {
        let same_key = |number: u64| Entry {
            device: number,
            ..entry(9)
        };
        let mut entries: Vec<Entry> = (1..=300).map(same_key).collect();
        entries.push(Entry {
            day: 30_000,
            ..same_key(5)
        });
        let file = file(entries);
        assert_eq!(file.len(), 300);
        for number in 1..=300 {
            let day = if number == 5 { 30_000 } else { 20_000 };
            assert_eq!(
                file.find(&same_key(number)).map(|found| found.day),
                Some(day)
            );
        }
    }

    #[test]
    fn what_is_not_a_whole_file_is_not_read() {
        let written = tempfile::tempfile().unwrap();
        MadeFile::write((1..=70).map(entry).collect(), &written).unwrap();
        let mut whole = vec![0; usize::try_from(written.metadata().unwrap().len()).unwrap()];
        written.read_exact_at(&mut whole, 0).unwrap();
        for length in [0, 15, 16, 100, whole.len() - 1] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&whole[..length]).unwrap();
            assert!(MadeFile::open(file).is_err(), "{length} bytes");
        }
        whole[0] = b'X';
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&whole).unwrap();
        assert!(MadeFile::open(file).is_err());
    }
}
