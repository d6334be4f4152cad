//! Ledger ids: bounded, safe as the name of a folder, and read back as themselves. Transaction ids: bytes and back.
#![no_main]

use ledger::{ID_BYTES_MAX, LedgerId, txid_bytes, txid_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(bytes) = txid_bytes(text) {
        assert_eq!(txid_text(&bytes), text.to_ascii_lowercase());
    }
    let Ok(id) = LedgerId::parse(text) else { return };
    assert!(id.as_str().len() <= ID_BYTES_MAX);
    assert_eq!(LedgerId::parse(id.as_str()).as_ref(), Ok(&id));
    assert_eq!(format!("{}:{}", id.namespace(), id.reference()), id.as_str());
    assert!(
        !id.reference().contains(['/', '\\', '\0']) && !matches!(id.reference(), "." | ".."),
        "{id} leaves its folder"
    );
});
