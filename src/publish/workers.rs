//! The same work on many things at once. Requests wait for a network, so these are threads and no pool that computes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Works on every item, on this many threads; results are in the order of the items. After a failure nothing new is
/// begun, and what is under way is waited for. With one thread the order of the work is that of the items.
pub(crate) fn each<T: Sync, R: Send, E: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    if threads <= 1 || items.len() <= 1 {
        return items.iter().map(work).collect();
    }
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<R, E>)>> = Mutex::new(Vec::with_capacity(items.len()));
    let one_after_the_other = || {
        let mut own = Vec::new();
        while !has_failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            let result = work(item);
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            own.push((at, result));
        }
        done.lock().expect("whoever holds it only adds to a list").extend(own);
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(one_after_the_other);
        }
    });
    let mut done = done.into_inner().expect("whoever holds it only adds to a list");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn results_are_in_order_whoever_was_quicker() {
        let items: Vec<u64> = (0..100).collect();
        let slow_at_first = |it: &u64| {
            std::thread::sleep(std::time::Duration::from_micros(100 - it));
            Ok::<_, ()>(it * 2)
        };
        let doubled: Vec<u64> = items.iter().map(|it| it * 2).collect();
        assert_eq!(each(8, &items, slow_at_first), Ok(doubled.clone()));
        assert_eq!(each(1, &items, slow_at_first), Ok(doubled));
    }

    #[test]
    fn after_a_failure_nothing_new_is_begun() {
        let begun = std::sync::atomic::AtomicUsize::new(0);
        let items: Vec<usize> = (0..10_000).collect();
        let failed = each(4, &items, |it| {
            begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::thread::sleep(std::time::Duration::from_millis(1));
            if *it == 10 { Err(*it) } else { Ok(()) }
        });
        assert_eq!(failed.map(|it| it.len()), Err(10));
        assert!(begun.into_inner() < 100);
    }
}
