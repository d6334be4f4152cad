//! [`last_common`]: where two chains part.

/// The height of the last block that two chains have in common, from `top` down to `first`: back in growing steps, then
/// by halves, so that a turn of any depth takes few questions. `None` where they have nothing in common.
pub(crate) fn last_common<E>(
    first: u64,
    top: u64,
    is_common: impl Fn(u64) -> Result<bool, E>,
) -> Result<Option<u64>, E> {
    if top < first {
        return Ok(None);
    }
    // Known to differ: `above`; known to be common: what the loop ends with.
    let (mut above, mut step) = (top + 1, 1);
    let mut below = loop {
        let height = above.saturating_sub(step).max(first);
        if is_common(height)? {
            break height;
        }
        if height == first {
            return Ok(None);
        }
        above = height;
        step *= 2;
    };
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if is_common(middle)? {
            below = middle;
        } else {
            above = middle;
        }
    }
    Ok(Some(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_depth_is_found_with_few_questions() {
        for (first, top) in [(0, 300), (1, 1), (7, 64), (5, 4)] {
            for common in (first..=top).map(Some).chain([None]) {
                let asked = std::cell::Cell::new(0);
                let found = last_common(first, top, |height| {
                    asked.set(asked.get() + 1);
                    Ok::<bool, ()>(common.is_some_and(|common| height <= common))
                });
                assert_eq!(found, Ok(common));
                assert!(asked.get() <= 20, "{} questions", asked.get());
            }
        }
    }
}
