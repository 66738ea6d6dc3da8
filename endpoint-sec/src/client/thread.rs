//! The client's own thread: it makes the client, watches deadlines, and deletes the client.
//!
//! Up to macOS 26 a client must be deleted on the thread that made it (ESClient.h). Between the two
//! the thread is the deadline watchdog.

use crate::client::core::Core;
use crate::client::deliver::Delivery;
use crate::client::report::Report;
use crate::error::StartError;
use crate::message::Message;
use crate::raw::block::{self, ClientKind};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

/// Starts the thread, and returns once there is a client, or none.
pub(crate) fn start<F>(
    kind: ClientKind,
    core: &Arc<Core>,
    handler: F,
) -> Result<JoinHandle<()>, StartError>
where
    F: FnMut(Message<'_>) + Send + 'static,
{
    let (started, wait) = mpsc::sync_channel(1);
    let body = {
        let core = Arc::clone(core);
        move || {
            core.alarm.own();
            let delivery = Arc::new(Delivery::new(Arc::clone(&core), handler));
            let result = block::new_client(kind, &delivery, &core.connection);
            // From here on the library alone decides how long the handler lives.
            drop(delivery);
            let is_started = result.is_ok();
            if started.send(result).is_ok() && is_started {
                watch(&core);
            }
            close(&core);
        }
    };
    let thread = thread::Builder::new()
        .name("es-client".to_owned())
        .spawn(body)
        .map_err(StartError::Thread)?;
    match wait.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(error)) => Err(error),
        // The thread ended without a word, which only a panic could make it do.
        Err(mpsc::RecvError) => Err(StartError::Internal),
    }
}

/// Answers what is due until the client is to be closed.
fn watch(core: &Core) {
    while !core.alarm.is_stopped() {
        core.answer_due(core.clock.now());
        core.alarm.sleep(
            core.next_due(),
            || core.next_due(),
            |next| core.clock.until(next),
        );
    }
}

/// Deletes the client. Nothing is left that waits for its answer.
fn close(core: &Core) {
    if !core.connection.is_open() {
        return;
    }
    // If this fails, deleting the client ends the messages all the same.
    let _unsubscribed = core.connection.unsubscribe_all();
    core.answer_all();
    if !block::delete_client(&core.connection) {
        core.report(Report::DeleteFailed);
    }
}
