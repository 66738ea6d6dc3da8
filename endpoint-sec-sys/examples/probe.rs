//! Asks whether this program may be an Endpoint Security client, and what this system has.
//!
//! Makes a client, subscribes it to nothing and deletes it at once; then prints the library's
//! answer, and which functions newer than macOS 11.0 are there. Elsewhere there is nothing to ask.

#![allow(clippy::print_stdout, reason = "it is what the example is for")]

#[cfg(target_vendor = "apple")]
fn main() {
    use endpoint_sec_sys::block::{
        BLOCK_IS_GLOBAL, Block, BlockDescriptor, BlockHeader, es_handler_block_s,
        es_handler_invoke_t, global_block_class,
    };
    use endpoint_sec_sys::{
        es_client_t, es_delete_client, es_message_t, es_new_client, es_new_client_result_t, newer,
        os_version,
    };
    use std::ptr;

    unsafe extern "C" fn ignore(
        _: *mut es_handler_block_s,
        _: *mut es_client_t,
        _: *const es_message_t,
    ) {
    }

    println!("macOS {}", os_version());
    println!(
        "mutes paths for some events: {}",
        newer::es_mute_path_events().is_some()
    );
    println!("inverts muting: {}", newer::es_invert_muting().is_some());
    println!(
        "survives missed deadlines: {}",
        newer::es_set_deadline_miss_mode().is_some()
    );

    let descriptor = BlockDescriptor {
        reserved: 0,
        size: size_of::<Block<es_handler_invoke_t, ()>>(),
        copy: None,
        dispose: None,
    };
    let mut handler = Block {
        header: BlockHeader {
            isa: global_block_class(),
            flags: BLOCK_IS_GLOBAL,
            reserved: 0,
            invoke: ignore as es_handler_invoke_t,
            descriptor: &raw const descriptor,
        },
        captures: (),
    };
    let mut client = ptr::null_mut();
    // SAFETY: the out pointer is valid. The block is of the global class, so the library uses it
    // in place: it and its descriptor outlive the client, which is deleted below.
    let result = unsafe { es_new_client(&raw mut client, (&raw mut handler).cast()) };
    println!("{result:?}");
    if result == es_new_client_result_t::ES_NEW_CLIENT_RESULT_SUCCESS {
        // SAFETY: the client was made by this thread just now, and nothing else uses it.
        let result = unsafe { es_delete_client(client) };
        println!("{result:?}");
    }
}

#[cfg(not(target_vendor = "apple"))]
fn main() {
    println!("Endpoint Security is a part of macOS");
}
