//! The version gates of all views, compared with the headers.

use crate::event::{
    AuthenticationAutoUnlock, AuthenticationOd, AuthenticationToken, AuthenticationTouchId,
    AuthorizationResult, BtmLaunchItem, CodeRequirement, Event, OdMember, OdMembers, Profile,
    SignedFileInfo, SudoRejectInfo,
};
use crate::file::{File, Stat, StatFs};
use crate::message::{MessageView, Outcome};
use crate::process::{Descriptor, Process, Thread, ThreadState};
use crate::raw::declare::Gates;
use endpoint_sec_sys::layout::STRUCTS;
use std::collections::BTreeSet;

/// The views that are not those of events.
const OTHERS: [Gates; 21] = [
    MessageView::GATES,
    Outcome::GATES,
    Process::GATES,
    Thread::GATES,
    ThreadState::GATES,
    Descriptor::GATES,
    File::GATES,
    Stat::GATES,
    StatFs::GATES,
    OdMember::GATES,
    OdMembers::GATES,
    AuthenticationAutoUnlock::GATES,
    AuthenticationOd::GATES,
    AuthenticationToken::GATES,
    AuthenticationTouchId::GATES,
    AuthorizationResult::GATES,
    BtmLaunchItem::GATES,
    CodeRequirement::GATES,
    Profile::GATES,
    SignedFileInfo::GATES,
    SudoRejectInfo::GATES,
];

#[test]
fn gates_are_those_of_the_headers() {
    let declared: BTreeSet<(&str, &str, u32)> = Event::GATES
        .iter()
        .chain(&OTHERS)
        .flat_map(|gates| {
            let fields = gates.fields.iter().flatten();
            fields.map(|(path, version)| (gates.c_struct, *path, *version))
        })
        .collect();
    let expected: BTreeSet<(&str, &str, u32)> = STRUCTS
        .iter()
        .flat_map(|layout| {
            let fields = layout.fields.iter();
            fields.filter_map(|field| {
                let version = field.since_message_version?;
                Some((layout.name, field.path, version))
            })
        })
        .collect();
    assert_eq!(declared, expected);
    assert_eq!((expected.len(), Event::GATES.len()), (55, 106));
}
