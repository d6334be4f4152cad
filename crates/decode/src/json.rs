//! What is said of a line that is not the JSON it should be.

use crate::Fault;

/// The fault of a line that is no JSON; the reader's own words, with our line.
pub(crate) fn not_json(line: u64, error: &serde_json::Error, complete: bool) -> Fault {
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or_default();
    let help = match (error.is_eof(), complete) {
        (true, false) => "the file ends inside this line: get it again in full",
        (true, true) => "each object must stand on one line",
        _ => "",
    };
    let fault = Fault::line(line, format!("not the expected JSON: {what}"), help);
    if error.column() > 0 { fault.at(error.column() as u64) } else { fault }
}
