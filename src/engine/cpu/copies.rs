//! Copies of convolutions' weights for helpers, within a budget.

use std::collections::HashMap;

/// Copies, by the convolution's id. The least recently used make room for others.
#[derive(Debug)]
pub struct Copies<C> {
    /// Bytes that all of them may take.
    budget: u64,
    /// Bytes that they take.
    bytes: u64,
    /// Counts the uses.
    uses: u64,
    held: HashMap<u32, Held<C>>,
}

#[derive(Debug)]
struct Held<C> {
    copy: C,
    bytes: u64,
    /// When it was used last.
    used: u64,
}

impl<C: Clone> Copies<C> {
    /// No copies yet.
    pub fn new(budget: u64) -> Self {
        Copies { budget, bytes: 0, uses: 0, held: HashMap::new() }
    }

    /// Bytes that all copies take, no more than the budget.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sets the budget, and drops copies that exceed it.
    pub fn set_budget(&mut self, budget: u64) {
        self.budget = budget;
        self.make_room(0, |_| ());
    }

    /// The copy of a convolution's weights, which takes so many bytes: the existing one, or a new one. `make` is given
    /// a dropped copy of the same length, if there is one, whose memory it may reuse. `None` if the copy alone exceeds
    /// the budget.
    pub fn get(&mut self, id: u32, bytes: u64, make: impl FnOnce(Option<C>) -> C) -> Option<C> {
        self.uses += 1;
        if let Some(held) = self.held.get_mut(&id) {
            held.used = self.uses;
            return Some(held.copy.clone());
        }
        if bytes > self.budget {
            return None;
        }
        let mut spare = None;
        self.make_room(bytes, |gone| {
            if gone.bytes == bytes {
                spare = Some(gone.copy);
            }
        });
        let copy = make(spare);
        self.bytes += bytes;
        self.held.insert(id, Held { copy: copy.clone(), bytes, used: self.uses });
        Some(copy)
    }

    /// Drops a convolution's copy, if there is one: its model is gone.
    pub fn forget(&mut self, id: u32) {
        if let Some(held) = self.held.remove(&id) {
            self.bytes -= held.bytes;
        }
    }

    /// Drops copies until there is room for so many bytes.
    fn make_room(&mut self, bytes: u64, mut gone: impl FnMut(Held<C>)) {
        while self.bytes + bytes > self.budget {
            let oldest = self.held.iter().min_by_key(|(_, held)| held.used).map(|(&id, _)| id);
            let Some(held) = oldest.and_then(|id| self.held.remove(&id)) else { return };
            self.bytes -= held.bytes;
            gone(held);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Many models, one after another, each with more weights than there is room for.
    #[test]
    fn there_is_help_after_any_number_of_models() {
        let mut copies = Copies::new(100);
        for model in 0..50u32 {
            for convolution in 0..8 {
                let copy = copies.get(8 * model + convolution, 30, |_| model);
                assert_eq!(copy, Some(model));
                assert!(copies.bytes() <= 100);
            }
            (0..8).for_each(|convolution| copies.forget(8 * model + convolution));
            assert_eq!(copies.bytes(), 0);
        }
        assert_eq!(copies.get(9999, 101, |_| 0), None);
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room_and_its_memory_serves_again() {
        let mut copies = Copies::new(100);
        for id in 0..3 {
            copies.get(id, 30, |_| id);
        }
        assert_eq!(copies.get(0, 30, |_| 99), Some(0));
        let mut spares = Vec::new();
        copies.get(3, 30, |spare| {
            spares.push(spare);
            3
        });
        assert_eq!(spares, [Some(1)]);
        assert_eq!(copies.get(0, 30, |_| 99), Some(0));
        // Of another length.
        copies.get(4, 50, |spare| {
            spares.push(spare);
            4
        });
        assert_eq!((spares[1], copies.bytes()), (None, 80));
        copies.set_budget(60);
        assert_eq!(copies.bytes(), 50);
    }

    proptest! {
        /// Whatever is used and forgotten in whatever order: never over the budget, never a wrong copy, no help refused
        /// that fits, and what was forgotten takes nothing.
        #[test]
        fn the_books_balance(
            budget in 0u64..400,
            steps in prop::collection::vec((0u32..20, any::<bool>()), 0..200),
        ) {
            let size = |id: u32| u64::from(id * 7 % 90);
            let mut copies = Copies::new(budget);
            for (id, forget) in steps {
                if forget {
                    copies.forget(id);
                    prop_assert!(!copies.held.contains_key(&id));
                } else {
                    let copy = copies.get(id, size(id), |_| id);
                    prop_assert_eq!(copy, (size(id) <= budget).then_some(id));
                }
                prop_assert!(copies.bytes() <= budget);
                prop_assert_eq!(copies.bytes(), copies.held.keys().map(|&id| size(id)).sum::<u64>());
            }
            (0..20).for_each(|id| copies.forget(id));
            prop_assert_eq!((copies.bytes(), copies.held.len()), (0, 0));
        }
    }
}
