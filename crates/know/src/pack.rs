//! Tag packs as claims: each tag says what its pack's text says, nothing more.

use decode::fault::quoted;
use decode::tagpack::{Tag, TagPack};
use decode::{Fault, Text};
use ledger::LedgerId;
use ledger::address::canonical;

use crate::{Claim, Rules, Scope};

/// The claims of a pack, in file order, under the name that the reader of reports will see, and one fault for each tag
/// whose address is mistyped, whichever ledger it is of, or whose network is none.
pub fn from_tag_pack(pack: TagPack, name: &str, rules: &Rules) -> (Vec<Claim>, Vec<Fault>) {
    let name = Text::from(name);
    let anywhere = LedgerId::parse("table:any").expect("a plain table id");
    let (mut claims, mut faults) = (Vec::with_capacity(pack.tags.len()), Vec::new());
    for tag in pack.tags {
        let fault = |field, what, help| Fault::line(tag.line, what, help).field(field);
        if let Err(error) = canonical(&anywhere, &tag.address) {
            let what = format!("{}: {error}", quoted(&tag.address));
            faults.push(fault("address", what, "copy the address again, in full"));
            continue;
        }
        match scope(&tag, rules) {
            Ok(scope) => claims.push(Claim { scope, ..claim(tag, &name) }),
            Err(network) => {
                let help = "write a CAIP-2 id such as eip155:1, or the network's coin";
                faults.push(fault("network", format!("{} is no network", quoted(&network)), help));
            }
        }
    }
    (claims, faults)
}

/// Where a pack tells the chain from the coin, the chain says where the address lives: a coin's name, a CAIP-2 id, or a
/// name that stands for one.
fn scope(tag: &Tag, rules: &Rules) -> Result<Scope, Text> {
    let Some(network) = &tag.network else {
        return Ok(tag.currency.clone().map_or(Scope::Anywhere, Scope::Currency));
    };
    if !rules.knows_currency(network)
        && let Ok(ledger) = LedgerId::parse(network)
    {
        return Ok(Scope::Ledger(ledger));
    }
    if network.contains(':') { Err(Text::clone(network)) } else { Ok(Scope::Currency(Text::clone(network))) }
}

fn claim(tag: Tag, pack: &Text) -> Claim {
    let mut claim = Claim::new(tag.address, tag.label, Text::clone(pack));
    for category in tag.category.iter().chain(tag.concepts.iter()) {
        claim.add_category(Text::clone(category));
    }
    claim.abuse = tag.abuse;
    claim.actor = tag.actor;
    claim.source = tag.source;
    claim.confidence = tag.confidence;
    claim.date = tag.lastmod;
    claim
}
