//! [`World`]: two EVM chains with a bridge between them, pools, an exchange and a mixing pool, and the people who use
//! them. Ordinary life is decided here; the launderer acts in [`super::launderer`].

use std::collections::VecDeque;
use std::io::{self, Write};

use money::Amount;
use sha2::{Digest, Sha256};

use super::abi::{Address, Word, keccak, of_address, of_number, text, topic};
use super::chain::{BLOCK_SECONDS, EvmChain, EvmCounts, NATIVE, ZERO};
use crate::dice::Dice;

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;
/// How far the second chain's clock is behind.
const BEHIND_SECONDS: i64 = 5;
/// One unit of a coin.
pub const COIN: u128 = 1_000_000_000_000_000_000;
/// One unit of a dollar token.
pub const DOLLAR: u128 = 1_000_000;
/// What a note of the mixing pool is worth.
pub const NOTE: u128 = 10 * COIN;
/// What a relayer keeps of a note.
pub const RELAYER_FEE: u128 = COIN / 20;
/// The bridge's fee: this many millionths, and a base.
const BRIDGE_MILLIONTHS: u128 = 400;
const BRIDGE_DOLLARS: u128 = DOLLAR / 2;
const BRIDGE_COINS: u128 = COIN / 4_000;
/// People do not carry less than this over: the base fee would be more than a hundredth.
const PASSAGE_DOLLARS_MIN: u128 = 100 * DOLLAR;
const PASSAGE_COINS_MIN: u128 = COIN / 20;
/// How long a passage takes, in blocks.
const PASSAGE_BLOCKS: (u64, u64) = (4, 60);
/// What a pool keeps of each swap, in thousandths.
const POOL_THOUSANDTHS: u128 = 3;
/// The largest number of people.
const PEOPLE_MAX: u64 = 2_000;
/// Deposit addresses of each exchange.
const CUSTOMERS: u64 = 40;

/// Which of the two chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The chain that is robbed.
    Alder,
    /// The other one.
    Birch,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Alder, Self::Birch];

    /// The chain's number: of no chain that there is.
    pub const fn number(self) -> u64 {
        match self {
            Self::Alder => 7_330_001,
            Self::Birch => 7_330_002,
        }
    }

    /// The chain's name: its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alder => "alder",
            Self::Birch => "birch",
        }
    }

    /// Its native coin.
    pub const fn coin(self) -> &'static str {
        match self {
            Self::Alder => "ALD",
            Self::Birch => "BIR",
        }
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Alder => Self::Birch,
            Self::Birch => Self::Alder,
        }
    }

    /// Its CAIP-2 id.
    pub fn id(self) -> String {
        format!("eip155:{}", self.number())
    }
}

/// An address of the world: a hash, so nobody has its key.
pub fn address(seed: u64, what: &str, number: u64) -> Address {
    let hash = Sha256::new()
        .chain_update(b"exercise hopping")
        .chain_update(seed.to_le_bytes())
        .chain_update(what.as_bytes())
        .chain_update(number.to_le_bytes())
        .finalize();
    hash[..20].try_into().expect("a hash has 32 bytes")
}

/// The contracts of one chain.
#[derive(Clone, Copy, Debug)]
pub struct Contracts {
    /// The native coin as a token.
    pub wrapper: Address,
    /// A dollar.
    pub dollar: Address,
    /// The other chain's native coin, as a token.
    pub foreign: Address,
    /// Where coin and dollar are swapped, and foreign coin and dollar.
    pub coin_pool: Address,
    pub foreign_pool: Address,
    pub router: Address,
    pub bridge: Address,
    pub mixer: Address,
    pub relayer: Address,
    /// Two exchanges' hot wallets; the first is robbed.
    pub exchanges: [Address; 2],
}

impl Contracts {
    fn of(seed: u64, side: Side) -> Self {
        let at = |what: &str| address(seed, what, side.number());
        Self {
            wrapper: at("wrapper"),
            dollar: at("dollar"),
            foreign: at("foreign coin"),
            coin_pool: at("coin pool"),
            foreign_pool: at("foreign pool"),
            router: at("router"),
            bridge: at("bridge"),
            mixer: at("mixer"),
            relayer: at("relayer"),
            exchanges: [at("first exchange"), at("second exchange")],
        }
    }
}

/// A payment out of the bridge that is due.
#[derive(Clone, Debug)]
struct Due {
    block: u64,
    to: Address,
    /// The token that comes out, on the chain that it comes out on.
    token: Address,
    amount: u128,
    transfer: Word,
    sender: Address,
}

/// What a passage into the bridge is to be.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    pub from: Address,
    pub to: Address,
    /// [`NATIVE`], or a token.
    pub asset: Address,
    pub amount: u128,
}

/// One chain, and what waits on it.
pub struct Shore<W> {
    pub chain: EvmChain<W>,
    pub contracts: Contracts,
    due: VecDeque<Due>,
    notes: u64,
    withdrawn: u64,
    nonce: u64,
}

/// Both chains, and the people.
pub struct World<W> {
    seed: u64,
    dice: Dice,
    people: u64,
    shores: [Shore<W>; 2],
    /// Notes in the mixing pools that belong to ordinary people: whose, and where.
    mixing: VecDeque<(Side, u64)>,
}

impl<W: Write> World<W> {
    /// The world of `seed` with about `transactions` transactions to come, its chains going to `outs`.
    pub fn new(seed: u64, transactions: u64, outs: [W; 2]) -> io::Result<Self> {
        let [first, second] = outs;
        let people = (transactions / 20).clamp(20, PEOPLE_MAX);
        let shores = [shore(seed, Side::Alder, first)?, shore(seed, Side::Birch, second)?];
        let mut world = Self { seed, dice: Dice::new(seed, "hopping life"), people, shores, mixing: VecDeque::new() };
        for side in Side::BOTH {
            world.found(side)?;
        }
        Ok(world)
    }

    pub const fn shore(&mut self, side: Side) -> &mut Shore<W> {
        &mut self.shores[side as usize]
    }

    /// The contracts of a chain.
    pub const fn contracts(&self, side: Side) -> Contracts {
        self.shores[side as usize].contracts
    }

    /// A person: the same account on both chains.
    pub fn person(&self, number: u64) -> Address {
        address(self.seed, "person", number)
    }

    /// A customer's deposit address at an exchange.
    pub fn deposit_address(&self, exchange: usize, customer: u64) -> Address {
        address(self.seed, "customer", exchange as u64 * CUSTOMERS + customer % CUSTOMERS)
    }

    /// All deposit addresses of an exchange.
    pub fn deposit_addresses(&self, exchange: usize) -> impl Iterator<Item = Address> + '_ {
        (0..CUSTOMERS).map(move |customer| self.deposit_address(exchange, customer))
    }

    /// The first blocks: everybody is given something to begin with.
    fn found(&mut self, side: Side) -> io::Result<()> {
        let (people, seed) = (self.people, self.seed);
        let customers: Vec<Address> = (0..2).flat_map(|at| self.deposit_addresses(at).collect::<Vec<_>>()).collect();
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let contracts = *contracts;
        let billion = 1_000_000_000;
        let founder = address(seed, "founder", 0);
        for (to, coins) in [(founder, 400_000), (contracts.relayer, 50), (contracts.bridge, 10)] {
            chain.grant(to, coins * billion);
        }
        for hot in contracts.exchanges {
            chain.grant(hot, 20_000 * billion);
        }
        for customer in customers {
            chain.grant(customer, billion);
        }
        for number in 0..people {
            chain.grant(address(seed, "person", number), (40 + u128::from(number % 37)) * billion);
        }
        chain.seal()?;
        for exchange in contracts.exchanges {
            self.mint(side, contracts.dollar, exchange, 3_000_000 * DOLLAR);
        }
        for number in 0..people {
            let person = self.person(number);
            self.mint(side, contracts.dollar, person, 5_000 * DOLLAR);
        }
        self.mint(side, contracts.dollar, contracts.bridge, 30_000_000 * DOLLAR);
        self.mint(side, contracts.foreign, contracts.bridge, 100_000 * COIN);
        for pool in [contracts.coin_pool, contracts.foreign_pool] {
            self.mint(side, contracts.dollar, pool, 60_000_000 * DOLLAR);
        }
        self.mint(side, contracts.foreign, contracts.foreign_pool, 30_000 * COIN);
        let chain = &mut self.shores[side as usize].chain;
        for (to, amount) in [(contracts.coin_pool, 30_000 * COIN), (contracts.bridge, 50_000 * COIN)] {
            let mut transaction = chain.begin(founder, contracts.router, 0);
            chain.wrap(&mut transaction, contracts.wrapper, founder, amount);
            chain.transfer(&mut transaction, contracts.wrapper, founder, to, amount);
            chain.end(transaction);
        }
        chain.seal()
    }

    fn mint(&mut self, side: Side, token: Address, to: Address, amount: u128) {
        let founder = address(self.seed, "founder", 0);
        let chain = &mut self.shores[side as usize].chain;
        let mut transaction = chain.begin(founder, token, 0);
        chain.transfer(&mut transaction, token, ZERO, to, amount);
        chain.end(transaction);
    }

    /// One thing that somebody does in ordinary life; on which chain, chance says.
    pub fn live(&mut self) {
        let side = Side::BOTH[self.dice.index(2)];
        let who = self.dice.below(self.people);
        let payee = self.dice.below(self.people);
        let (from, to) = (self.person(who), self.person(payee));
        let coins = u128::from(self.dice.log_between(1, 2_000)) * COIN / 1_000;
        let dollars = u128::from(self.dice.log_between(1, 2_000)) * DOLLAR;
        let contracts = self.contracts(side);
        match self.dice.below(100) {
            0..30 => self.pay(side, NATIVE, from, to, coins),
            30..55 => self.pay(side, contracts.dollar, from, to, dollars),
            55..63 => {
                let exchange = self.dice.index(2);
                let deposit = self.deposit_address(exchange, who);
                let asset = if self.dice.percent(50) { NATIVE } else { contracts.dollar };
                self.pay(side, asset, from, deposit, if asset == NATIVE { coins } else { dollars });
            }
            63..68 => self.sweep(side),
            68..73 => {
                let hot = contracts.exchanges[self.dice.index(2)];
                self.pay(side, contracts.dollar, hot, to, dollars);
            }
            73..86 => self.trade(side, from, coins, dollars),
            86..95 => self.travel(side, Passage { from, to: from, asset: NATIVE, amount: coins }, dollars),
            _ => self.mix(side, who),
        }
    }

    /// Pays if there is enough; gas is left aside.
    pub fn pay(&mut self, side: Side, asset: Address, from: Address, to: Address, amount: u128) {
        let chain = &mut self.shores[side as usize].chain;
        let gas = COIN / 500;
        let has_gas = chain.balance(from, NATIVE) >= gas + if asset == NATIVE { amount } else { 0 };
        if !has_gas || chain.balance(from, asset) < amount || amount == 0 || from == to {
            return;
        }
        self.pay_out(side, asset, from, to, amount);
    }

    /// Pays what is known to be there.
    pub fn pay_out(&mut self, side: Side, asset: Address, from: Address, to: Address, amount: u128) -> String {
        let chain = &mut self.shores[side as usize].chain;
        let transaction = if asset == NATIVE {
            chain.begin(from, to, amount)
        } else {
            let mut transaction = chain.begin(from, asset, 0);
            chain.transfer(&mut transaction, asset, from, to, amount);
            transaction
        };
        chain.end(transaction)
    }

    /// A deposit address passes on what it has.
    fn sweep(&mut self, side: Side) {
        let exchange = self.dice.index(2);
        let customer = self.dice.below(CUSTOMERS);
        let deposit = self.deposit_address(exchange, customer);
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let (hot, dollar) = (contracts.exchanges[exchange], contracts.dollar);
        let (coins, dollars) = (chain.balance(deposit, NATIVE), chain.balance(deposit, dollar));
        if dollars > 0 {
            self.pay(side, dollar, deposit, hot, dollars);
        } else if coins > COIN {
            self.pay(side, NATIVE, deposit, hot, coins - COIN / 2);
        }
    }

    fn trade(&mut self, side: Side, from: Address, coins: u128, dollars: u128) {
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let (has_coins, has_dollars) = (chain.balance(from, NATIVE), chain.balance(from, contracts.dollar));
        let sells = self.dice.percent(50);
        if sells && has_coins > coins + COIN {
            self.sell_coins(side, from, coins);
        } else if !sells && has_dollars > dollars && has_coins > COIN {
            self.buy_coins(side, from, dollars);
        }
    }

    /// Coins into dollars, through the router: wrapped, swapped at the pool, paid on. Returns id and dollars.
    pub fn sell_coins(&mut self, side: Side, from: Address, amount: u128) -> (String, u128) {
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let Contracts { router, wrapper, coin_pool, dollar, .. } = *contracts;
        let got = quote(chain.balance(coin_pool, wrapper), chain.balance(coin_pool, dollar), amount);
        let mut transaction = chain.begin(from, router, amount);
        chain.wrap(&mut transaction, wrapper, router, amount);
        chain.transfer(&mut transaction, wrapper, router, coin_pool, amount);
        chain.transfer(&mut transaction, dollar, coin_pool, router, got);
        chain.transfer(&mut transaction, dollar, router, from, got);
        (chain.end(transaction), got)
    }

    /// Dollars into coins, through the router, which tries a dry pool first: that call fails. Returns id and coins.
    pub fn buy_coins(&mut self, side: Side, from: Address, amount: u128) -> (String, u128) {
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let Contracts { router, wrapper, coin_pool, foreign_pool, dollar, .. } = *contracts;
        let got = quote(chain.balance(coin_pool, dollar), chain.balance(coin_pool, wrapper), amount);
        let mut transaction = chain.begin(from, router, 0);
        transaction.failing_call(router, foreign_pool, got);
        chain.transfer(&mut transaction, dollar, from, coin_pool, amount);
        chain.transfer(&mut transaction, wrapper, coin_pool, router, got);
        chain.unwrap(&mut transaction, wrapper, router, got);
        chain.call(&mut transaction, router, from, got);
        (chain.end(transaction), got)
    }

    /// The other chain's coin into dollars, straight at the pool. Returns id and dollars.
    pub fn sell_foreign(&mut self, side: Side, from: Address, amount: u128) -> (String, u128) {
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let Contracts { foreign_pool, foreign, dollar, .. } = *contracts;
        let got = quote(chain.balance(foreign_pool, foreign), chain.balance(foreign_pool, dollar), amount);
        let mut transaction = chain.begin(from, foreign_pool, 0);
        chain.transfer(&mut transaction, foreign, from, foreign_pool, amount);
        chain.transfer(&mut transaction, dollar, foreign_pool, from, got);
        (chain.end(transaction), got)
    }

    fn travel(&mut self, side: Side, passage: Passage, dollars: u128) {
        let Shore { chain, contracts, .. } = &mut self.shores[side as usize];
        let (dollar, coins) = (contracts.dollar, chain.balance(passage.from, NATIVE));
        if self.dice.percent(50) && chain.balance(passage.from, dollar) > dollars && dollars > PASSAGE_DOLLARS_MIN {
            if coins > COIN {
                self.cross(side, Passage { asset: dollar, amount: dollars, ..passage });
            }
        } else if coins > passage.amount + COIN && passage.amount > PASSAGE_COINS_MIN {
            self.cross(side, passage);
        }
    }

    /// Into the bridge; what comes out on the other chain is due later. Returns id, and what will come out.
    pub fn cross(&mut self, side: Side, passage: Passage) -> (String, u128) {
        let other = self.shores[side.other() as usize].contracts;
        let after = self.dice.between(PASSAGE_BLOCKS.0, PASSAGE_BLOCKS.1);
        let Shore { chain, contracts, nonce, .. } = &mut self.shores[side as usize];
        let Contracts { bridge, wrapper, dollar, foreign, .. } = *contracts;
        let Passage { from, to, asset, amount } = passage;
        // The native coin goes in wrapped, and comes out as the other chain's token for it.
        let (token, out) = match asset {
            NATIVE => (wrapper, other.foreign),
            token if token == dollar => (dollar, other.dollar),
            _ => (foreign, other.wrapper),
        };
        let fee = amount * BRIDGE_MILLIONTHS / 1_000_000 + if token == dollar { BRIDGE_DOLLARS } else { BRIDGE_COINS };
        let paid_out = amount.saturating_sub(fee);
        let mut transaction = chain.begin(from, bridge, if asset == NATIVE { amount } else { 0 });
        if asset == NATIVE {
            chain.wrap(&mut transaction, wrapper, bridge, amount);
        } else {
            chain.transfer(&mut transaction, token, from, bridge, amount);
        }
        *nonce += 1;
        let said = [of_address(from), of_address(to), of_address(token), of_number(amount)];
        let chains = [of_number(side.other().number().into()), of_number((*nonce).into()), of_number(5_000)];
        let transfer = keccak(&[said.concat(), chains.concat(), of_number(side.number().into()).to_vec()].concat());
        let data = [vec![transfer], said.to_vec(), chains.to_vec()].concat();
        transaction.log(bridge, vec![topic(SEND)], &data);
        let id = chain.end(transaction);
        let block = chain.height() + after;
        let shore = &mut self.shores[side.other() as usize];
        let at = shore.due.partition_point(|due| due.block <= block);
        shore.due.insert(at, Due { block, to, token: out, amount: paid_out, transfer, sender: from });
        (id, paid_out)
    }

    /// Pays out what is due from the bridge on one chain.
    pub fn pay_due(&mut self, side: Side) {
        let Shore { chain, contracts, due, .. } = &mut self.shores[side as usize];
        let (bridge, relayer) = (contracts.bridge, contracts.relayer);
        while due.front().is_some_and(|due| due.block <= chain.height()) {
            let Due { to, token, amount, transfer, sender, .. } = due.pop_front().expect("it was looked at");
            let source = of_number(side.other().number().into());
            let mut transaction = chain.begin(relayer, bridge, 0);
            chain.transfer(&mut transaction, token, bridge, to, amount);
            let said = [of_address(sender), of_address(to), of_address(token), of_number(amount), source, transfer];
            let own = keccak(&[&said.concat()[..], b"relay"].concat());
            transaction.log(bridge, vec![topic(RELAY)], &[vec![own], said.to_vec()].concat());
            chain.end(transaction);
        }
    }

    fn mix(&mut self, side: Side, who: u64) {
        let person = self.person(who);
        if self.dice.percent(50)
            && let Some((at, owner)) = self.mixing.pop_front()
        {
            // Most take a fresh address; some are careless.
            let to = if self.dice.percent(12) { self.person(owner) } else { address(self.seed, "fresh", owner) };
            self.take_note(at, to);
        } else if self.shore(side).chain.balance(person, NATIVE) > NOTE + COIN {
            self.put_note(side, person);
            self.mixing.push_back((side, who));
        }
    }

    /// A note into the mixing pool.
    pub fn put_note(&mut self, side: Side, from: Address) -> String {
        let Shore { chain, contracts, notes, .. } = &mut self.shores[side as usize];
        let mut transaction = chain.begin(from, contracts.mixer, NOTE);
        let commitment = keccak(&[&b"commitment"[..], &from, &notes.to_le_bytes()].concat());
        let time = u128::try_from(chain.time()).expect("exercises play in this century");
        let topics = vec![topic("Deposit(bytes32,uint32,uint256)"), commitment];
        transaction.log(contracts.mixer, topics, &[of_number((*notes).into()), of_number(time)]);
        *notes += 1;
        chain.end(transaction)
    }

    /// A note out of the mixing pool, through the relayer. Returns the id and what was received.
    pub fn take_note(&mut self, side: Side, to: Address) -> (String, u128) {
        let Shore { chain, contracts, withdrawn, .. } = &mut self.shores[side as usize];
        let (mixer, relayer) = (contracts.mixer, contracts.relayer);
        let mut transaction = chain.begin(relayer, mixer, 0);
        chain.call(&mut transaction, mixer, to, NOTE - RELAYER_FEE);
        chain.call(&mut transaction, mixer, relayer, RELAYER_FEE);
        let nullifier = keccak(&[&b"nullifier"[..], &to, &withdrawn.to_le_bytes()].concat());
        let topics = vec![topic("Withdrawal(address,bytes32,address,uint256)"), of_address(relayer)];
        transaction.log(mixer, topics, &[of_address(to), nullifier, of_number(RELAYER_FEE)]);
        *withdrawn += 1;
        (chain.end(transaction), NOTE - RELAYER_FEE)
    }

    /// Seals a block on both chains.
    pub fn seal(&mut self) -> io::Result<()> {
        self.shores.iter_mut().try_for_each(|shore| shore.chain.seal())
    }

    /// Whether anything is still on its way.
    pub fn is_waiting(&self) -> bool {
        self.shores.iter().any(|shore| !shore.due.is_empty())
    }

    /// Ends both chains.
    pub fn finish(self) -> io::Result<[EvmCounts; 2]> {
        let [first, second] = self.shores;
        Ok([first.chain.finish()?, second.chain.finish()?])
    }
}

/// What goes into the bridge, in the shape of Celer cBridge's `Send`.
const SEND: &str = "Send(bytes32,address,address,address,uint256,uint64,uint64,uint32)";
/// What comes out of it, in the shape of Celer cBridge's `Relay`.
const RELAY: &str = "Relay(bytes32,address,address,address,uint256,uint64,bytes32)";

/// What a pool gives for `amount`: the product of what it holds stays, less its fee.
fn quote(has_in: u128, has_out: u128, amount: u128) -> u128 {
    let kept = amount * (1_000 - POOL_THOUSANDTHS) / 1_000;
    Amount::new(has_out).share(Amount::new(kept), Amount::new(has_in + kept)).units()
}

fn shore<W: Write>(seed: u64, side: Side, out: W) -> io::Result<Shore<W>> {
    let contracts = Contracts::of(seed, side);
    let tokens = [(contracts.wrapper, 18, "WRAP"), (contracts.dollar, 6, "USDX"), (contracts.foreign, 18, "FOREIGN")];
    let behind = if side == Side::Birch { BEHIND_SECONDS } else { 0 };
    let producer = address(seed, "producer", side.number());
    let chain = EvmChain::new(out, seed, side.number(), START + behind, producer, &tokens)?;
    Ok(Shore { chain, contracts, due: VecDeque::new(), notes: 0, withdrawn: 0, nonce: 0 })
}

/// An address as people write it here.
pub fn name(address: Address) -> String {
    text(&address)
}

/// The time of a block of the first chain, in seconds since 1970.
pub const fn block_time(height: u64) -> i64 {
    START + height.cast_signed() * BLOCK_SECONDS
}
