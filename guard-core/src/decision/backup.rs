//! Names of backups and of rotated files: a file's name with a suffix, a number or a date.

use crate::path::parent;
use crate::process::basename;

/// Whether a rename of one name over the other is a rotation or a backup: in one directory, and the
/// names differ only by a number or a backup's suffix.
pub(super) fn is_rotation(from: &[u8], to: &[u8]) -> bool {
    if parent(from) != parent(to) {
        return false;
    }
    let (from, to) = (basename(from), basename(to));
    from != to && stem(from) == stem(to)
}

/// A name without the suffixes that rotations and backups add to it.
pub(super) fn stem(name: &[u8]) -> &[u8] {
    let name = COMPRESSED
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .unwrap_or(name);
    let name = BACKUPS
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .unwrap_or(name);
    let digits = name
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (plain, number) = name.split_at(name.len() - digits);
    match plain.strip_suffix(b".") {
        Some(stem) if !number.is_empty() && !stem.is_empty() => stem,
        _ => without_date(name),
    }
}

/// The suffixes by which a file is a backup of the one beside it.
pub fn backup_suffixes() -> impl Iterator<Item = &'static [u8]> {
    BACKUPS.iter().copied()
}

/// `app.log.2026-11-26_00-59-01` without its date: eight digits or more with their separators.
fn without_date(name: &[u8]) -> &[u8] {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"-_:T".contains(byte);
    let length = name.iter().rev().take_while(|byte| is_part(byte)).count();
    let (plain, date) = name.split_at(name.len() - length);
    let digits = date.iter().filter(|byte| byte.is_ascii_digit()).count();
    match plain.strip_suffix(b".") {
        Some(stem) if digits >= 8 && !stem.is_empty() => stem,
        _ => name,
    }
}

const COMPRESSED: &[&[u8]] = &[b".gz", b".bz2", b".xz", b".zst"];

const BACKUPS: &[&[u8]] = &[
    b"~", b".bak", b".bk", b".orig", b".old", b".save", b".backup", b".prev",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_and_backups_differ_by_a_number_or_a_suffix() {
        for (from, to, rotation) in [
            ("/z/app.log.1", "/z/app.log.2", true),
            ("/z/app.log", "/z/app.log.1", true),
            ("/z/app.log.1.gz", "/z/app.log.2.gz", true),
            ("/z/f", "/z/f~", true),
            ("/z/f.bak", "/z/f", true),
            ("/z/app.log", "/z/app.log.2026-11-26_00-59-01", true),
            ("/z/app.log", "/z/app.log.2026-11", false),
            ("/z/p1.jpg", "/z/p2.jpg", false),
            ("/z/Screen 1.mov", "/z/rec_.mov", false),
            ("/z/notes", "/z/notes.md", false),
            ("/z/d/f", "/z/e/f~", false),
            ("/z/1", "/z/2", false),
            ("/z/.1", "/z/.2", false),
            ("/z/f", "/z/f", false),
        ] {
            assert_eq!(
                is_rotation(from.as_bytes(), to.as_bytes()),
                rotation,
                "{from} {to}"
            );
        }
    }
}
