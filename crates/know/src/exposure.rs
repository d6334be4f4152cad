//! The sixteen names under which exposure is counted, and how bad each is.
//!
//! Every category and every risk of `rules/categories.csv` lands in one of them, or in none (ordinary holders, through whom money
//! passes under the names that it came with). The number of a category is its place here, and where a holder has several
//! risks the highest number counts: the worst. What is done with the numbers is for the room `exposure` to say.

/// The names, in the order of their numbers: what nobody knows, how coin comes to be, a technique, services, then risks
/// from bad to worst.
pub const EXPOSURE_CATEGORIES: [&str; 16] = [
    "unknown",
    "mined",
    "coinjoin",
    "service",
    "exchange",
    "gambling",
    "bridge",
    "mixer",
    "illicit",
    "scam",
    "darknet",
    "ransomware",
    "theft",
    "csam",
    "terrorism",
    "sanctioned",
];

/// The lowest number of a risk: mixers and everything after them.
const FIRST_RISK: u8 = 7;

/// The number of a name.
pub fn exposure_category(name: &str) -> Option<u8> {
    let at = EXPOSURE_CATEGORIES.iter().position(|known| *known == name)?;
    u8::try_from(at).ok()
}

/// Whether money of this category is a reason for doubt by itself. A recognised CoinJoin is none: it is a technique that
/// ordinary people use, and a rule of the user's own may still count it.
pub const fn exposure_is_risk(category: u8) -> bool {
    category >= FIRST_RISK && (category as usize) < EXPOSURE_CATEGORIES.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_are_where_everybody_expects_them_and_risks_follow_services() {
        assert_eq!(["unknown", "mined", "coinjoin"].map(exposure_category), [Some(0), Some(1), Some(2)]);
        assert_eq!(exposure_category("nothing"), None);
        let risks: Vec<&str> =
            (0..=255).filter(|at| exposure_is_risk(*at)).map(|at| EXPOSURE_CATEGORIES[usize::from(at)]).collect();
        assert_eq!(
            risks,
            ["mixer", "illicit", "scam", "darknet", "ransomware", "theft", "csam", "terrorism", "sanctioned"]
        );
    }
}
