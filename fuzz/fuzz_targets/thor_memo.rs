//! Memos of THORChain: as text, and as the script of an output that holds one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use link::thorchain::{Memo, pushed_text};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let memo = Memo::parse(text);
        if let Some(Memo::Swap(swap)) = &memo {
            assert!(swap.affiliate_basis_points() <= 10_000);
        }
        // Within one push, the memo of a script is the memo.
        if let Ok(length @ 1..=75) = u8::try_from(data.len()) {
            assert_eq!(Memo::of_script(&[&[0x6a, length], data].concat()), memo);
        }
    }
    let _ = pushed_text(&[&[0x6a], data].concat());
});
