//! The tables of rules: readable, complete, overridable, and in the words of the public taxonomy.

use know::{EXPOSURE_CATEGORIES, Rules, StopKind, exposure_is_risk, word};

const TAXONOMY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/standards/interpol-dwva/dwva-taxonomy-v03.ttl");

fn stop(rules: &Rules, category: &str) -> &'static str {
    match rules.category(category) {
        None => "unknown",
        Some(rule) => rule.stop.map_or("none", StopKind::as_str),
    }
}

#[test]
fn the_usual_categories_do_what_an_investigator_expects() {
    let rules = Rules::default();
    for (category, want) in [
        ("exchange", "service"),
        ("hosted_wallet", "service"),
        ("payment_processor", "service"),
        ("gambling", "service"),
        ("market", "service"),
        ("bank", "service"),
        ("mixing_service", "mixer"),
        ("Mixing Service", "mixer"),
        ("coinjoin", "mixer"),
        ("defi_bridge", "bridge"),
        ("defi_dex", "conduit"),
        ("user", "none"),
        ("miner", "none"),
        ("service_hack", "none"),
        ("frobnication", "unknown"),
    ] {
        assert_eq!(stop(&rules, category), want, "{category}");
    }
    assert_eq!(word(" Peer-to-peer Exchange"), "peer_to_peer_exchange");
    assert_eq!(rules.category("sanction").unwrap().risk.as_deref(), Some("sanctioned"));
    assert_eq!(rules.confidence("authority_data"), Some(60));
}

#[test]
fn an_analyst_may_override_them() {
    let table = "# ours\nword,stop,risk,dwva,note\nminer,service,,,our chain's pools are custodians\nzoo,,animals,,\n";
    let rules = Rules::default().overridden_by(table.as_bytes()).unwrap();
    assert_eq!(stop(&rules, "miner"), "service");
    assert_eq!(stop(&rules, "zoo"), "none");
    assert_eq!(stop(&rules, "exchange"), "service", "the rest stays");
    for (bad, want) in [
        (
            "",
            "1: this is no table of rules: there is no column word; its columns are word,stop,risk,exposure,dwva,parent,note",
        ),
        (
            "word,stpo\n",
            "1: a table of rules has no column \"stpo\"; its columns are word,stop,risk,exposure,dwva,parent,note",
        ),
        (
            "word,word\n",
            "1: the column word stands here twice; its columns are word,stop,risk,exposure,dwva,parent,note",
        ),
        (
            "word,stop,risk,dwva,note\nminer,halt,,,\n",
            "2:stop: \"halt\" is no stop; write service, mixer, bridge, conduit, or nothing",
        ),
        ("word,stop,risk,dwva,note\nA b,,,,\na-b,,,,\n", "3:word: \"a-b\" stands here and in line 2; keep one"),
        ("word,stop,risk,dwva,note\n,mixer,,,\n", "2:word: \"\" is no word; write a category in lower case"),
        (
            "word,stop,risk,dwva,note\na,b\n",
            "2: this row has 2 fields, the header has 5; add or remove commas; a field with a comma in it stands in double \
             quotes",
        ),
        (
            "word,exposure\na,zoo\n",
            "2:exposure: \"zoo\" is no exposure category; write one of unknown, mined, coinjoin, service, exchange, \
             gambling, bridge, mixer, illicit, scam, darknet, ransomware, theft, csam, terrorism, sanctioned, or nothing",
        ),
        (
            "word,risk,exposure\na,theft,\n",
            "2:exposure: \"\" is no exposure category; a risk is counted somewhere: write one of unknown, mined, coinjoin, \
             service, exchange, gambling, bridge, mixer, illicit, scam, darknet, ransomware, theft, csam, terrorism, \
             sanctioned",
        ),
    ] {
        let fault = Rules::default().overridden_by(bad.as_bytes()).unwrap_err();
        assert_eq!(fault.to_string(), want, "{bad:?}");
    }
}

#[test]
fn every_risk_and_every_stop_but_conduits_is_counted_under_a_fitting_name() {
    let rules = Rules::default();
    for (word, rule) in rules.categories() {
        let risky = rule.exposure.is_some_and(exposure_is_risk);
        // The one exception: a join is told from a mixer that keeps the coin, and is no risk by itself.
        assert_eq!(rule.risk.is_some(), risky || word == "coinjoin", "{word}");
        let ends = rule.stop.is_some_and(|kind| kind != StopKind::Conduit);
        assert!(!ends || rule.exposure.is_some(), "{word} ends a trace and is counted nowhere");
        assert!(rule.stop != Some(StopKind::Conduit) || rule.exposure.is_none(), "{word}: a conduit passes on");
    }
}

#[test]
fn a_word_has_from_its_parent_what_its_row_leaves_out() {
    let table = "word,parent,stop,risk,dwva\nnested_exchange,Instant Swap,,,\ninstant-swap,exchange,,,coin_swapping\n\
                 romance_scam,scam,,,\nsanctioned_exchange,exchange,,sanctioned,\nswap_mixer,exchange,mixer,,\n";
    let rules = Rules::default().overridden_by(table.as_bytes()).unwrap();
    let shown = |word: &str| {
        let rule = rules.category(word).unwrap();
        let exposure = rule.exposure.map_or("-", |at| EXPOSURE_CATEGORIES[usize::from(at)]);
        let some = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let stop = rule.stop.map_or("-", StopKind::as_str);
        format!("{stop} {} {exposure} {} {}", some(&rule.risk), some(&rule.dwva), some(&rule.parent))
    };
    assert_eq!(shown("nested_exchange"), "service - exchange coin_swapping instant_swap");
    assert_eq!(shown("instant_swap"), "service - exchange coin_swapping exchange");
    assert_eq!(shown("romance_scam"), "- scam scam - scam");
    assert_eq!(shown("sanctioned_exchange"), "service sanctioned sanctioned exchange exchange");
    assert_eq!(shown("swap_mixer"), "mixer - exchange exchange exchange");
    // A word of the table hides the built-in one of the same name, also as a parent.
    let hidden = "word,parent,stop\nexchange,,mixer\nchild,exchange,\n";
    let rules = Rules::default().overridden_by(hidden.as_bytes()).unwrap();
    assert_eq!(stop(&rules, "child"), "mixer");
}

#[test]
fn parents_that_are_none_and_circles_are_refused_with_their_line() {
    for (table, want) in [
        ("word,parent\na,b\n", "2:parent: there is no word \"b\"; write a word of this table or of the built-in one"),
        (
            "word,parent\nx,c\na,b\nb,c\nc,a\n",
            "5:parent: the parents go round in a circle: \"a > b > c > a\"; take one of them out",
        ),
        ("word,parent\na,A\n", "2:parent: the parents go round in a circle: \"a > a\"; take one of them out"),
    ] {
        assert_eq!(Rules::default().overridden_by(table.as_bytes()).unwrap_err().to_string(), want, "{table}");
    }
    // Long chains are neither slow nor deep.
    let many: Vec<String> = (1..50_000).map(|at| format!("w{at},w{}\n", at - 1)).collect();
    let table = format!("word,parent\nw0,exchange\n{}", many.concat());
    let rules = Rules::default().overridden_by(table.as_bytes()).unwrap();
    assert_eq!(stop(&rules, "w49999"), "service");
}

#[test]
fn a_table_without_the_column_is_counted_by_its_risks_and_stops() {
    let table = "word,stop,risk\nzoo,,animals\ncasa,,theft\nteller,service,\npeg,bridge,\nswap,conduit,\nplain,,\n";
    let rules = Rules::default().overridden_by(table.as_bytes()).unwrap();
    let name = |word| rules.category(word).unwrap().exposure.map(|at| EXPOSURE_CATEGORIES[usize::from(at)]);
    assert_eq!(
        ["zoo", "casa", "teller", "peg", "swap", "plain"].map(name),
        [Some("illicit"), Some("theft"), Some("service"), Some("bridge"), None, None]
    );
}

#[test]
fn every_concept_is_one_of_the_taxonomy() {
    let Ok(taxonomy) = std::fs::read_to_string(TAXONOMY) else {
        eprintln!("SKIPPED: {TAXONOMY} is not here");
        return;
    };
    let rules = Rules::default();
    for (word, rule) in rules.categories() {
        if let Some(concept) = &rule.dwva {
            assert!(taxonomy.contains(&format!("dc:identifier \"{concept}\"")), "{word}: {concept}");
        }
    }
}
