//! Bytes to text: UTF-8 only, a byte-order mark stripped, and a clear word for what is something else.

use crate::Fault;

/// UTF-8's byte-order mark, which spreadsheets like to write.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The text of a whole file, without its byte-order mark.
pub fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    if let Some(fault) = other_encoding(bytes) {
        return Err(fault);
    }
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', good).count() as u64;
        let start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        not_utf8(line, bytes[error.valid_up_to()]).at(1 + chars(&good[start..]))
    })
}

/// What is to be said of a byte that is not UTF-8.
pub(crate) fn not_utf8(line: u64, byte: u8) -> Fault {
    Fault::line(line, format!("not UTF-8 (byte 0x{byte:02x})"), "save the file as UTF-8")
}

/// How many characters valid UTF-8 has.
pub(crate) fn chars(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count() as u64
}

/// The fault of a file whose first bytes say that it is in another encoding or no text at all.
pub(crate) fn other_encoding(head: &[u8]) -> Option<Fault> {
    let said = |what: &str, help: &str| Some(Fault::line(1, what, help));
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => said("the file is UTF-16", "save it as UTF-8 (CSV UTF-8 in Excel)"),
        [0x1f, 0x8b, ..] => said("the file is gzip data", "give it the ending .gz, or unpack it"),
        [b'P', b'K', 3, 4, ..] => said("the file is a zip archive or spreadsheet", "export it as CSV"),
        [first, second, ..] if *first == 0 || *second == 0 => {
            said("the file has zero bytes where text should be", "save it as UTF-8 text")
        }
        _ => None,
    }
}
