//! [`Exposure`]: a record for each transaction of a chain, made in the chain's order.
//!
//! What makes it fast is what it does not do: one vector a transaction, none where money does not mix (the number of the
//! record is copied, which is exact as well), and reading ahead. A chain's inputs lie all over it, so that nearly all of the
//! time goes into waiting for memory; the coins of some hundred transactions are read first, in loops whose reads do not
//! wait for each other, and then mixed in order.

use ledger::{Coin, Coins, PurseId, Seq};

use crate::category::{CATEGORIES_MAX, COINJOIN, Category, Facts, MINED, UNITS, UNKNOWN, places, risks};
use crate::mix::{Mixer, Standing};
use crate::pool::{Damaged, Full, Pool};
use crate::record::{Record, carried, value_before};
use crate::vector::{Vector, Vectors};

/// How many transactions are read ahead at once.
const AHEAD_TRANSACTIONS_MAX: usize = 512;
/// How many inputs they have in all, but for the last one.
const AHEAD_INPUTS_MAX: usize = 4096;

/// The maker of an output from before the first block.
const NOBODY: u64 = u64::MAX;

/// One input, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    coin: Coin,
    maker: u64,
    standing: Standing,
    /// The number of the maker's record; unknown for a foreign output. Of no use where the holder resets.
    source: u32,
}

/// What has changed since it was last asked, for whoever keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Transactions from here on have numbers of records that were not there, or were others.
    pub from: u64,
    /// Earlier transactions whose numbers have changed, ascending.
    pub changed: Vec<(Seq, u32)>,
    /// Rows of the pool from here on are new; 0 if all are others.
    pub rows_from: usize,
}

/// A record for each transaction of a chain, up to some transaction.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// By transaction, the number of its record.
    pub(crate) ids: Vec<u32>,
    pub(crate) pool: Pool,
    pub(crate) scratch: Scratch,
    /// What [`Exposure::take_changes`] has told.
    told: usize,
    told_rows: usize,
    pub(crate) changed: Vec<u64>,
}

/// Buffers that are used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    inputs: Vec<Input>,
    /// Where the inputs of each transaction end.
    ends: Vec<usize>,
    coins: Vec<Coin>,
    made: Vec<Coin>,
    mixer: Mixer,
}

impl Default for Exposure {
    fn default() -> Self {
        Self::new()
    }
}

impl Exposure {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::of(Vec::new(), Pool::new(), 0)
    }

    /// What was kept: the numbers of the records by transaction, and the rows of the pool. Both are checked.
    pub fn of_parts(ids: Vec<u32>, rows: Vec<u64>) -> Result<Self, Damaged> {
        if ids.is_empty() && rows.is_empty() {
            return Ok(Self::new());
        }
        let starts = Pool::starts(&rows)?;
        let is_start = |id: u32| starts.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1);
        match ids.iter().position(|id| !is_start(*id)) {
            Some(seq) => Err(Damaged::Transaction(seq as u64)),
            None => {
                let told_rows = rows.len();
                Ok(Self::of(ids, Pool::of_rows(rows), told_rows))
            }
        }
    }

    fn of(ids: Vec<u32>, pool: Pool, told_rows: usize) -> Self {
        let told = ids.len();
        Self { ids, pool, scratch: Scratch::default(), told, told_rows, changed: Vec::new() }
    }

    /// The first transaction that has no record yet.
    pub fn end(&self) -> Seq {
        Seq(self.ids.len() as u64)
    }

    /// By transaction, the number of its record: the row of the pool where it begins.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The rows of all records; the first sixteen are the units of the categories.
    pub fn rows(&self) -> &[u64] {
        self.pool.rows()
    }

    /// The record of a transaction; of one that has none yet, money of unknown origin.
    pub fn record(&self, seq: Seq) -> Record {
        self.pool.record(self.id(seq.0))
    }

    /// How much of an output is tainted if taint leaves first, by category; only risks, and only what is above 0.
    pub fn first_out<C: Coins + ?Sized>(&self, coins: &C, purse: PurseId) -> Vec<(Category, u64)> {
        let maker = coins.made_by(purse);
        maker.map_or_else(Vec::new, |maker| self.record(maker).first_out(coins, maker, coins.coin(purse)))
    }

    #[inline]
    fn id(&self, seq: u64) -> u32 {
        usize::try_from(seq).ok().and_then(|at| self.ids.get(at)).copied().unwrap_or(u32::from(UNKNOWN.0))
    }

    /// Makes the records of all transactions before `until` that have none.
    pub fn advance<C, F>(&mut self, coins: &C, facts: &F, until: Seq) -> Result<(), Full>
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let until = until.0.min(coins.transactions());
        let risks = risks(facts);
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut done = Ok(());
        while done.is_ok() && self.end().0 < until {
            self.read_ahead(&mut scratch, coins, facts, until);
            done = self.mix_ahead(&mut scratch, coins, facts, risks);
        }
        self.scratch = scratch;
        done
    }

    /// Reads the inputs of the next transactions: first the coins, then their holders, then the makers' records. No read
    /// in a loop depends on another one of that loop, so that many are under way at once.
    fn read_ahead<C, F>(&self, scratch: &mut Scratch, coins: &C, facts: &F, until: u64)
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let Scratch { inputs, ends, coins: spent, .. } = scratch;
        inputs.clear();
        ends.clear();
        for seq in (self.end().0..until).take(AHEAD_TRANSACTIONS_MAX) {
            coins.spent(Seq(seq), spent);
            inputs.extend(spent.iter().map(|coin| Input::new(coins, *coin)));
            ends.push(inputs.len());
            if inputs.len() >= AHEAD_INPUTS_MAX {
                break;
            }
        }
        for input in inputs.iter_mut() {
            input.standing = Standing::of(facts, input.coin.holder);
        }
        for input in inputs.iter_mut().filter(|input| !input.standing.resets()) {
            input.source = self.id(input.maker);
        }
        // Only so that the records are near when they are mixed.
        let near = inputs.iter().fold(0, |near, input| near ^ self.pool.header(input.source).0);
        std::hint::black_box(near);
    }

    fn mix_ahead<C, F>(&mut self, scratch: &mut Scratch, coins: &C, facts: &F, risks: u16) -> Result<(), Full>
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let Scratch { inputs, ends, made, mixer, .. } = scratch;
        let read_until = self.end().0;
        let mut start = 0;
        for end in ends.iter().copied() {
            let seq = self.end();
            let own = &mut inputs[start..end];
            for input in own.iter_mut().filter(|input| input.maker >= read_until && !input.standing.resets()) {
                input.source = self.id(input.maker);
            }
            let id = self.mix(own, facts.is_join(seq), risks, coins, made, mixer)?;
            self.ids.push(id);
            start = end;
        }
        Ok(())
    }

    /// The number of the record of a transaction with these inputs.
    fn mix<C: Coins + ?Sized>(
        &mut self,
        inputs: &[Input],
        is_join: bool,
        risks: u16,
        coins: &C,
        made: &mut Vec<Coin>,
        mixer: &mut Mixer,
    ) -> Result<u32, Full> {
        if inputs.is_empty() {
            return Ok(u32::from(MINED.0));
        }
        if !is_join && let Some(id) = self.common(inputs, risks) {
            return Ok(id);
        }
        mixer.clear();
        let is_worthless = inputs.iter().all(|input| input.coin.value == 0);
        for input in inputs {
            // Where nothing is worth anything, each input counts as one unit: whatever the shares are, they are of 0.
            let value = if is_worthless { 1 } else { input.coin.value };
            match input.standing.category() {
                Some(category) => mixer.add_unit(category, value),
                None => mixer.add_record(self.pool.record_rows(input.source), value),
            }
            let before = if input.standing.resets() { 0 } else { self.pool.header(input.source).poison() };
            mixer.touch(input.standing.poison(before));
            self.add_firsts(input, risks, coins, made, mixer);
        }
        if !is_join {
            return self.pool.put(&mixer.record());
        }
        if risks & COINJOIN.bit() != 0 {
            let total = inputs.iter().fold(0, |total: u64, input| total.saturating_add(input.coin.value));
            mixer.set_first(usize::from(COINJOIN.0), total);
        }
        self.pool.put(&mixer.joined())
    }

    /// The record that all inputs have, if that is the transaction's as well: the money does not mix.
    #[inline]
    fn common(&self, inputs: &[Input], risks: u16) -> Option<u32> {
        let (mut common, mut poison) = (None, 0);
        for input in inputs {
            let standing = input.standing;
            let header = self.pool.header(if standing.resets() { u32::from(UNKNOWN.0) } else { input.source });
            if header.firsts() != 0 {
                return None;
            }
            poison |= standing.poison(header.poison());
            if input.coin.value == 0 {
                continue;
            }
            let id = match standing.category() {
                Some(category) if category.bit() & risks != 0 => return None,
                Some(category) => u32::from(category.0),
                None => input.source,
            };
            if *common.get_or_insert(id) != id {
                return None;
            }
        }
        common.filter(|common| self.pool.header(*common).poison() == poison)
    }

    /// What an input brings of taint that leaves first.
    fn add_firsts<C: Coins + ?Sized>(
        &self,
        input: &Input,
        risks: u16,
        coins: &C,
        made: &mut Vec<Coin>,
        mixer: &mut Mixer,
    ) {
        let Input { coin, maker, standing, source } = *input;
        let category = standing.category().filter(|category| category.bit() & risks != 0).and_then(Category::index);
        if let Some(place) = category.filter(|_| coin.value > 0) {
            mixer.add_first(place, coin.value);
        }
        if standing.resets() || self.pool.header(source).firsts() == 0 {
            return;
        }
        coins.made(Seq(maker), made);
        let before = value_before(made, coin);
        let record = self.pool.record(source);
        for place in places(self.pool.header(source).firsts()).filter(|place| Some(*place) != category) {
            let amount = carried(record.firsts[place], before, coin.value);
            if amount > 0 {
                mixer.add_first(place, amount);
            }
        }
    }

    /// Makes the record of one transaction anew, without keeping it as the transaction's.
    pub(crate) fn remixed<C, F>(&mut self, coins: &C, facts: &F, risks: u16, seq: Seq) -> Result<u32, Full>
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let mut scratch = std::mem::take(&mut self.scratch);
        let Scratch { inputs, coins: spent, made, mixer, .. } = &mut scratch;
        coins.spent(seq, spent);
        inputs.clear();
        for coin in spent.iter() {
            let standing = Standing::of(facts, coin.holder);
            let input = Input::new(coins, *coin);
            inputs.push(Input { standing, source: self.id(input.maker), ..input });
        }
        let id = self.mix(inputs, facts.is_join(seq), risks, coins, made, mixer);
        self.scratch = scratch;
        id
    }

    /// Takes back all transactions from `seq` on.
    pub fn undo_to(&mut self, seq: Seq) {
        let end = usize::try_from(seq.0).unwrap_or(usize::MAX).min(self.ids.len());
        self.ids.truncate(end);
        self.told = self.told.min(end);
        self.changed.retain(|changed| *changed < seq.0);
    }

    /// What has changed since this was last asked, or since it was made of parts.
    pub fn take_changes(&mut self) -> Changes {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed.retain(|seq| *seq < self.told as u64);
        let changed = changed.into_iter().map(|seq| (Seq(seq), self.id(seq))).collect();
        let changes = Changes { from: self.told as u64, changed, rows_from: self.told_rows };
        (self.told, self.told_rows) = (self.ids.len(), self.pool.rows().len());
        changes
    }

    /// Leaves out records that nothing refers to any more, and forgets what was told: everything is new afterwards.
    pub fn compact(&mut self) {
        let mut pool = Pool::new();
        let mut renamed: Vec<u32> = vec![0; self.pool.rows().len()];
        for id in &mut self.ids {
            let renamed = &mut renamed[*id as usize];
            if *id >= UNITS && *renamed == 0 {
                *renamed = pool.append(self.pool.record_rows(*id));
            }
            if *renamed != 0 {
                *id = *renamed;
            }
        }
        self.pool = pool;
        (self.told, self.told_rows) = (0, 0);
        self.changed.clear();
    }

    /// How many rows of the pool no transaction refers to, the units aside.
    pub fn unreferenced_rows(&self) -> usize {
        let mut is_seen = vec![0u64; self.pool.rows().len().div_ceil(64)];
        let mut used = 0;
        for id in self.ids.iter().filter(|id| **id >= UNITS) {
            let (word, bit) = (&mut is_seen[*id as usize / 64], 1 << (id % 64));
            if *word & bit == 0 {
                *word |= bit;
                used += self.pool.record_rows(*id).len();
            }
        }
        self.pool.rows().len() - CATEGORIES_MAX - used
    }
}

impl Input {
    #[inline]
    fn new<C: Coins + ?Sized>(coins: &C, coin: Coin) -> Self {
        let maker = coins.made_by(coin.purse).map_or(NOBODY, |maker| maker.0);
        Self { coin, maker, standing: Standing::Plain, source: u32::from(UNKNOWN.0) }
    }
}

impl Vectors for Exposure {
    fn vector(&self, seq: Seq) -> Vector {
        self.record(seq).vector
    }
}
