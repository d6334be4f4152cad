//! [`Assembler`]: legs out of movements, with assets named and amounts that fit.

use ledger::{AccountLeg, LegKind};
use money::{Amount, Asset, SCALE_MAX};
use ruint::aliases::U256;
use rustc_hash::FxHashMap;

use crate::answers::Log;
use crate::chain::Chain;
use crate::fault::Problem;
use crate::fees::Fee;
use crate::tokens::{Standard, Tokens};
use crate::trace::Move;
use crate::transfers;
use crate::words::{AddressBytes, ZERO, holder};

/// What is known of one transaction, from wherever it came.
pub struct Parts<'p, 'l> {
    /// Whoever sent it and paid for it, where that is known.
    pub sender: Option<AddressBytes>,
    /// What a deposit from the chain below brought into being for the sender.
    pub mint: U256,
    pub fee: Fee,
    /// The native coin that it moved, in the order of its calls.
    pub moves: &'p [Move],
    /// What its contracts wrote, in order.
    pub logs: &'p [Log<'l>],
    /// Who produced the block.
    pub producer: Option<AddressBytes>,
}

/// Makes the legs of a block. The chain's coin is the first of its assets; tokens follow as they first occur.
pub struct Assembler<'a> {
    pub chain: &'a Chain,
    pub tokens: &'a Tokens,
    pub assets: Vec<Asset>,
    pub problems: Vec<Problem>,
    places: FxHashMap<(Standard, AddressBytes), usize>,
}

impl<'a> Assembler<'a> {
    pub fn new(chain: &'a Chain, tokens: &'a Tokens) -> Self {
        Self { chain, tokens, assets: vec![chain.native.clone()], problems: Vec::new(), places: FxHashMap::default() }
    }

    /// The legs of a transaction: the fee, native coin by calls, tokens by logs, and last who receives the fee.
    pub fn transaction(&mut self, name: &str, parts: &Parts<'_, '_>) -> Vec<AccountLeg> {
        let mut legs = Legs::of(name);
        self.native(&mut legs, [None, parts.sender], parts.mint, LegKind::Transfer);
        if parts.sender.is_some() {
            self.native(&mut legs, [parts.sender, None], parts.fee.total(), LegKind::Fee);
        }
        for step in parts.moves {
            self.native(&mut legs, [Some(step.from), step.to], step.value, LegKind::Transfer);
        }
        transfers::legs(self, parts.logs, parts.moves, &mut legs);
        let chain = self.chain;
        let receivers =
            [(parts.producer, parts.fee.tip), (chain.base_fee_to, parts.fee.base), (chain.l1_fee_to, parts.fee.l1)];
        for (to, value) in receivers {
            if to.is_some() {
                self.native(&mut legs, [None, to], value, LegKind::Fee);
            }
        }
        legs.list
    }

    /// A movement of the chain's coin, if it moves something. The zero address is an account like any other there.
    pub fn native(&mut self, legs: &mut Legs<'_>, ends: [Option<AddressBytes>; 2], value: U256, kind: LegKind) {
        if !value.is_zero() {
            self.leg(legs, ends, 0, value, kind);
        }
    }

    /// A movement of a token, of zero units too.
    pub fn token(
        &mut self,
        legs: &mut Legs<'_>,
        ends: [Option<AddressBytes>; 2],
        (standard, contract): (Standard, &AddressBytes),
        units: U256,
    ) {
        let place = match self.places.get(&(standard, *contract)) {
            Some(place) => *place,
            None => self.place(standard, contract),
        };
        self.leg(legs, ends, place, units, LegKind::Transfer);
    }

    /// Who receives the tips of a block. On chains with other headers a miner of zero means that nobody is named.
    pub fn producer(&self, miner: AddressBytes) -> Option<AddressBytes> {
        (self.chain.standard || miner != ZERO).then_some(miner)
    }

    fn place(&mut self, standard: Standard, contract: &AddressBytes) -> usize {
        let symbol = standard.asset(self.chain.number, contract);
        let known = self.tokens.get(contract).and_then(|token| token.decimals).filter(|scale| *scale <= SCALE_MAX);
        let scale = if standard == Standard::Erc20 { known } else { Some(0) };
        if scale.is_none() {
            self.problems.push(Problem::NoDecimals { asset: symbol.clone() });
        }
        self.assets.push(Asset { symbol, scale: scale.unwrap_or(0) });
        self.places.insert((standard, *contract), self.assets.len() - 1);
        self.assets.len() - 1
    }

    fn leg(
        &mut self,
        legs: &mut Legs<'_>,
        [from, to]: [Option<AddressBytes>; 2],
        asset: usize,
        value: U256,
        kind: LegKind,
    ) {
        let asset = &self.assets[asset].symbol;
        match u128::try_from(value).map(Amount::new) {
            Ok(amount) if amount <= Amount::MAX => legs.list.push(AccountLeg {
                from: from.as_ref().map(holder),
                to: to.as_ref().map(holder),
                asset: asset.clone(),
                amount,
                fee: Amount::ZERO,
                kind,
            }),
            _ => self.problems.push(Problem::TooLarge {
                transaction: legs.transaction.to_owned(),
                asset: asset.clone(),
                amount: value,
            }),
        }
    }
}

/// The legs of one transaction, as they come.
pub struct Legs<'a> {
    /// The transaction's name, for what must be said of it.
    pub transaction: &'a str,
    pub list: Vec<AccountLeg>,
}

impl<'a> Legs<'a> {
    pub const fn of(transaction: &'a str) -> Self {
        Self { transaction, list: Vec::new() }
    }
}
