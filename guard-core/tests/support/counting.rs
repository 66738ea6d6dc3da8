//! Counts what each thread allocates. It takes the place of the program's allocator, so only the
//! tests and the bench that count have it, here and in guard-es.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// How often the calling thread has allocated so far.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// The system's allocator, counting what each thread asks for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: both methods hand their arguments, and with them the caller's promises, unchanged to the
// system's allocator. Counting itself allocates nothing: the cell is const-initialised and needs no
// destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller promises `System::alloc` the same that it promises this.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `alloc` got `pointer` from `System::alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}
