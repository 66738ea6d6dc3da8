//! The delivery of a message: counted, watched, handled, settled.

use crate::client::core::{Core, panic_message};
use crate::client::report::Report;
use crate::client::sequence::{Gap, Sequence};
use crate::message::{Message, MessageView};
use crate::raw::block::Deliver;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, TryLockError};

/// A client's handler, as the library calls it.
pub(crate) struct Delivery<F> {
    core: Arc<Core>,
    /// The library calls one message after the other; the lock is there in case it does not.
    serial: Mutex<Serial<F>>,
}

/// What only the handler's thread uses.
struct Serial<F> {
    sequence: Sequence,
    handler: F,
}

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is running a handler of any client.
pub(crate) fn in_handler() -> bool {
    IN_HANDLER.get()
}

// === impl Delivery ===

impl<F: FnMut(Message<'_>) + Send + 'static> Delivery<F> {
    pub(crate) fn new(core: Arc<Core>, handler: F) -> Self {
        let sequence = Sequence::new();
        let serial = Mutex::new(Serial { sequence, handler });
        Self { core, serial }
    }

    /// Runs the handler, and survives its panic.
    fn handle(&self, handler: &mut F, message: MessageView<'_>) {
        // Whatever the handler's state is after a panic, the next message needs an answer too.
        let handled = catch_unwind(AssertUnwindSafe(|| {
            handler(Message::delivered(message, &self.core));
        }));
        if let Err(panic) = handled {
            self.core.counters.panics.add(1);
            self.core.report(Report::HandlerPanicked {
                event: message.event_type(),
                panic: panic_message(&*panic),
            });
            // What was thrown may itself panic when it is dropped.
            drop(catch_unwind(AssertUnwindSafe(|| drop(panic))));
        }
    }

    fn account(&self, gap: Gap, message: MessageView<'_>) {
        let Gap { of_type, global } = gap;
        self.core.counters.dropped.add(global);
        if of_type > 0 {
            let event = message.event_type();
            self.core.drops.add(event, of_type);
            let count = of_type;
            self.core.report(Report::Dropped { event, count });
        }
    }
}

impl<F: FnMut(Message<'_>) + Send + 'static> Deliver for Delivery<F> {
    fn deliver(&self, message: MessageView<'_>) {
        let core = &*self.core;
        let mut serial = match self.serial.try_lock() {
            Ok(serial) => serial,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let event = message.event_type();
                if message.is_auth() {
                    core.default(message);
                }
                core.report(Report::Overlapped { event });
                return;
            }
        };
        let outer = IN_HANDLER.replace(true);
        core.counters.delivered.add(1);
        let gap = serial.sequence.account(message);
        if gap != Gap::default() {
            self.account(gap, message);
        }
        let handler = &mut serial.handler;
        if message.is_auth() {
            let due = core.due(message.deadline());
            let ((), left) = core.current.watch(message, due, || {
                core.alarm.armed(due);
                self.handle(handler, message);
            });
            // The handler forgot it (`mem::forget`), so that nothing else can answer.
            if left {
                core.unanswered(message);
            }
        } else {
            self.handle(handler, message);
        }
        IN_HANDLER.set(outer);
    }
}
