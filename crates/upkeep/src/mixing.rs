//! Exposure as it is kept: the numbers of transactions' vectors, and the rows of their pool.

use book::{AnnexWriter, BookError};
use exposure::Exposure;

use crate::UpkeepError;
use crate::spec::{VECTOR_IDS, VECTORS, u64_at};
use crate::tags::unfit;

/// Takes up what was kept.
pub(crate) fn load(writer: &AnnexWriter) -> Result<Exposure, UpkeepError> {
    let rows = (0..writer.rows(VECTORS)).filter_map(|at| writer.row(VECTORS, at)).map(|row| u64_at(row, 0)).collect();
    Exposure::of_parts(writer.load(VECTOR_IDS), rows).map_err(|damaged| unfit(&damaged.to_string()))
}

/// Tells the annex what has changed.
pub(crate) fn keep(writer: &mut AnnexWriter, exposure: &mut Exposure) -> Result<(), BookError> {
    let changes = exposure.take_changes();
    writer.truncate_table(VECTOR_IDS, changes.from);
    for (seq, id) in changes.changed {
        if let Ok(seq) = u32::try_from(seq.0) {
            writer.set(VECTOR_IDS, seq, id);
        }
    }
    let from = usize::try_from(changes.from).expect("as many transactions are in memory");
    writer.extend(VECTOR_IDS, exposure.ids()[from..].iter().copied())?;
    writer.truncate(VECTORS, changes.rows_from as u64);
    for rows in exposure.rows()[changes.rows_from..].chunks(ROWS_AT_ONCE) {
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        writer.append(VECTORS, &bytes)?;
    }
    Ok(())
}

/// Rows that become bytes together.
const ROWS_AT_ONCE: usize = 1 << 16;
