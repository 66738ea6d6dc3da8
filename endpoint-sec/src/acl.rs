//! Entries of access control lists, out of the list's external form.
//!
//! `acl_copy_ext` writes it as sys/kauth.h lays it out, in network byte order:
//!
//! ```text
//! 0 magic   4 owner (16)   20 group (16)   36 number of entries   40 flags
//! 44 + 24 n   applicable (16), kind and flags (4), rights (4)
//! ```

/// One entry of an [`Acl`](crate::Acl).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclEntry {
    /// Whom it is about: the UUID of a user or a group.
    pub applicable: [u8; 16],
    /// What it does.
    pub kind: AclKind,
    /// How it is inherited: `acl_flag_t` of sys/acl.h.
    pub flags: u32,
    /// What it is about: `acl_perm_t` of sys/acl.h.
    pub rights: u32,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AclKind {
    /// It grants the rights.
    Permit,
    /// It denies them.
    Deny,
    /// Another, by its number.
    Other(u32),
}

/// The entries in a list's external form; `None` when it is another form.
pub(crate) fn entries_of(form: &[u8]) -> Option<Vec<AclEntry>> {
    let mut rest = form;
    if number(&mut rest)? != MAGIC {
        return None;
    }
    rest = rest.get(2 * UUID..)?;
    let count = match number(&mut rest)? {
        NO_LIST => 0,
        count => count,
    };
    number(&mut rest)?;
    (0..count).map(|_| entry(&mut rest)).collect()
}

fn entry(rest: &mut &[u8]) -> Option<AclEntry> {
    let (applicable, after) = rest.split_first_chunk::<UUID>()?;
    *rest = after;
    let flags = number(rest)?;
    Some(AclEntry {
        applicable: *applicable,
        kind: match flags & KIND {
            1 => AclKind::Permit,
            2 => AclKind::Deny,
            other => AclKind::Other(other),
        },
        flags: flags & !KIND,
        rights: number(rest)?,
    })
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*bytes))
}

/// `KAUTH_FILESEC_MAGIC`, `KAUTH_FILESEC_NOACL`, `KAUTH_ACE_KINDMASK`: sys/kauth.h.
const MAGIC: u32 = 0x012c_c16d;
const NO_LIST: u32 = u32::MAX;
const KIND: u32 = 0xf;
const UUID: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn form(count: u32, entries: &[[u32; 2]]) -> Vec<u8> {
        let mut form = MAGIC.to_be_bytes().to_vec();
        form.extend([0; 2 * UUID]);
        form.extend(count.to_be_bytes());
        form.extend([0; 4]);
        for [flags, rights] in entries {
            form.extend([7; UUID]);
            form.extend(flags.to_be_bytes());
            form.extend(rights.to_be_bytes());
        }
        form
    }

    #[test]
    fn entries_are_read_and_other_forms_are_not() {
        let read = entries_of(&form(2, &[[0x21, 0x10], [2, 4]])).unwrap();
        assert_eq!(
            (read[0].kind, read[0].flags, read[0].rights),
            (AclKind::Permit, 0x20, 0x10)
        );
        assert_eq!(read[0].applicable, [7; UUID]);
        assert_eq!((read[1].kind, read[1].rights), (AclKind::Deny, 4));
        assert_eq!(entries_of(&form(0, &[])), Some(vec![]));
        assert_eq!(entries_of(&form(NO_LIST, &[])), Some(vec![]));
        assert_eq!(
            entries_of(&form(3, &[[1, 1]])),
            None,
            "shorter than it says"
        );
        assert_eq!(entries_of(&form(0, &[])[1..]), None);
        assert_eq!(entries_of(b""), None);
    }
}
