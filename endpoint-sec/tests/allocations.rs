//! What handling a message allocates: nothing for one that the handler answers, one share and its
//! place in a list for one that is kept.

#![cfg(not(target_vendor = "apple"))]
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "all of an integration test is test"
)]

mod support;

use endpoint_sec::{Answer, Event, EventType, KeptAuth, Message};
use endpoint_sec_sim::Machine;
use endpoint_sec_sys as sys;
use endpoint_sec_sys::block::{
    BlockDescriptor, BlockHeader, es_handler_block_s, stack_block_class,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::{machine_of, started};

/// Counts what a thread allocates while it is switched on.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator with the caller's own promises.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_message_that_the_handler_answers_allocates_nothing() {
    let machine = machine_of(11);
    let most = Arc::new(AtomicUsize::new(0));
    let noted = Arc::clone(&most);
    let client = started(move |message: Message<'_>| {
        let before = ALLOCATIONS.get();
        let view = message.view();
        let length = match view.event() {
            Event::Unlink(unlink) => unlink.target().path().len(),
            other => panic!("{other:?}"),
        };
        assert!(length > 0 && view.process().executable().path().len() > 1);
        message.answer(Answer::Allow).unwrap();
        noted.fetch_max(ALLOCATIONS.get() - before, Ordering::Relaxed);
    });
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let rm = machine.process("/bin/rm").start();
    for _ in 0..10 {
        assert!(machine.unlink(&rm, "/a").allowed());
    }
    machine.settle();
    assert_eq!(client.statistics().panics, 0);
    drop(client);
    // The simulator allocates to take an answer; a C client shows how much.
    let machines_own = allocations_of_a_c_client(&machine);
    assert_eq!(most.load(Ordering::Relaxed), machines_own);
}

/// What `es_respond_auth_result` allocates on the simulated machine.
fn allocations_of_a_c_client(machine: &Machine) -> usize {
    static TAKEN: AtomicUsize = AtomicUsize::new(usize::MAX);
    static DESCRIPTOR: BlockDescriptor = BlockDescriptor {
        reserved: 0,
        size: size_of::<es_handler_block_s>(),
        copy: None,
        dispose: None,
    };

    unsafe extern "C" fn answer(
        _block: *mut es_handler_block_s,
        client: *mut sys::es_client_t,
        message: *const sys::es_message_t,
    ) {
        let before = ALLOCATIONS.get();
        let allow = sys::es_auth_result_t::ES_AUTH_RESULT_ALLOW;
        // SAFETY: client and message are those that the handler was called with.
        let result = unsafe { sys::es_respond_auth_result(client, message, allow, false) };
        assert_eq!(result, sys::es_respond_result_t::ES_RESPOND_RESULT_SUCCESS);
        TAKEN.store(ALLOCATIONS.get() - before, Ordering::Relaxed);
    }

    let mut block = es_handler_block_s(BlockHeader {
        isa: stack_block_class(),
        flags: 0,
        reserved: 0,
        invoke: answer,
        descriptor: &raw const DESCRIPTOR,
    });
    let mut client = std::ptr::null_mut();
    // SAFETY: `client` is a local, and the block a complete one that captures nothing.
    let result = unsafe { sys::es_new_client(&raw mut client, &raw mut block) };
    assert_eq!(
        result,
        sys::es_new_client_result_t::ES_NEW_CLIENT_RESULT_SUCCESS
    );
    let unlink = sys::es_event_type_t::ES_EVENT_TYPE_AUTH_UNLINK;
    // SAFETY: the client was just made, and there is one event type.
    let result = unsafe { sys::es_subscribe(client, &raw const unlink, 1) };
    assert_eq!(result, sys::es_return_t::ES_RETURN_SUCCESS);
    assert!(machine.unlink(machine.launchd(), "/a").allowed());
    machine.settle();
    // SAFETY: the client is deleted once, on the thread that made it.
    let result = unsafe { sys::es_delete_client(client) };
    assert_eq!(result, sys::es_return_t::ES_RETURN_SUCCESS);
    TAKEN.load(Ordering::Relaxed)
}

#[test]
fn keeping_a_message_allocates_once_when_the_list_has_room() {
    let machine = machine_of(11);
    let kept: Arc<Mutex<Vec<KeptAuth>>> = Arc::new(Mutex::new(Vec::with_capacity(8)));
    let last = Arc::new(AtomicUsize::new(0));
    let (keeper, noted) = (Arc::clone(&kept), Arc::clone(&last));
    let client = started(move |message: Message<'_>| {
        let Message::Auth(message) = message else {
            panic!("{message:?}");
        };
        let mut kept = keeper.lock().unwrap();
        let before = ALLOCATIONS.get();
        kept.push(message.keep());
        noted.store(ALLOCATIONS.get() - before, Ordering::Relaxed);
    });
    let _subscribed = client.subscribe(&[EventType::AUTH_UNLINK]).unwrap();
    let rm = machine.process("/bin/rm").start();
    let attempts: Vec<_> = (0..2).map(|_| machine.unlink(&rm, "/a")).collect();
    machine.settle();
    assert_eq!(last.load(Ordering::Relaxed), 1);
    for message in kept.lock().unwrap().drain(..) {
        message.allow().unwrap();
    }
    assert!(attempts.iter().all(|attempt| attempt.allowed()));
}
