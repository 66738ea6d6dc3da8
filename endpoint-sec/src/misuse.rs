//! What must not compile. Each example is one that another API would let through.
//!
//! A message does not outlive the handler unless it is kept:
//!
//! ```compile_fail,E0521
//! use endpoint_sec::{Client, Message};
//!
//! let (send, _receive) = std::sync::mpsc::channel::<Message<'static>>();
//! let _client = Client::builder().start(move |message| drop(send.send(message)));
//! ```
//!
//! Nor does anything read from it:
//!
//! ```compile_fail,E0521
//! use endpoint_sec::{Client, Message};
//!
//! let mut last: &'static [u8] = b"";
//! let _client = Client::builder().start(move |message: Message<'_>| {
//!     last = message.view().process().executable().path();
//! });
//! ```
//!
//! What is read from a kept message does not outlive that:
//!
//! ```compile_fail,E0505
//! use endpoint_sec::KeptAuth;
//!
//! fn late(message: KeptAuth) -> usize {
//!     let path = message.view().process().executable().path();
//!     drop(message);
//!     path.len()
//! }
//! ```
//!
//! Answering uses a message up, once:
//!
//! ```compile_fail,E0382
//! use endpoint_sec::AuthMessage;
//!
//! fn twice(message: AuthMessage<'_>) {
//!     let _first = message.allow();
//!     let _second = message.deny();
//! }
//! ```
//!
//! A kept one too:
//!
//! ```compile_fail,E0382
//! use endpoint_sec::KeptAuth;
//!
//! fn twice(message: KeptAuth) {
//!     let _first = message.allow();
//!     let _second = message.deny();
//! }
//! ```
//!
//! The right to answer cannot be copied:
//!
//! ```compile_fail,E0277
//! use endpoint_sec::KeptAuth;
//!
//! fn copied<T: Clone>(_: T) {}
//! fn copy(message: KeptAuth) {
//!     copied(message);
//! }
//! ```
//!
//! A report cannot be answered:
//!
//! ```compile_fail,E0599
//! use endpoint_sec::NotifyMessage;
//!
//! fn answered(message: NotifyMessage<'_>) {
//!     let _answer = message.deny();
//! }
//! ```
//!
//! A message that is not known to be cacheable has no cached answer, nor a cached answer without
//! flags an opening:
//!
//! ```compile_fail,E0599
//! use endpoint_sec::AuthMessage;
//!
//! fn cached(message: AuthMessage<'_>) {
//!     let _answer = message.allow_cached();
//! }
//! ```
//!
//! A handler runs on a thread of the library, so it owns only what may be sent there:
//!
//! ```compile_fail,E0277
//! use endpoint_sec::Client;
//! use std::rc::Rc;
//!
//! let count = Rc::new(0);
//! let _client = Client::builder().start(move |_message| drop(Rc::clone(&count)));
//! ```
//!
//! It borrows nothing that may be gone before it, as a client that is forgotten lives on:
//!
//! ```compile_fail,E0597
//! use endpoint_sec::Client;
//!
//! let seen = std::sync::atomic::AtomicU64::new(0);
//! let borrowed = &seen;
//! let _client = Client::builder().start(move |_message| {
//!     borrowed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
//! });
//! ```
//!
//! A client stays on its thread, and out of its own handler:
//!
//! ```compile_fail,E0277
//! use endpoint_sec::Client;
//!
//! fn moved(client: Client) {
//!     std::thread::spawn(move || drop(client));
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use endpoint_sec::Client;
//!
//! fn shared(client: &Client) {
//!     std::thread::scope(|scope| {
//!         scope.spawn(|| client.handle());
//!     });
//! }
//! ```
//!
//! Safe code makes no view of memory of its own choice:
//!
//! ```compile_fail,E0423
//! use endpoint_sec::File;
//!
//! let _file = File(std::ptr::null());
//! ```
//!
//! ```compile_fail,E0599
//! use endpoint_sec::Process;
//!
//! let _process = Process::new(std::ptr::null(), 11);
//! ```
//!
//! The path of a program is not that of a target:
//!
//! ```compile_fail,E0308
//! use endpoint_sec::{ExecutablePath, Handle};
//!
//! fn muted(handle: &Handle, path: &ExecutablePath) {
//!     let _muted = handle.mute_target(path);
//! }
//! ```
//!
//! Nothing about two messages says that they are the same, so they are not compared:
//!
//! ```compile_fail,E0369
//! use endpoint_sec::MessageView;
//!
//! fn same(one: &MessageView<'_>, other: &MessageView<'_>) -> bool {
//!     one == other
//! }
//! ```
//!
//! And what is right does compile: a kept message and a handle go anywhere.
//!
//! ```
//! use endpoint_sec::{AuthMessage, Handle, KeptAuth, KeptMessage, KeptOpen, MessageView};
//!
//! fn goes_anywhere<T: Send + 'static>() {}
//! fn is_shared<T: Sync>() {}
//!
//! goes_anywhere::<Handle>();
//! goes_anywhere::<KeptAuth>();
//! goes_anywhere::<KeptOpen>();
//! goes_anywhere::<KeptMessage>();
//! is_shared::<Handle>();
//! is_shared::<KeptMessage>();
//! is_shared::<MessageView<'_>>();
//!
//! fn scoped(message: AuthMessage<'_>) {
//!     std::thread::scope(|scope| {
//!         scope.spawn(move || message.allow());
//!     });
//! }
//! ```
