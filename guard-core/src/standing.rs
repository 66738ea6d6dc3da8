//! Whose an object is, what earlier sessions wrote down of it, and what its place is.

use crate::file::FileFacts;

/// Whose the object at a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known, so that it may be anybody's.
    Unknown,
    /// An agent made it.
    Own(Proof),
    /// Somebody else's object was moved to this name.
    Nobodys,
    /// It is a directory, and the agents moved what was not their own out of it.
    Emptied,
}

/// Why an object is known to be an agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A backend saw an agent's process make it in this session.
    Seen,
    /// As [`Seen`](Self::Seen), but it was changed since, and the backend did not see by whom.
    Changed,
    /// A record of an earlier session, all of which still holds.
    Recorded,
    /// One of these, but somebody else may have made or changed it, and moving it or writing it down
    /// did not make that better.
    Doubtful,
}

/// What earlier sessions wrote down of the objects that agents made.
pub trait Records: Send + Sync + std::fmt::Debug {
    /// The record of this object at this path, if what it says still holds: the path, the identity, the
    /// birth time; for all but directories also the size and the time of the last change. Where only
    /// the latter is another, but not the time of the last change of the contents, the record is
    /// doubtful: anybody may have changed the mode, or changed the contents and set that time.
    fn find(&self, path: &[u8], found: &FileFacts) -> Option<Record>;
}

/// A record of an object that an agent made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whether somebody else may have changed the object before it was written down, or since.
    pub is_doubtful: bool,
}

/// What is asked of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceQuery {
    /// Whether it is made again. No repository is asked.
    MadeAgain,
    /// Also whether it is an output: then the index of the repository around it is read.
    OrOutput,
}

/// What a directory is, or a file with an output's name: see [`places`](crate::places).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Anything.
    #[default]
    Unproven,
    /// Named like an output, and version control has nothing of it.
    Output,
    /// Made again by a tool.
    MadeAgain,
}
