//! Addresses that look alike: what poisoners make so that a victim copies the wrong one from its own history.

/// How many digits at either end people compare.
const COMPARED_DIGITS: usize = 4;

/// Whether two addresses differ, yet show the same first and last four digits. Case and a `0x` before them do not count;
/// what has not 40 digits looks like nothing.
pub fn is_look_alike(a: &str, b: &str) -> bool {
    let (Some(a), Some(b)) = (digits(a), digits(b)) else { return false };
    let end = a.len() - COMPARED_DIGITS;
    let same = |range: std::ops::Range<usize>| a[range.clone()].eq_ignore_ascii_case(&b[range]);
    same(0..COMPARED_DIGITS) && same(end..a.len()) && !same(COMPARED_DIGITS..end)
}

fn digits(address: &str) -> Option<&[u8]> {
    let digits = address.strip_prefix("0x").unwrap_or(address).as_bytes();
    (digits.len() == 40 && digits.iter().all(u8::is_ascii_hexdigit)).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_different_addresses_with_the_same_ends_look_alike() {
        // The pair of May 2024, in which 1,155 WBTC went to the wrong address.
        let meant = "0xd9A1b0B1e1aE382DbDc898Ea68012FfcB2853a91";
        let poison = "0xd9A1C3788D81257612E2581A6ea0aDa244853a91";
        assert!(is_look_alike(meant, poison));
        assert!(is_look_alike(&meant.to_lowercase(), poison.trim_start_matches("0x")));
        assert!(!is_look_alike(meant, meant));
        assert!(!is_look_alike(meant, &meant.to_lowercase()));
        assert!(!is_look_alike(meant, &poison.replace("3a91", "3a92")));
        assert!(!is_look_alike(meant, &poison.replace("0xd9A1", "0xd9A2")));
        assert!(!is_look_alike("0xd9a1", "0xd9a1"));
        assert!(!is_look_alike("", ""));
    }
}
