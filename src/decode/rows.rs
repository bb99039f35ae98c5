//! Who owns which rows of the key/value store.

/// Decoder rows: single rows, counted, so that the beams of a sentence share what they have in common.
pub(crate) struct RowPool {
    /// Free rows, the next one to hand out last. Freshly freed rows come first: they are still in the cache.
    free: Vec<u32>,
    /// Owners of each row.
    owners: Vec<u32>,
}

impl RowPool {
    pub fn new(rows: usize) -> Self {
        Self { free: (0..rows as u32).rev().collect(), owners: vec![0; rows] }
    }

    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// A free row with one owner.
    pub fn take(&mut self) -> Option<u32> {
        let row = self.free.pop()?;
        self.owners[row as usize] = 1;
        Some(row)
    }

    /// One owner more for each of `rows`.
    pub fn share(&mut self, rows: &[u32]) {
        for &row in rows {
            self.owners[row as usize] += 1;
        }
    }

    /// One owner less; a row without owners is free again. From the end, so that neighbors stay neighbors
    /// when they are taken again.
    pub fn release(&mut self, rows: &[u32]) {
        for &row in rows.iter().rev() {
            let owners = &mut self.owners[row as usize];
            *owners -= 1;
            if *owners == 0 {
                self.free.push(row);
            }
        }
    }
}

/// Encoder rows: one contiguous range a sentence, first fit.
pub(crate) struct RangePool {
    /// Free ranges (start, length), ascending, never touching one another.
    free: Vec<(u32, u32)>,
}

impl RangePool {
    pub fn new(rows: usize) -> Self {
        Self { free: if rows == 0 { Vec::new() } else { vec![(0, rows as u32)] } }
    }

    /// True when a range of `length` rows is free.
    pub fn has(&self, length: u32) -> bool {
        length == 0 || self.free.iter().any(|&(_, free)| free >= length)
    }

    /// The first row of a free range of `length` rows.
    pub fn take(&mut self, length: u32) -> Option<u32> {
        if length == 0 {
            return Some(0);
        }
        let index = self.free.iter().position(|&(_, free)| free >= length)?;
        let (start, free) = self.free[index];
        if free == length {
            self.free.remove(index);
        } else {
            self.free[index] = (start + length, free - length);
        }
        Some(start)
    }

    /// Gives a range back and joins it with its free neighbors.
    pub fn release(&mut self, start: u32, length: u32) {
        if length == 0 {
            return;
        }
        let index = self.free.partition_point(|&(other, _)| other < start);
        let (mut start, mut length) = (start, length);
        if index < self.free.len() && start + length == self.free[index].0 {
            length += self.free.remove(index).1;
        }
        if index > 0 && self.free[index - 1].0 + self.free[index - 1].1 == start {
            start = self.free[index - 1].0;
            length += self.free[index - 1].1;
            self.free[index - 1] = (start, length);
        } else {
            self.free.insert(index, (start, length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_shared_row_is_free_only_after_its_last_owner() {
        let mut pool = RowPool::new(3);
        let rows: Vec<u32> = (0..3).map(|_| pool.take().unwrap()).collect();
        assert_eq!(rows, [0, 1, 2]);
        assert_eq!(pool.take(), None);
        pool.share(&rows[..2]);
        pool.release(&rows);
        assert_eq!(pool.free(), 1);
        pool.release(&rows[..2]);
        assert_eq!(pool.free(), 3);
        assert_eq!((0..3).map(|_| pool.take().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    }

    proptest! {
        /// Ranges handed out never overlap, and once all are back the whole pool is one range again.
        #[test]
        fn ranges_are_disjoint_and_come_back(requests in prop::collection::vec((1u32..12, any::<bool>()), 1..60)) {
            let mut pool = RangePool::new(64);
            let mut held: Vec<(u32, u32)> = Vec::new();
            for (length, give_back) in requests {
                if give_back && !held.is_empty() {
                    let (start, length) = held.swap_remove(held.len() / 2);
                    pool.release(start, length);
                }
                prop_assert_eq!(pool.has(length), pool.free.iter().any(|f| f.1 >= length));
                if let Some(start) = pool.take(length) {
                    prop_assert!(start + length <= 64);
                    prop_assert!(held.iter().all(|&(s, l)| start + length <= s || s + l <= start));
                    held.push((start, length));
                }
            }
            for (start, length) in held {
                pool.release(start, length);
            }
            prop_assert_eq!(pool.free, vec![(0, 64)]);
        }
    }
}
