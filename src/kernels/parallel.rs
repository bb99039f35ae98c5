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

/// Calls `work(i, row)` for each of the `width`-wide rows of `out`, in parallel, at least `grain` rows a thread.
pub fn rows(out: &mut [f32], width: usize, grain: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let count = out.len() / width;
    let shared = Shared::new(out);
    ranges(count, grain, |range| {
        for i in range {
            // SAFETY: row i lies inside `out`, and `ranges` hands each i out once.
            work(i, unsafe { shared.slice(i * width, width) });
        }
    });
}

/// Calls `work(i, row)` for each i with row `to[i]` of the `width`-wide rows of `out`, in parallel, at least `grain` rows
/// a thread.
///
/// # Panics
/// A row lies outside `out`, or is named twice.
pub fn scatter(out: &mut [f32], width: usize, to: &[u32], grain: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let count = out.len() / width;
    assert!(to.iter().all(|&row| (row as usize) < count), "a row lies outside the store of {count} rows");
    // Caches hand out rows in ascending order as a rule; sorting is for the rest.
    if !to.is_sorted_by(|a, b| a < b) {
        let mut sorted = to.to_vec();
        sorted.sort_unstable();
        assert!(sorted.is_sorted_by(|a, b| a < b), "a row is written twice");
    }
    let shared = Shared::new(out);
    ranges(to.len(), grain, |range| {
        for i in range {
            // SAFETY: the rows lie inside `out` and are distinct (both checked above), and `ranges` hands each i out once.
            work(i, unsafe { shared.slice(to[i] as usize * width, width) });
        }
    });
}

/// a · b elements. Safe functions check the lengths of what unsafe code then walks over, so the product may not wrap.
///
/// # Panics
/// There are more than memory has addresses.
pub fn area(a: usize, b: usize) -> usize {
    assert!(a.checked_mul(b).is_some(), "a matrix of {a} by {b} does not fit into memory");
    a * b
}

/// Calls `work` with each item, in parallel where there are at least `grain` for a thread.
pub fn each<T: Send>(items: &mut [T], grain: usize, work: impl Fn(&mut T) + Sync) {
    let parts = rayon::current_num_threads().min(items.len() / grain.max(1)).max(1);
    if parts == 1 {
        return items.iter_mut().for_each(work);
    }
    let work = &work;
    rayon::scope(|scope| {
        for part in items.chunks_mut(items.len().div_ceil(parts)) {
            scope.spawn(move |_| part.iter_mut().for_each(work));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_rows_land_where_they_are_sent() {
        let mut out = vec![0.0; 8];
        scatter(&mut out, 2, &[3, 0, 1], 1, |i, row| row.fill(i as f32 + 1.0));
        assert_eq!(out, [2.0, 2.0, 3.0, 3.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "written twice")]
    fn a_row_is_not_written_by_two() {
        scatter(&mut [0.0; 8], 2, &[3, 0, 3], 1, |_, _| {});
    }

    #[test]
    #[should_panic(expected = "outside the store")]
    fn a_row_outside_is_not_written() {
        scatter(&mut [0.0; 8], 2, &[4], 1, |_, _| {});
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn sizes_do_not_wrap() {
        area(usize::MAX / 2, 4);
    }
}
