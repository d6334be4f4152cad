//! [`Launderer`]: the theft on the first chain and the way of the loot: swapped, carried over the bridge and back, mixed,
//! cashed in. Their book-keeping is the truth.
//!
//! No account of theirs ever holds loot of two losses, and clean money only for gas; so the truth is a matter of which
//! unit is whose, and not of a policy.

use std::collections::BTreeMap;
use std::io::Write;

use super::abi::Address;
use super::chain::NATIVE;
use super::world::{COIN, DOLLAR, NOTE, Passage, RELAYER_FEE, Side, World, address, block_time, name};
use money::Amount;

use crate::dice::Dice;
use crate::exact::Exact;
use crate::notebook::time_text;
use crate::truth::{Loss, Place, PlaceKind, Step};

/// What is stolen of the native coin, and in dollars.
const STOLEN: [u128; 2] = [900 * COIN, 800_000 * DOLLAR];
/// Into how many transactions the stolen dollars' way into coins is cut.
const SLICES: u64 = 4;
/// Gas money for each account.
const GAS_MONEY: u128 = COIN / 10;
/// Notes that one account puts into the mixing pool, at most.
const NOTES_MAX: u128 = 4;
/// Blocks after which whatever went into the bridge has come out.
const PASSAGE_BLOCKS: u64 = 64;
/// Accounts that the loot is spread over, at most.
pub const SPREAD_MAX: u64 = 64;

/// How a part of the loot goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Over the bridge, swapped there, and over it again.
    ThereAndBack,
    Mix,
    CashOut,
    /// Over the bridge, and cashed in there.
    There,
    Rest,
}

const ROUTES: [Route; 5] = [Route::ThereAndBack, Route::Mix, Route::CashOut, Route::There, Route::Rest];

#[derive(Clone, Copy, Debug)]
enum Move {
    OwnMoney,
    Steal,
    Swap { left: u64 },
    Spread { from: Address, loss: usize },
    Go { from: Address, loss: usize, route: Route },
    SellForeign { from: Address, loss: usize, route: Route },
    CashOut { side: Side, from: Address, asset: Asset, loss: usize },
    TakeNote { loss: usize, origin: u128 },
}

/// An asset, whichever contract it has on the chain where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asset {
    Coin,
    Dollar,
    Foreign,
}

/// What an account of the launderer's holds.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    loss: usize,
    own: u128,
    loot: u128,
    /// What the loot was of what was stolen.
    origin: u128,
}

/// Where a part came to rest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rest {
    side: Side,
    kind: PlaceKind,
    holder: Option<String>,
    asset: Asset,
    reason: &'static str,
}

/// A payment that brought loot to the robber: (transaction, payee, amount).
pub type Stolen = (String, String, Exact);

/// The launderer.
pub struct Launderer {
    seed: u64,
    dice: Dice,
    spread: u64,
    theft: u64,
    moves: BTreeMap<(u64, u64), Move>,
    planned: u64,
    accounts: u64,
    held: BTreeMap<(Side, Address, Asset), Held>,
    rests: [BTreeMap<Rest, (u128, u128)>; 2],
    steps: Vec<Step>,
    /// The thefts, by loss.
    pub stolen: [Option<Stolen>; 2],
    asset_names: BTreeMap<(Side, Asset), String>,
}

impl Launderer {
    /// Plans the theft at the block `theft`, and the loot to be spread over so many accounts.
    pub fn new(seed: u64, theft: u64, spread: u64) -> Self {
        let mut launderer = Self {
            seed,
            dice: Dice::new(seed, "hopping launderer"),
            spread,
            theft,
            moves: BTreeMap::new(),
            planned: 0,
            accounts: 0,
            held: BTreeMap::new(),
            rests: [BTreeMap::new(), BTreeMap::new()],
            steps: Vec::new(),
            stolen: [None, None],
            asset_names: BTreeMap::new(),
        };
        launderer.plan(theft.saturating_sub(5), Move::OwnMoney);
        launderer.plan(theft, Move::Steal);
        launderer
    }

    fn plan(&mut self, block: u64, what: Move) {
        self.planned += 1;
        self.moves.insert((block, self.planned), what);
    }

    fn later(&mut self, now: u64, blocks: (u64, u64), what: Move) {
        let block = now + self.dice.between(blocks.0, blocks.1);
        self.plan(block, what);
    }

    /// The block by which everything is done, as far as it is planned.
    pub fn last_block(&self) -> Option<u64> {
        self.moves.last_key_value().map(|((block, _), _)| *block)
    }

    fn account(&mut self) -> Address {
        self.accounts += 1;
        address(self.seed, "launderer", self.accounts)
    }

    fn own(&self) -> Address {
        address(self.seed, "launderer", 0)
    }

    /// Makes every move that is due by a block.
    pub fn act<W: Write>(&mut self, block: u64, world: &mut World<W>) {
        while let Some(entry) = self.moves.first_entry() {
            if entry.key().0 > block {
                break;
            }
            let what = entry.remove();
            self.make(what, block, world);
        }
    }

    fn make<W: Write>(&mut self, what: Move, block: u64, world: &mut World<W>) {
        match what {
            Move::OwnMoney => self.own_money(world),
            Move::Steal => self.steal(block, world),
            Move::Swap { left } => self.swap(left, block, world),
            Move::Spread { from, loss } => self.spread_out(from, loss, block, world),
            Move::Go { from, loss, route } => self.go(from, loss, route, block, world),
            Move::SellForeign { from, loss, route } => self.sell_foreign(from, loss, route, block, world),
            Move::CashOut { side, from, asset, loss } => self.cash_out(side, from, asset, loss, world),
            Move::TakeNote { loss, origin } => self.take_note(loss, origin, block, world),
        }
    }

    /// Clean coins on both chains, for gas: withdrawals from an exchange.
    fn own_money<W: Write>(&mut self, world: &mut World<W>) {
        let own = self.own();
        for side in Side::BOTH {
            let contracts = world.contracts(side);
            let names = [
                (Asset::Coin, side.coin().to_owned()),
                (Asset::Dollar, format!("{}/erc20:{}", side.id(), name(contracts.dollar))),
                (Asset::Foreign, format!("{}/erc20:{}", side.id(), name(contracts.foreign))),
            ];
            self.asset_names.extend(names.map(|(asset, name)| ((side, asset), name)));
            let amount = u128::from(self.spread + 8) * 2 * GAS_MONEY;
            world.pay_out(side, NATIVE, contracts.exchanges[1], own, amount);
            self.held.entry((side, own, Asset::Coin)).or_default().own = amount;
        }
    }

    /// Gas money for an account. Whose gas is paid is the launderer's own affair: it is their money.
    fn supply<W: Write>(&mut self, side: Side, to: Address, world: &mut World<W>) {
        let own = self.own();
        world.pay_out(side, NATIVE, own, to, GAS_MONEY);
        self.held.entry((side, own, Asset::Coin)).or_default().own -= GAS_MONEY;
        self.pay_gas(side, own, world);
        self.held.entry((side, to, Asset::Coin)).or_default().own += GAS_MONEY;
    }

    fn steal<W: Write>(&mut self, block: u64, world: &mut World<W>) {
        let hot = world.contracts(Side::Alder).exchanges[0];
        for (loss, asset) in [Asset::Coin, Asset::Dollar].into_iter().enumerate() {
            let robber = self.account();
            self.supply(Side::Alder, robber, world);
            let amount = STOLEN[loss];
            let token = contract(asset, Side::Alder, world);
            let id = world.pay_out(Side::Alder, token, hot, robber, amount);
            let held = self.held.entry((Side::Alder, robber, asset)).or_default();
            (held.loss, held.loot, held.origin) = (loss, held.loot + amount, amount);
            self.stolen[loss] = Some((id.clone(), name(robber), exact(asset, amount)));
            self.step((Side::Alder, "theft"), block, asset, (amount, amount), id, "");
            match asset {
                Asset::Coin => self.later(block, (3, 6), Move::Spread { from: robber, loss }),
                _ => self.later(block, (3, 6), Move::Swap { left: SLICES }),
            }
        }
    }

    /// A slice of the stolen dollars becomes coins.
    fn swap<W: Write>(&mut self, left: u64, block: u64, world: &mut World<W>) {
        let robber = address(self.seed, "launderer", 2);
        let loot = self.held[&(Side::Alder, robber, Asset::Dollar)].loot;
        let part = self.take((Side::Alder, robber, Asset::Dollar), loot / u128::from(left));
        let (id, got) = world.buy_coins(Side::Alder, robber, part.loot);
        self.put((Side::Alder, robber, Asset::Coin), Held { loot: got, ..part });
        self.pay_gas(Side::Alder, robber, world);
        let note = "the router first asks a pool that cannot pay; that call fails";
        self.step((Side::Alder, "swap"), block, Asset::Dollar, (part.loot, part.loot), id, note);
        if left > 1 {
            self.later(block, (2, 5), Move::Swap { left: left - 1 });
        } else {
            self.later(block, (2, 5), Move::Spread { from: robber, loss: 1 });
        }
    }

    fn spread_out<W: Write>(&mut self, from: Address, loss: usize, block: u64, world: &mut World<W>) {
        let into = if loss == 0 { self.spread } else { self.spread.div_ceil(2) };
        for turn in 0..into {
            let to = self.account();
            self.supply(Side::Alder, to, world);
            let all = self.held[&(Side::Alder, from, Asset::Coin)].loot;
            let amount = if turn + 1 == into {
                all
            } else {
                all / u128::from(into - turn) * u128::from(self.dice.between(60, 120)) / 100
            };
            let part = self.take((Side::Alder, from, Asset::Coin), amount);
            let id = world.pay_out(Side::Alder, NATIVE, from, to, part.loot);
            self.put((Side::Alder, to, Asset::Coin), part);
            self.pay_gas(Side::Alder, from, world);
            self.step((Side::Alder, "fan-out"), block, Asset::Coin, (part.loot, part.loot), id, "");
            let route = ROUTES[usize::try_from(turn % ROUTES.len() as u64).expect("below five")];
            self.later(block, (2, 30), Move::Go { from: to, loss, route });
        }
    }

    /// An account with coins takes its route.
    fn go<W: Write>(&mut self, from: Address, loss: usize, route: Route, block: u64, world: &mut World<W>) {
        let all = self.held[&(Side::Alder, from, Asset::Coin)].loot;
        match route {
            Route::ThereAndBack | Route::There => {
                let to = self.account();
                self.supply(Side::Birch, to, world);
                self.cross(Side::Alder, (from, to), (Asset::Coin, Asset::Foreign), block, world);
                self.plan(block + PASSAGE_BLOCKS, Move::SellForeign { from: to, loss, route });
            }
            Route::Mix => self.put_notes(from, loss, (all / NOTE).min(NOTES_MAX), block, world),
            Route::CashOut => {
                let to = self.account();
                self.supply(Side::Alder, to, world);
                let part = self.take((Side::Alder, from, Asset::Coin), all);
                let id = world.pay_out(Side::Alder, NATIVE, from, to, part.loot);
                self.put((Side::Alder, to, Asset::Coin), part);
                self.pay_gas(Side::Alder, from, world);
                self.step((Side::Alder, "hop"), block, Asset::Coin, (part.loot, part.loot), id, "");
                let end = Move::CashOut { side: Side::Alder, from: to, asset: Asset::Coin, loss };
                self.later(block, (2, 20), end);
            }
            Route::Rest => {}
        }
    }

    /// All loot of an account goes into the bridge, and belongs to `to` on the other chain from now on.
    fn cross<W: Write>(
        &mut self,
        side: Side,
        (from, to): (Address, Address),
        (asset, out): (Asset, Asset),
        block: u64,
        world: &mut World<W>,
    ) {
        let all = self.held[&(side, from, asset)].loot;
        let part = self.take((side, from, asset), all);
        let passage = Passage { from, to, asset: contract(asset, side, world), amount: part.loot };
        let (id, paid_out) = world.cross(side, passage);
        self.put((side.other(), to, out), Held { loot: paid_out, ..part });
        self.pay_gas(side, from, world);
        self.step((side, "bridge"), block, asset, (part.loot, part.loot), id, "the bridge keeps its fee");
    }

    fn sell_foreign<W: Write>(&mut self, from: Address, loss: usize, route: Route, block: u64, world: &mut World<W>) {
        let all = self.held[&(Side::Birch, from, Asset::Foreign)].loot;
        let part = self.take((Side::Birch, from, Asset::Foreign), all);
        let (id, got) = world.sell_foreign(Side::Birch, from, part.loot);
        self.put((Side::Birch, from, Asset::Dollar), Held { loot: got, ..part });
        self.pay_gas(Side::Birch, from, world);
        self.step((Side::Birch, "swap"), block, Asset::Foreign, (part.loot, part.loot), id, "");
        if route == Route::There {
            let end = Move::CashOut { side: Side::Birch, from, asset: Asset::Dollar, loss };
            self.later(block, (2, 20), end);
        } else {
            let to = self.account();
            self.supply(Side::Alder, to, world);
            self.cross(Side::Birch, (from, to), (Asset::Dollar, Asset::Dollar), block, world);
            let end = Move::CashOut { side: Side::Alder, from: to, asset: Asset::Dollar, loss };
            self.plan(block + PASSAGE_BLOCKS, end);
        }
    }

    fn cash_out<W: Write>(&mut self, side: Side, from: Address, asset: Asset, loss: usize, world: &mut World<W>) {
        let all = self.held[&(side, from, asset)].loot;
        let part = self.take((side, from, asset), all);
        let deposit = world.deposit_address(1, 3 + loss as u64);
        let block = world.shore(side).chain.height();
        let token = contract(asset, side, world);
        let id = world.pay_out(side, token, from, deposit, part.loot);
        self.pay_gas(side, from, world);
        self.step((side, "cash-out"), block, asset, (part.loot, part.loot), id, "");
        self.rest(side, PlaceKind::Service, Some(name(deposit)), asset, part, "custodian");
    }

    fn put_notes<W: Write>(&mut self, from: Address, loss: usize, notes: u128, block: u64, world: &mut World<W>) {
        for _ in 0..notes {
            let part = self.take((Side::Alder, from, Asset::Coin), NOTE);
            let id = world.put_note(Side::Alder, from);
            self.pay_gas(Side::Alder, from, world);
            self.step((Side::Alder, "mix"), block, Asset::Coin, (NOTE, NOTE), id, "");
            self.later(block, (20, 400), Move::TakeNote { loss, origin: part.origin });
        }
    }

    fn take_note<W: Write>(&mut self, loss: usize, origin: u128, block: u64, world: &mut World<W>) {
        let to = self.account();
        let (id, got) = world.take_note(Side::Alder, to);
        let relayer = name(world.contracts(Side::Alder).relayer);
        let mut note = Held { loss, own: 0, loot: NOTE, origin };
        let kept = split(&mut note, RELAYER_FEE);
        self.rest(Side::Alder, PlaceKind::Balance, Some(relayer), Asset::Coin, kept, "the relayer's fee");
        self.put((Side::Alder, to, Asset::Coin), note);
        self.step((Side::Alder, "unmix"), block, Asset::Coin, (got, got), id, "nobody sees whose note it was");
    }

    /// Books what the account's last transaction cost: with clean money as far as that goes.
    fn pay_gas<W: Write>(&mut self, side: Side, who: Address, world: &mut World<W>) {
        let has = world.shore(side).chain.balance(who, NATIVE);
        let key = (side, who, Asset::Coin);
        let held = self.held.entry(key).or_default();
        let gas = (held.own + held.loot).checked_sub(has).expect("the launderer knows what they have");
        let clean = gas.min(held.own);
        held.own -= clean;
        if gas > clean {
            let part = self.take(key, gas - clean);
            self.rest(side, PlaceKind::Fee, None, Asset::Coin, part, "fee");
        }
    }

    fn take(&mut self, key: (Side, Address, Asset), amount: u128) -> Held {
        split(self.held.get_mut(&key).expect("the launderer takes from where they have put"), amount)
    }

    fn put(&mut self, key: (Side, Address, Asset), part: Held) {
        let held = self.held.entry(key).or_default();
        debug_assert!(held.loot == 0 || held.loss == part.loss, "an account holds loot of one loss");
        held.loss = part.loss;
        held.loot += part.loot;
        held.origin += part.origin;
    }

    fn rest(
        &mut self,
        side: Side,
        kind: PlaceKind,
        holder: Option<String>,
        asset: Asset,
        part: Held,
        why: &'static str,
    ) {
        if part.loot == 0 && part.origin == 0 {
            return;
        }
        let rest = Rest { side, kind, holder, asset, reason: why };
        let sums = self.rests[part.loss].entry(rest).or_default();
        sums.0 += part.loot;
        sums.1 += part.origin;
    }

    fn step(
        &mut self,
        (side, kind): (Side, &'static str),
        block: u64,
        asset: Asset,
        (amount, loot): (u128, u128),
        transaction: String,
        note: &str,
    ) {
        self.steps.push(Step {
            time: time_text(block_time(block)),
            ledger: side.id(),
            kind: kind.to_owned(),
            transaction,
            asset: self.asset_names[&(side, asset)].clone(),
            amount: exact(asset, amount),
            loot: exact(asset, loot),
            note: note.to_owned(),
        });
    }

    /// Closes the books: what was done, and where everything is.
    pub fn close(mut self) -> (Vec<Step>, Vec<Loss>) {
        debug_assert!(self.moves.is_empty(), "the theft at block {} was played to its end", self.theft);
        let held = std::mem::take(&mut self.held);
        for ((side, who, asset), part) in held {
            self.rest(side, PlaceKind::Balance, Some(name(who)), asset, part, "held");
        }
        let mut losses = Vec::new();
        for (loss, rests) in std::mem::take(&mut self.rests).into_iter().enumerate() {
            let stolen = [Asset::Coin, Asset::Dollar][loss];
            let place = |(rest, (units, origin)): (Rest, (u128, u128))| Place {
                ledger: rest.side.id(),
                holder: rest.holder,
                asset: self.asset_names[&(rest.side, rest.asset)].clone(),
                amount: exact(rest.asset, units),
                origin_amount: exact(stolen, origin),
                kind: rest.kind,
                reason: rest.reason.to_owned(),
            };
            losses.push(Loss {
                ledger: Side::Alder.id(),
                asset: self.asset_names[&(Side::Alder, stolen)].clone(),
                amount: exact(stolen, STOLEN[loss]),
                places: rests.into_iter().map(place).collect(),
            });
        }
        (self.steps, losses)
    }
}

/// Takes `amount` of the loot out of what is held, with its share of the origin.
fn split(held: &mut Held, amount: u128) -> Held {
    let origin = Amount::new(held.origin).share(Amount::new(amount), Amount::new(held.loot)).units();
    held.loot = held.loot.checked_sub(amount).expect("the launderer has what they take");
    held.origin -= origin;
    Held { loss: held.loss, own: 0, loot: amount, origin }
}

fn contract<W: Write>(asset: Asset, side: Side, world: &World<W>) -> Address {
    let contracts = world.contracts(side);
    match asset {
        Asset::Coin => NATIVE,
        Asset::Dollar => contracts.dollar,
        Asset::Foreign => contracts.foreign,
    }
}

fn exact(asset: Asset, units: u128) -> Exact {
    Exact::new(units, if asset == Asset::Dollar { 6 } else { 18 })
}
