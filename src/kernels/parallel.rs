//! Splitting a kernel's work over the threads of the current rayon pool.
use std::ops::Range;

/// Calls `work` with consecutive ranges that cover 0..`items`, on up to as many threads as the current
/// rayon pool has, at least `grain` items each. Runs inline where that makes one range.
pub fn ranges(items: usize, grain: usize, work: impl Fn(Range<usize>) + Sync) {
    let parts = rayon::current_num_threads().min(items / grain.max(1)).max(1);
    if parts == 1 {
        return work(0..items);
    }
    let bound = |i: usize| i * items / parts;
    rayon::scope(|scope| {
        for i in 1..parts {
            let work = &work;
            scope.spawn(move |_| work(bound(i)..bound(i + 1)));
        }
        work(0..bound(1));
    });
}

/// A mutable buffer that several threads write disjoint parts of.
#[derive(Clone, Copy)]
pub struct Shared<T>(*mut T);

// SAFETY: the pointer is only dereferenced through `slice`, whose callers promise disjoint ranges.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Wraps a buffer for the duration of one kernel call.
    pub fn new(buffer: &mut [T]) -> Self {
        Self(buffer.as_mut_ptr())
    }

    /// The part `start..start + len`.
    ///
    /// # Safety
    /// The range lies inside the buffer, the buffer outlives the result, and no other thread touches the range meanwhile.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn slice<'a>(&self, start: usize, len: usize) -> &'a mut [T] {
        // SAFETY: by the contract above.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }

    /// The address of element `index`.
    pub fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}
