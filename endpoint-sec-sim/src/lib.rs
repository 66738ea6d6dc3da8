//! A simulated Mac, for tests and benches of Endpoint Security clients off macOS.
//!
//! This crate defines the C functions of libEndpointSecurity, the audit token accessors and the
//! mach clock for every target that is not Apple's. A client that is built for macOS links and runs
//! here unchanged: it depends on `endpoint-sec-sys`, and its tests on this crate. On Apple's
//! targets this crate is empty.
//!
//! The functions act on a [`Machine`]. It has a release, processes, files, a clock and the
//! subsystem. A test builds one, [installs](Machine::install) it, lets processes perform operations
//! and reads the verdicts. Only one machine is installed at a time: tests of one process take
//! turns.
//!
//! # What is simulated
//!
//! - A message is in every queue before the operation returns, and is delivered later, one at a
//!   time, on a thread of the library's own.
//! - A message is as long as its version makes it, with each object in its own allocation. Under
//!   Miri, reading a field that the version lacks fails the test.
//! - Retains and answers are counted. Answering twice, with the wrong function, too late or for
//!   another client returns the code of the real library.
//! - Deadlines pass when the test [moves the clock](Machine::advance). A client that misses one is
//!   killed; from 27.0 on it may choose a denial or an allowance instead.
//! - A full queue loses messages and leaves gaps in the sequence numbers.
//! - Muting has three dimensions with inversion, a default set, and votes of instigators.
//! - Results are cached for all clients, for the event types and by the keys of the headers.
//! - A client gets an error for each missing right. Descendants clients see their own subtree.
//!
//! An error of a client is a [`Defect`]: a leak, a release too many, deleting a client in its own
//! handler, subscribing to a type that panics the kernel. A defect that was not
//! [acknowledged](Machine::acknowledge) fails the test when the machine is dropped.
//!
//! # What is assumed
//!
//! Apple does not document the following, and it was not measured on a Mac. The order of the checks
//! at client creation is entitlement, root, Full Disk Access, number of clients. One denial among
//! several answers denies, and a result is cached only if all clients that were asked want it. A
//! request that a client leaves unanswered when it dies or is deleted is allowed. A deadline of a
//! NOTIFY message is 0. Sequences begin at 0, and muted messages leave no gaps. A muted process is
//! not muted after its exec. Numbers without documentation are settings of [`MachineBuilder`].
//!
//! # What is left out
//!
//! The early-boot protocol, the exported functions without a header, and entitlements other than
//! true. The address of a freed message may be reused, so that an answer to the old message may
//! reach the new one; Miri finds such a pointer, this crate does not always.
//!
//! # Example
//!
//! A client in the style of C, which protects one file:
//!
//! ```
//! # #[cfg(not(target_vendor = "apple"))] {
//! use endpoint_sec_sim::release::MACOS_15;
//! use endpoint_sec_sim::{File, Machine};
//! use endpoint_sec_sys::block::{
//!     BLOCK_IS_GLOBAL, BlockDescriptor, BlockHeader, es_handler_block_s, es_handler_invoke_t,
//!     global_block_class,
//! };
//! use endpoint_sec_sys::*;
//!
//! unsafe extern "C" fn handle(
//!     _block: *mut es_handler_block_s,
//!     client: *mut es_client_t,
//!     message: *const es_message_t,
//! ) {
//!     // SAFETY: the message lives during the call and is about an unlink.
//!     let path = unsafe { (*(*message).event.unlink.target).path };
//!     // SAFETY: the path lives as long as the message.
//!     let path = unsafe { std::slice::from_raw_parts(path.data.cast::<u8>(), path.length) };
//!     let answer = if path == b"/Users/ann/thesis.tex" {
//!         es_auth_result_t::ES_AUTH_RESULT_DENY
//!     } else {
//!         es_auth_result_t::ES_AUTH_RESULT_ALLOW
//!     };
//!     // SAFETY: the client and its message live.
//!     unsafe { es_respond_auth_result(client, message, answer, false) };
//! }
//!
//! let machine = Machine::new(MACOS_15).install();
//! machine.create(File::regular("/Users/ann/thesis.tex").owned_by(501, 20));
//!
//! let descriptor = BlockDescriptor { reserved: 0, size: 32, copy: None, dispose: None };
//! let mut block: BlockHeader<es_handler_invoke_t> = BlockHeader {
//!     isa: global_block_class(),
//!     flags: BLOCK_IS_GLOBAL,
//!     reserved: 0,
//!     invoke: handle,
//!     descriptor: &raw const descriptor,
//! };
//! let mut client = std::ptr::null_mut();
//! let events = [es_event_type_t::ES_EVENT_TYPE_AUTH_UNLINK];
//! // SAFETY: the block is of the handler's type and outlives the client.
//! let made = unsafe { es_new_client(&raw mut client, (&raw mut block).cast()) };
//! assert_eq!(made, es_new_client_result_t::ES_NEW_CLIENT_RESULT_SUCCESS);
//! // SAFETY: the client lives, and the array has one item.
//! unsafe { es_subscribe(client, events.as_ptr(), 1) };
//!
//! let shell = machine.process("/bin/zsh").user(501).start();
//! let rm = machine.fork(&shell);
//! let (rm, _) = machine.exec(&rm, "/bin/rm").args(["rm", "-rf", "."]).run();
//! assert!(!machine.unlink(&rm, "/Users/ann/thesis.tex").allowed());
//! assert!(machine.unlink(&rm, "/Users/ann/thesis.aux").allowed());
//! assert!(machine.exists("/Users/ann/thesis.tex"));
//!
//! // SAFETY: created by this thread, and used by nothing else.
//! unsafe { es_delete_client(client) };
//! # }
//! ```

#![cfg(not(target_vendor = "apple"))]

mod abi;
mod action;
mod attempt;
mod cache;
mod clock;
mod events;
mod file;
mod machine;
mod memory;
mod mute;
mod payload;
mod process;
pub mod release;
mod report;
mod sample;
mod scenario;
mod verdict;

pub use abi::answers::last_answer;
pub use action::Action;
pub use attempt::Attempt;
pub use clock::Timebase;
pub use endpoint_sec_sys::OsVersion;
pub use file::{File, FileType};
pub use machine::operations::Exec;
pub use machine::{Installed, Machine, MachineBuilder, ProcessBuilder};
pub use memory::{Arena, no_string};
pub use process::Process;
pub use report::{Defect, Report};
pub use scenario::{Played, ReadScenarioError, Scenario, UnknownProcessError};
pub use verdict::Verdict;
