//! Measures exposure on a book: a whole stream, corrections, and what one holder received and sent.
//!
//! `cargo run --release -p exposure --example stream -- BOOK LEDGER ONE_IN [RUNS [CORRECTIONS]]` on a book that was filled before, with one
//! holder in `ONE_IN` tagged, over thirteen categories of which four are custodians, and one transaction in 200 taken for a
//! join. Times are this thread's on the processor where Linux tells them, else by the wall; of single questions by the wall.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use book::{Book, BookLedger, UtxoLedger};
use exposure::{Category, Direction, Exposure, Facts, Inquiry, Limits, Own, Proof};
use ledger::{Coins, HolderId, LedgerId, PurseId, Seq};

/// How many questions of each kind are asked.
const QUESTIONS: u64 = 1_000;
/// How many tags are put or taken, one after the other, unless told.
const CORRECTIONS: u64 = 30;
/// A holder with more outputs than this is asked about by its newest ones.
const PURSES_MAX: usize = 10_000;

fn mix(number: u64) -> u64 {
    let mixed = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Made-up tags: a byte for each holder, as somebody keeps who has many.
struct Tagged(Vec<u8>);

const NONE: u8 = u8::MAX;

impl Tagged {
    fn new(holders: u64, one_in: u64) -> Self {
        let tag = |holder: u64| {
            let dice = mix(holder + 1);
            let category = 3 + dice / one_in % 13;
            if dice.is_multiple_of(one_in) { u8::try_from(category).unwrap_or(NONE) } else { NONE }
        };
        Self((0..holders).map(tag).collect())
    }
}

impl Facts for Tagged {
    #[inline]
    fn category(&self, holder: HolderId) -> Option<Category> {
        let index = usize::try_from(holder.0).ok()?;
        self.0.get(index).copied().filter(|tag| *tag != NONE).map(Category)
    }

    #[inline]
    fn resets_poison(&self, holder: HolderId) -> bool {
        self.category(holder).is_some_and(|category| (3..7).contains(&category.0))
    }

    #[inline]
    fn is_join(&self, seq: Seq) -> bool {
        mix(!seq.0).is_multiple_of(200)
    }

    fn is_risk(&self, category: Category) -> bool {
        category.0 >= 8
    }
}

/// Processor time of this thread.
fn now(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// For what takes long: the kernel tells processor time in ticks.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let before = now(start);
    let made = work();
    (made, now(start).saturating_sub(before))
}

/// For what takes little, by the wall.
fn clocked<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (folder, id, one_in, runs, tags) = match words.as_slice() {
        [folder, id, one_in] => (folder, id, one_in, 3, CORRECTIONS),
        [folder, id, one_in, runs] => (folder, id, one_in, runs.parse()?, CORRECTIONS),
        [folder, id, one_in, runs, tags] => (folder, id, one_in, runs.parse()?, tags.parse()?),
        _ => return Err("usage: stream BOOK LEDGER ONE_IN [RUNS [CORRECTIONS]]".into()),
    };
    let BookLedger::Utxo(coins) = Book::open(folder)?.ledger(&LedgerId::parse(id)?)? else {
        return Err("this is no ledger of unspent outputs".into());
    };
    let mut facts = Tagged::new(Coins::holders(&coins), one_in.parse()?);
    let mut exposure = Exposure::new();
    for _ in 0..runs {
        exposure = Exposure::new();
        let (done, took) = timed(|| exposure.advance(&coins, &facts, Seq(coins.transactions())));
        done?;
        let rate = u128::from(coins.transactions()) * 1_000_000 / took.as_micros().max(1);
        println!("stream: {} transactions in {} ms: {rate} a second", coins.transactions(), took.as_millis());
    }
    sizes(&coins, &exposure);
    corrections(&coins, &mut facts, &mut exposure, tags)?;
    questions(&coins, &facts, &exposure);
    Ok(())
}

fn sizes(coins: &UtxoLedger, exposure: &Exposure) {
    let (mut inputs, mut spent, mut made) = (0u64, Vec::new(), Vec::new());
    let (mut records, mut tainted, mut lost, mut highest) = (0u64, 0u64, 0u64, 15);
    let mut of_live = BTreeSet::new();
    let mut with_live = 0u64;
    for (seq, id) in (0..).map(Seq).zip(exposure.ids()) {
        coins.spent(seq, &mut spent);
        inputs += spent.len() as u64;
        if *id > highest {
            (records, highest) = (records + 1, *id);
        }
        Coins::made(coins, seq, &mut made);
        if made.iter().any(|coin| Coins::spent_by(coins, coin.purse).is_none()) {
            with_live += 1;
            of_live.insert(*id);
        }
        let record = exposure.record(seq);
        tainted += u64::from(record.firsts.iter().any(|first| *first > 0));
        lost = lost.max(u64::from(record.vector.truncated()));
    }
    let (transactions, purses) = (coins.transactions(), coins.purse_count());
    let bytes = 4 * transactions + 8 * exposure.rows().len() as u64;
    println!("{inputs} inputs, {purses} outputs, {} of them live", purses - inputs);
    println!(
        "records: {records} of {transactions} transactions, {} rows; {tainted} hold taint that leaves first",
        exposure.rows().len()
    );
    println!(
        "bytes: {bytes}; a transaction {}/100, a live purse {}/100",
        100 * bytes / transactions,
        100 * bytes / (purses - inputs)
    );
    let alone = Exposure::of_parts(of_live.into_iter().collect(), exposure.rows().to_vec()).map(|mut alone| {
        alone.compact();
        4 * with_live + 8 * alone.rows().len() as u64
    });
    let alone = alone.unwrap_or(0);
    println!(
        "of these for transactions with live outputs: {alone}; a live purse {}/100",
        100 * alone / (purses - inputs)
    );
    println!("the largest certificate: {lost} of 2^31");
}

fn spread(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    if took.is_empty() {
        return;
    }
    let micros = |permille: usize| took[(took.len() - 1) * permille / 1000].as_nanos() / 100;
    let [half, most, worst] =
        [micros(500), micros(990), micros(1000)].map(|tenths| format!("{}.{}", tenths / 10, tenths % 10));
    println!("{name}: median {half} µs, p99 {most} µs, worst {worst} µs");
}

fn corrections(
    coins: &UtxoLedger,
    facts: &mut Tagged,
    exposure: &mut Exposure,
    tags: u64,
) -> Result<(), Box<dyn Error>> {
    let (mut took, mut mixed, mut most) = (Vec::new(), 0, 0);
    for at in 0..tags {
        let holder = mix(at) % Coins::holders(coins);
        let tag = &mut facts.0[usize::try_from(holder)?];
        *tag = if *tag == NONE { u8::try_from(3 + at % 13)? } else { NONE };
        let (done, time) = timed(|| exposure.correct(coins, facts, &[HolderId(holder)]));
        took.push(time);
        let done = done?;
        (mixed, most) = (mixed + done.mixed, most.max(done.mixed));
    }
    println!("corrections: {mixed} transactions mixed again, {most} at most");
    spread("a tag put or taken, corrected", took);
    let (fresh, time) = timed(|| {
        let mut fresh = Exposure::new();
        fresh.advance(coins, facts, exposure.end()).map(|()| fresh)
    });
    let fresh = fresh?;
    let differs = (0..exposure.end().0).map(Seq).filter(|seq| fresh.record(*seq) != exposure.record(*seq)).count();
    println!(
        "against a fresh stream ({} ms): {differs} differ; {} rows unreferenced",
        time.as_millis(),
        exposure.unreferenced_rows()
    );
    Ok(())
}

fn questions(coins: &UtxoLedger, facts: &Tagged, exposure: &Exposure) {
    let inquiry = Inquiry::new(coins, facts, exposure);
    let near = Inquiry::new(coins, facts, exposure).within(Limits { transactions: 1_000, ends: 20_000 });
    let mut times: [Vec<Duration>; 4] = Default::default();
    let (mut cut, mut found) = (0u64, 0u64);
    for at in 0..QUESTIONS {
        let holder = HolderId(mix(at + QUESTIONS) % Coins::holders(coins));
        let purses: Vec<PurseId> = coins.purses_newest_first(holder).take(PURSES_MAX).collect();
        let own = |other| other == holder;
        let all = || purses.iter().rev().copied();
        times[0].push(clocked(|| inquiry.received(all(), Own::Apart, &own, &mut |_, _, _, _| {})).1);
        let (sent, took) = clocked(|| inquiry.sent(all(), &own, &mut |_, _, _, _| {}));
        cut += u64::from(sent.cut > 0);
        times[1].push(took);
        times[2].push(clocked(|| near.sent(all(), &own, &mut |_, _, _, _| {})).1);
        let category = Category(u8::try_from(3 + at % 13).unwrap_or(3));
        let (path, took) = clocked(|| near.nearest_path(all(), category, Direction::Backward, Proof::Share, &own));
        found += u64::from(matches!(path, exposure::Nearest::Found(_)));
        times[3].push(took);
    }
    let [received, sent, near, path] = times;
    spread("received", received);
    spread("sent", sent);
    println!("sent: {cut} of {QUESTIONS} were cut off");
    spread("sent, within 1,000 transactions", near);
    spread("path, within 1,000 transactions", path);
    println!("path: {found} of {QUESTIONS} were found");
}
