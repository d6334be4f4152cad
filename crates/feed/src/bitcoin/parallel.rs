//! Many small jobs on a few threads, with the calling thread free to say how far they are.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Does jobs `0..count` and gives back what they gave, in order. `done` hears of each as it ends.
pub(super) fn in_parallel<T: Send>(
    threads: NonZeroUsize,
    count: usize,
    job: impl Fn(usize) -> T + Sync,
    mut done: impl FnMut(usize, &T),
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    std::thread::scope(|scope| {
        // It holds at most one result a job, and the caller takes them as they come.
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads.get().min(count) {
            let (sender, next, job) = (sender.clone(), &next, &job);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || sender.send((number, job(number))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (number, result) in receiver {
            done(number, &result);
            results[number] = Some(result);
        }
    });
    results.into_iter().map(|result| result.expect("every job ends, or its panic ended the scope")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whoever_made_them() {
        for threads in [1, 2, 7] {
            let mut heard = Vec::new();
            let results = in_parallel(
                NonZeroUsize::new(threads).unwrap(),
                20,
                |number| number * 3,
                |number, _| heard.push(number),
            );
            assert_eq!(results, (0..20).map(|number| number * 3).collect::<Vec<_>>());
            heard.sort_unstable();
            assert_eq!(heard, (0..20).collect::<Vec<_>>());
        }
        assert!(in_parallel(NonZeroUsize::MIN, 0, |number| number, |_, _| ()).is_empty());
    }
}
