//! Tag packs as claims: each tag says what its pack's text says, nothing more.

use decode::tagpack::{Tag, TagPack};

use crate::{Claim, Scope};

/// The claims of a pack, in file order, under the name that the reader of reports will see.
pub fn from_tag_pack(pack: &TagPack, name: &str) -> Vec<Claim> {
    pack.tags.iter().map(|tag| claim(tag, name)).collect()
}

fn claim(tag: &Tag, pack: &str) -> Claim {
    let mut claim = Claim::new(&tag.address, &tag.label, pack);
    // Where a pack tells the chain from the coin, the chain says where the address lives.
    if let Some(currency) = tag.network.as_ref().or(tag.currency.as_ref()) {
        claim.scope = Scope::Currency(currency.clone());
    }
    for category in tag.category.iter().chain(&tag.concepts) {
        claim.add_category(category);
    }
    claim.abuse.clone_from(&tag.abuse);
    claim.actor.clone_from(&tag.actor);
    claim.source.clone_from(&tag.source);
    claim.confidence.clone_from(&tag.confidence);
    claim.date = tag.lastmod;
    claim
}
