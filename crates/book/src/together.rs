//! [`each`]: one step of a commit for several files at the same time.
//!
//! The order of a commit's steps is its safety; within a step files do not know of each other. A step ends when it has
//! ended for all of them, so what lies on disk is the same as if they had been taken one after the other.

use std::thread;

use crate::BookError;

/// Takes `step` with each item: with those that `is_long` on threads of their own, with the others meanwhile. The first error
/// is given, when all have ended.
pub(crate) fn each<T: Send>(
    items: impl Iterator<Item = T>,
    is_long: impl Fn(&T) -> bool,
    step: impl Fn(T) -> Result<(), BookError> + Sync,
) -> Result<(), BookError> {
    let step = &step;
    thread::scope(|scope| {
        let (long, short): (Vec<T>, Vec<T>) = items.partition(|item| is_long(item));
        let under_way: Vec<_> = long.into_iter().map(|item| scope.spawn(move || step(item))).collect();
        let mut result = short.into_iter().try_for_each(step);
        for one in under_way {
            // A step that panics is a bug, and goes on as one.
            let done = one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(done);
        }
        result
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn all_are_taken_and_an_error_is_told_when_they_have_ended() {
        for bad in 0..6 {
            let done = AtomicU32::new(0);
            let step = |at: u32| {
                done.fetch_or(1 << at, Ordering::Relaxed);
                if at == bad { Err(BookError::Failed) } else { Ok(()) }
            };
            // Odd ones are long. A short one that fails keeps the short ones after it from being begun, as in a loop.
            let result = each(0..5, |at| at % 2 == 1, step);
            assert_eq!(result.is_err(), bad < 5, "{bad}");
            assert_eq!(done.into_inner() & 0b01010, 0b01010, "{bad}: the long ones are always ended");
        }
    }
}
