//! The assets of an account ledger, of which there may be millions: found by name in a look-up, and read when somebody
//! wants one.

use std::sync::OnceLock;

use ledger::AssetId;
use money::{Asset, SCALE_MAX};

use super::rows::ASSETS_LOOKUP;
use crate::BookError;
use crate::column::{Growing, Rows};
use crate::lookup::Index;
use crate::names::{ASSETS, ASSETS_MAX, ASSETS_SPEC, asset_at, asset_name};
use crate::numbers::index;
use crate::recent::Recent;
use crate::run::fingerprint;

/// How many assets a reader makes room for at a time.
const CHUNK: u64 = 1 << 10;

/// A chunk of assets, each read when it is asked for.
type Chunk = Box<[OnceLock<Asset>]>;

/// The assets that a reader has asked for.
#[derive(Debug)]
pub(super) struct Assets {
    rows: u32,
    chunks: Vec<OnceLock<Chunk>>,
}

impl Assets {
    /// Those of a ledger with so many.
    pub(super) fn new(rows: u64) -> Result<Self, BookError> {
        let fits = u32::try_from(rows).ok().filter(|_| rows <= ASSETS_MAX);
        let damaged = || BookError::damaged(ASSETS_SPEC.name, "it has more rows than there can be assets");
        let rows = fits.ok_or_else(damaged)?;
        Ok(Self { rows, chunks: (0..u64::from(rows).div_ceil(CHUNK)).map(|_| OnceLock::new()).collect() })
    }

    pub(super) fn len(&self) -> u32 {
        self.rows
    }

    #[inline]
    pub(super) fn get<C: Rows>(&self, columns: &[C], asset: AssetId) -> &Asset {
        let at = u64::from(asset.0);
        let chunk = self.chunks[index(at / CHUNK)].get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        chunk[index(at % CHUNK)].get_or_init(|| {
            let asset = asset_at(columns, at);
            // A scale past the largest can only be damage, which reading does not report.
            Asset { scale: asset.scale.min(SCALE_MAX), ..asset }
        })
    }
}

/// The writer's assets.
#[derive(Debug)]
pub(super) struct AssetNames {
    pub(super) index: Index,
    recent: Recent,
}

impl AssetNames {
    pub(super) fn open(folder: &std::path::Path, columns: &[Growing]) -> Result<Self, BookError> {
        let of = |asset| asset_fingerprint(columns, asset);
        let index = Index::open(folder, ASSETS_LOOKUP, columns[ASSETS].rows(), &of)?;
        Ok(Self { index, recent: Recent::default() })
    }

    /// The asset of that name.
    #[inline]
    pub(super) fn find(&mut self, columns: &[Growing], symbol: &str) -> Option<u32> {
        let key = fingerprint(symbol.as_bytes());
        let is_it = |asset| asset_name(columns, asset) == symbol.as_bytes();
        let found = self.recent.find(key, is_it).or_else(|| {
            self.index.keep_ready();
            let found = self.index.find(key, is_it)?;
            self.recent.insert(key, found);
            Some(found)
        })?;
        Some(u32::try_from(found).expect("there are at most 2^24 assets"))
    }

    /// Takes the asset in that has just got a row.
    pub(super) fn push(&mut self, symbol: &str) {
        self.index.push(fingerprint(symbol.as_bytes()));
    }

    /// After an undo, remembered assets may be gone.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
    }
}

/// The fingerprint of an asset's name.
pub(super) fn asset_fingerprint<C: Rows>(columns: &[C], asset: u64) -> u64 {
    fingerprint(asset_name(columns, asset))
}
