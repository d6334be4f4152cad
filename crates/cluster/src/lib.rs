//! Who acts together on a chain of coins: clusters of holders, and the evidence that they rest on.
//!
//! Each transaction gets a [`Verdict`]: whether it is a join of several parties, and which output looks like change. The
//! verdicts and the chain itself are the evidence; a cluster is whatever they connect, less what an analyst retracted.
//! The same code reads the first block and the last one.
//!
//! It traces nothing, opens no file, reads no clock, and knows no tags: who is a service, the caller says.

mod active;
mod bulk;
mod calibrate;
mod clusters;
mod detect;
mod edge;
mod evidence;
mod explain;
mod heuristic;
mod journal;
mod judge;
mod keys;
mod leads;
mod measure;
mod partition;
mod retract;
mod rulings;
mod score;
mod search;
mod sheet;
mod verdict;
mod wraps;

pub use active::Active;
pub use bulk::Bulk;
pub use calibrate::{Bin, Cells, Reliability};
pub use clusters::{Clusters, Parts};
pub use detect::{
    BATCH_HOLDERS_MIN, BATCHES_MIN, DEPOSIT_OUTPUTS_MAX, DEPOSIT_SHARE_MIN_PERMILLE, DEPOSITS_EACH_SWEEP_MIN,
    DEPOSITS_MIN, DETECTION_EVIDENCE_MAX, DETECTION_METHOD, DETECTION_VERSION, DETECTIONS_MAX, Detection,
    POOL_COINBASES_MIN, SWEEP_HOLDERS_MIN, SWEEP_OUTPUTS_MAX, SWEEPS_MIN, ServiceKind,
};
pub use edge::Edge;
pub use evidence::{Chain, Services, Verdicts};
pub use explain::{EXPLAIN_OUTPUTS_MAX, Step, Unexplained};
pub use heuristic::{Heuristic, Layer};
pub use journal::{JOURNAL_TIES_MAX, JOURNAL_TRANSACTIONS_MAX, Journal, Tie};
pub use judge::{
    BUILT_IN_WEIGHTS, CALIBRATED, CHANGE_OUTPUTS_MAX, Candidate, Judge, Kind, METHOD_VERSION, Past, ROUND_SATS, Rules,
    Sign, View, Weights, WeightsError,
};
pub use keys::{Family, Nobody, family};
pub use leads::{Duties, Duty, Leads, judge_leads};
pub use measure::{BANDS_PERMILLE, ClusterOf, Made, Measured, Taken, Truth, measure};
pub use partition::{CHANGES_MAX, Changes, HOLDERS_MAX, Partition, PartitionError};
pub use rulings::{Order, RULING_BYTES_MAX, RULINGS_MAX, Resolved, Ruling, RulingError, Rulings, Target};
pub use score::{Member, Score, Share};
pub use sheet::{Conflict, Problem};
pub use verdict::{Change, Join, VERDICT_BYTES, Verdict};
pub use wraps::{Wrap, Wraps};
