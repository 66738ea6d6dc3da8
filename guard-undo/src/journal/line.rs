//! Records as checked lines.

use super::Record;

/// What a journal's bytes say.
#[derive(Debug, Default)]
pub struct Reading {
    /// The records whose checksum holds, in their order.
    pub records: Vec<Record>,
    /// How many bytes from the start are whole lines; what follows was cut off.
    pub whole_bytes: u64,
    /// Lines that were skipped: cut, damaged, or of a later version.
    pub skipped: usize,
}

/// Appends one record as a line.
///
/// # Errors
///
/// When the record cannot be written as JSON, which no record of this crate is.
pub fn append(record: &Record, into: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let start = into.len();
    into.extend_from_slice(b"00000000 ");
    let json = into.len();
    serde_json::to_writer(&mut *into, record)?;
    let sum = checksum(into.get(json..).unwrap_or_default());
    let digits = format!("{sum:08x}");
    if let Some(place) = into.get_mut(start..start + digits.len()) {
        place.copy_from_slice(digits.as_bytes());
    }
    into.push(b'\n');
    Ok(())
}

/// Reads a journal's bytes.
#[must_use]
pub fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let Some(whole) = line.strip_suffix(b"\n") else {
            reading.skipped += 1;
            continue;
        };
        reading.whole_bytes += u64::try_from(line.len()).unwrap_or(0);
        match parse(whole) {
            Some(record) => reading.records.push(record),
            None if whole.is_empty() => {}
            None => reading.skipped += 1,
        }
    }
    reading
}

fn parse(line: &[u8]) -> Option<Record> {
    let (digits, rest) = line.split_first_chunk::<8>()?;
    let json = rest.strip_prefix(b" ")?;
    let sum = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    if sum != checksum(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// CRC-32 (ISO 3309, as in gzip and zip).
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, &byte: &u8| {
        let index = usize::from(sum.to_le_bytes().first().map_or(0, |low| low ^ byte));
        (sum >> 8) ^ TABLE.get(index).copied().unwrap_or(0)
    };
    !bytes.iter().fold(!0, step)
}

const TABLE: [u32; 256] = table();

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xEDB8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{BytePath, Event, Facts, Kept, Loss, Method};

    fn records() -> Vec<Record> {
        let loss = Loss {
            path: BytePath::from(&b"/z/\xff"[..]),
            agent: Some("codex".into()),
            kept: Kept::Object {
                id: 3,
                method: Method::Reflink,
            },
            facts: Facts {
                mode: 0o100_644,
                size: u64::MAX,
                mtime_ns: u64::MAX,
                ..Facts::default()
            },
            own: true,
        };
        let moved = Event::Renamed {
            from: BytePath::from(&b"a"[..]),
            to: BytePath::from(&b"b"[..]),
            exchange: true,
            inode: 1,
        };
        [
            Event::Removed(loss),
            moved,
            Event::Withdrawn { object: 9 },
            Event::Ended,
        ]
        .into_iter()
        .zip(1..)
        .map(|(event, at_ns)| Record { at_ns, event })
        .collect()
    }

    fn text(records: &[Record]) -> Vec<u8> {
        let mut text = Vec::new();
        for record in records {
            append(record, &mut text).unwrap();
        }
        text
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_journal_cut_anywhere_is_read_up_to_there() {
        let records = records();
        let text = text(&records);
        for length in 0..=text.len() {
            let cut = &text[..length];
            let whole = cut.iter().filter(|&&byte| byte == b'\n').count();
            let reading = read(cut);
            assert_eq!(reading.records, records[..whole], "cut at {length}");
            assert!(reading.whole_bytes <= u64::try_from(length).unwrap());
        }
    }

    #[test]
    fn a_damaged_line_is_skipped_and_the_rest_read() {
        let records = records();
        let clean = text(&records);
        for at in 0..clean.len() {
            let mut text = clean.clone();
            text[at] ^= 0x04;
            let reading = read(&text);
            assert!(
                reading.records.len() >= records.len() - 2,
                "damaged at {at}"
            );
            assert!(
                reading
                    .records
                    .iter()
                    .all(|record| records.contains(record))
            );
        }
    }
}
