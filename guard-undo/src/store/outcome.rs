//! What an event says of preserving.

use super::PreserveError;
use super::recorder::Preserved;
use guard_core::event::{Preservation, PreservationMethod, PreservationOutcome, UnpreservedCause};

/// What an event says of an object of `bytes` bytes that was, or was to be, preserved; `None` if
/// nothing had to be. `bytes_after` is the length that the operation leaves, where it gives one.
#[must_use]
pub fn event_of(
    preserved: Result<Preserved, &PreserveError>,
    bytes: u64,
    bytes_after: Option<u64>,
    duration_ns: u64,
) -> Option<Preservation> {
    let (outcome, bytes) = match preserved {
        Ok(Preserved::NotNeeded) => return None,
        Ok(Preserved::Recorded) => (
            PreservationOutcome::Preserved(PreservationMethod::Record),
            0,
        ),
        Ok(Preserved::Kept { method, size, .. }) => {
            (PreservationOutcome::Preserved(method.in_events()), size)
        }
        Err(error) => (
            PreservationOutcome::Unpreserved(UnpreservedCause::from_name(error.cause())),
            bytes,
        ),
    };
    Some(Preservation {
        outcome,
        bytes,
        bytes_after,
        duration_ns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Method;

    #[test]
    fn names_of_methods_are_those_of_events() {
        for method in [
            Method::Hardlink,
            Method::Rename,
            Method::Reflink,
            Method::Copy,
        ] {
            assert_eq!(method.in_events().as_str(), method.as_str());
            let in_journal = serde_json::to_value(method).unwrap();
            assert_eq!(in_journal, method.as_str());
        }
    }

    #[test]
    fn what_need_not_be_preserved_is_no_event() {
        assert_eq!(event_of(Ok(Preserved::NotNeeded), 5, None, 1), None);
        let kept = Preserved::Kept {
            id: 1,
            method: Method::Copy,
            size: 7,
        };
        let event = event_of(Ok(kept), 5, Some(0), 1).unwrap();
        assert_eq!(event.method(), Some(PreservationMethod::Copy));
        assert_eq!((event.bytes, event.bytes_after), (7, Some(0)));
        let error = PreserveError::TooLarge { size: 5, limit: 1 };
        let event = event_of(Err(&error), 5, None, 1).unwrap();
        assert_eq!(event.cause(), Some(UnpreservedCause::TooLarge));
        assert_eq!(event.bytes, 5);
    }
}
