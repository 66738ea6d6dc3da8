//! Arrays inside a message: a count and a pointer.

use super::{Field, Show, Shown};
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// An array of values in a message.
#[derive(Clone, Copy)]
pub struct List<'a, T> {
    first: NonNull<()>,
    len: usize,
    version: u32,
    element: unsafe fn(NonNull<()>, usize, u32) -> T,
    message: PhantomData<&'a T>,
}

/// The iterator of a [`List`].
#[derive(Clone)]
pub struct Iter<'a, T> {
    list: List<'a, T>,
    range: std::ops::Range<usize>,
}

// SAFETY: as for `Raw`: a list gives read access to memory that is not changed while it lives.
unsafe impl<T> Send for List<'_, T> {}

// SAFETY: as for `Send`.
unsafe impl<T> Sync for List<'_, T> {}

// === impl List ===

impl<'a, T> List<'a, T> {
    /// The list of `count` elements from `first` on; an empty one if the pointer is null.
    ///
    /// # Safety
    ///
    /// You must first convince yourself that `first` is null or points to `count` elements inside a
    /// message of version `version` that stays as it is for `'a`.
    pub(crate) unsafe fn new<R>(first: *const R, count: usize, version: u32) -> Self
    where
        T: Field<'a, R>,
    {
        let (first, len) = match NonNull::new(first.cast_mut()) {
            Some(first) => (first.cast(), count),
            None => (NonNull::dangling(), 0),
        };
        Self {
            first,
            len,
            version,
            element: element::<T, R>,
            message: PhantomData,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at `index`, counted from zero.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        // SAFETY: `element` was made for the type that `first` points to, the index is below the
        // count, and the elements stay as they are for `'a` (`new`).
        (index < self.len).then(|| unsafe { (self.element)(self.first, index, self.version) })
    }

    /// All of them in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'a, T>
    where
        T: Copy,
    {
        Iter {
            list: *self,
            range: 0..self.len,
        }
    }
}

/// Reads the element at `index` behind `first`.
///
/// # Safety
///
/// You must first convince yourself that `first` points to an array of more than `index` elements
/// of type `R` inside a message of `version`.
unsafe fn element<'a, T: Field<'a, R>, R>(first: NonNull<()>, index: usize, version: u32) -> T {
    // SAFETY: the array has more than `index` elements, as the caller found.
    let at = unsafe { first.cast::<R>().add(index) };
    // SAFETY: the element is part of the message.
    unsafe { T::read(at.as_ptr(), version) }
}

impl<'a, T: Copy> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Show> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for value in (0..self.len).filter_map(|index| self.get(index)) {
            list.entry(&Shown(&value));
        }
        list.finish()
    }
}

impl<T: Show> Show for List<'_, T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

// === impl Iter ===

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.list.get(self.range.next()?)
    }

    // The range knows how to skip: `nth` counts from the current position.
    fn nth(&mut self, n: usize) -> Option<T> {
        self.list.get(self.range.nth(n)?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<T> {
        self.list.get(self.range.next_back()?)
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T> FusedIterator for Iter<'_, T> {}

impl<T: Show> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for value in self.range.clone().filter_map(|index| self.list.get(index)) {
            list.entry(&Shown(&value));
        }
        list.finish()
    }
}
