//! The result as JSON, one document a policy, hops streamed.

use std::cell::Cell;
use std::io::Write;

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};
use trace::Policy;

use crate::exit::Failure;
use crate::output::edges;
use crate::tracing::case::Case;
use crate::tracing::result::{SCHEMA, TraceResult};

/// A result with the case that names its hops.
struct Document<'a> {
    case: &'a Case,
    result: &'a TraceResult,
    with_edges: bool,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let result = self.result;
        let mut document = serializer.serialize_struct("trace", 10)?;
        document.serialize_field("schema", SCHEMA)?;
        document.serialize_field("incidents", &result.incidents)?;
        document.serialize_field("policy", result.policy.name())?;
        document.serialize_field("policy_means", result.policy.sentence())?;
        document.serialize_field("as_of", &result.as_of)?;
        document.serialize_field("loot", &result.loot)?;
        document.serialize_field("terminals", &result.terminals)?;
        document.serialize_field("links", &result.links)?;
        if self.with_edges {
            document.serialize_field("edges", &Edges { case: self.case, result })?;
        }
        document.serialize_field("problems", &result.problems)?;
        document.end()
    }
}

/// Hops, named one by one while they are written.
struct Edges<'a> {
    case: &'a Case,
    result: &'a TraceResult,
}

impl Serialize for Edges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let number = Cell::new(0);
        for (on, records) in self.case.ledgers.iter().zip(&self.result.edges) {
            for record in records {
                number.set(number.get() + 1);
                list.serialize_element(&edges::row(self.case, on, record, number.get(), has_lots(self.result.policy)))?;
            }
        }
        list.end()
    }
}

/// Whether a policy knows which units are loot.
pub fn has_lots(policy: Policy) -> bool {
    matches!(policy, Policy::Fifo | Policy::Lifo)
}

/// Writes one result, on one line.
pub fn write(out: &mut impl Write, case: &Case, result: &TraceResult, with_edges: bool) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, &Document { case, result, with_edges })?;
    writeln!(out)?;
    Ok(())
}
