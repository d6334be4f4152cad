//! Rules files: what they mean, and one clear line with its place for each that means nothing.

use std::fmt::Write as _;

use expect_test::expect;
use screen::{Action, Bearer, Categories, CategorySet, Certificate, DEFAULT_RULES, Direction, Reach, RuleBook, Test};

fn categories() -> Categories {
    Categories::new(["unknown", "mined", "coinjoin", "exchange", "mixer", "theft", "ransomware", "sanctioned"])
}

fn set(words: &[&str]) -> CategorySet {
    words.iter().fold(CategorySet::default(), |set, word| {
        set.with(CategorySet::one(categories().number(word).expect("the test names its own categories")))
    })
}

/// What is wrong with a file, as a user sees it.
fn refused(yaml: impl AsRef<[u8]>) -> String {
    match RuleBook::parse(yaml.as_ref(), &categories()) {
        Ok(rules) => format!("accepted: {rules:?}"),
        Err(fault) => fault.in_file("r.yaml"),
    }
}

/// A file of one rule.
fn one(rule: &str) -> String {
    format!("policy: p\nrules:\n  - {rule}\n")
}

#[test]
fn a_file_says_what_it_says() {
    let yaml = "\
policy: acme-2026-11
certificate: lower
groups: {bad: [sanctioned, theft, worse], worse: ransomware}
rules:
  - {category: sanctioned, direction: received, exposure: direct, share: 0%, amount: '0', action: hit}
  - name: mixed
    category: [mixer, bad]
    share: 12.5 %
    amount: 0.5 BTC
    action: review
  - {tag: bad, on: address, confidence: 50%, action: hit}
  - {poison: theft, action: review}
";
    let rules = RuleBook::parse(yaml.as_bytes(), &categories()).expect("it is right");
    assert_eq!((rules.policy.as_str(), rules.certificate), ("acme-2026-11", Certificate::Lower));
    assert_eq!(rules.hash.len(), 64);
    let names: Vec<(&str, u64, Action)> =
        rules.rules.iter().map(|rule| (rule.name.as_str(), rule.line, rule.action)).collect();
    assert_eq!(
        names,
        [
            ("rule 1", 5, Action::Hit),
            ("mixed", 6, Action::Review),
            ("rule 3", 11, Action::Hit),
            ("rule 4", 12, Action::Review)
        ]
    );
    let Test::Exposure { categories, direction, reach, share_millionths, amount } = &rules.rules[0].test else {
        panic!("{:?}", rules.rules[0])
    };
    assert_eq!(
        (categories.set, *direction, *reach),
        (set(&["sanctioned"]), Some(Direction::Received), Some(Reach::Direct))
    );
    assert_eq!((*share_millionths, amount.as_ref().map(|limit| limit.symbol.clone())), (Some(0), Some(None)));
    let Test::Exposure { categories, direction, reach, share_millionths, amount } = &rules.rules[1].test else {
        panic!("{:?}", rules.rules[1])
    };
    assert_eq!((categories.words.as_str(), *direction, *reach), ("mixer, bad", None, None));
    assert_eq!(categories.set, set(&["mixer", "sanctioned", "theft", "ransomware"]));
    assert_eq!(*share_millionths, Some(125_000));
    assert_eq!(amount.as_ref().and_then(|limit| limit.symbol.as_deref()), Some("BTC"));
    let Test::Tag { on, confidence, .. } = &rules.rules[2].test else { panic!("{:?}", rules.rules[2]) };
    assert_eq!((*on, *confidence), (Some(Bearer::Address), 50));
    assert!(matches!(&rules.rules[3].test, Test::Poison { categories } if categories.set == set(&["theft"])));
}

#[test]
fn another_file_has_another_hash() {
    let [one, other] = ["{tag: theft, action: hit}", "{tag: theft, action: review}"]
        .map(|rule| RuleBook::parse(one(rule).as_bytes(), &categories()).expect("it is right").hash);
    assert_ne!(one, other);
}

#[test]
fn the_rules_that_are_built_in_are_right() {
    let rules = RuleBook::parse(DEFAULT_RULES.as_bytes(), &Categories::new(know::EXPOSURE_CATEGORIES));
    let rules = rules.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(rules.policy, "tracehound-default-1");
}

#[test]
fn thresholds_are_decimals_within_their_bounds() {
    let shares =
        ["100.0001%", "101%", "-1%", "1e1%", "ten%", "%", "10", "0.00001%", "1.000000%", "99999999999999999999999%"];
    // Of what is accepted, that it is.
    let short = |said: String| said.split(": RuleBook").next().unwrap_or_default().to_owned() + "\n";
    let said: String = shares
        .iter()
        .map(|share| short(refused(one(&format!("{{category: theft, share: \"{share}\", action: hit}}")))))
        .collect();
    expect![[r#"
        r.yaml:3:30: share: "100.0001%" is over 100 %; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "101%" is over 100 %; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "-1%" is negative; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "1e1%" is in scientific notation; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "ten%" is no plain decimal number; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "%" is no plain decimal number; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "10" is no percentage; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:3:30: share: "0.00001%" has 5 decimals, at most 4 count; write a percentage from 0% to 100%, such as 2.5%
        accepted
        r.yaml:3:30: share: "99999999999999999999999%" is over 100 %; write a percentage from 0% to 100%, such as 2.5%
    "#]]
    .assert_eq(&said);
    let amounts = ["-1", "1,5", "1e3", "0.5 ", "0.5 B-C", "1 2 3", "x BTC"];
    let said: String = amounts
        .iter()
        .map(|amount| short(refused(one(&format!("{{category: theft, amount: \"{amount}\", action: hit}}")))))
        .collect();
    expect![[r#"
        r.yaml:3:31: amount: "-1" is negative; write an amount such as 0.5 or 0.5 BTC
        r.yaml:3:31: amount: "1,5" is no plain decimal number; write an amount such as 0.5 or 0.5 BTC
        r.yaml:3:31: amount: "1e3" is in scientific notation; write an amount such as 0.5 or 0.5 BTC
        accepted
        r.yaml:3:31: amount: "0.5 B-C" is no amount; write an amount such as 0.5 or 0.5 BTC
        r.yaml:3:31: amount: "1 2 3" is no amount; write an amount such as 0.5 or 0.5 BTC
        r.yaml:3:31: amount: "x BTC" is no plain decimal number; write an amount such as 0.5 or 0.5 BTC
    "#]]
    .assert_eq(&said);
}

#[test]
fn what_is_wrong_is_one_line_with_its_place() {
    let deep: String =
        (0..40).map(|at| ["  g", &at.to_string(), ": [g", &(at + 1).to_string(), "]\n"].concat()).collect();
    let files = [
        String::new(),
        "# nothing\n".to_owned(),
        "~\n".to_owned(),
        "[]\n".to_owned(),
        "rules: [\n".to_owned(),
        "policy: p\n".to_owned(),
        "rules: [{tag: theft, action: hit}]\n".to_owned(),
        "policy: p\nrules: []\n".to_owned(),
        "policy: p\nrules: {}\n".to_owned(),
        "policy: p\nrule: []\n".to_owned(),
        "policy: [p]\nrules: [{tag: theft, action: hit}]\n".to_owned(),
        format!("policy: {}\nrules: [{{tag: theft, action: hit}}]\n", "p".repeat(65)),
        "policy: p\ncertificate: middle\nrules: [{tag: theft, action: hit}]\n".to_owned(),
        one("{tag: thefts, action: hit}"),
        one("{tag: weather, action: hit}"),
        one("{tag: [], action: hit}"),
        one("{tag: {a: b}, action: hit}"),
        one("{action: hit}"),
        one("{actoin: hit}"),
        one("{tag: theft, poison: theft, action: hit}"),
        one("{tag: theft}"),
        one("{tag: theft, action: block}"),
        one("{tag: theft, share: 1%, action: hit}"),
        one("{tag: theft, on: owner, action: hit}"),
        one("{tag: theft, confidence: 0.5%, action: hit}"),
        one("{category: theft, direction: both, action: hit}"),
        one("{category: theft, exposure: near, action: hit}"),
        one("{category: theft, category: mixer, action: hit}"),
        one("{name: a, tag: theft, action: hit}\n  - {name: a, tag: mixer, action: hit}"),
        one("{name: rule 2, tag: theft, action: hit}\n  - {tag: mixer, action: hit}"),
        one("theft"),
        one("{category: theft, share: , action: hit}"),
        format!("groups: {{a: [b], b: [c, theft], c: [a]}}\n{}", one("{tag: a, action: hit}")),
        format!("groups: {{a: a}}\n{}", one("{tag: a, action: hit}")),
        format!("groups: {{theft: [mixer]}}\n{}", one("{tag: theft, action: hit}")),
        format!("groups: {{a: [thef]}}\n{}", one("{tag: theft, action: hit}")),
        format!("groups: {{a: []}}\n{}", one("{tag: theft, action: hit}")),
        format!("groups: [a]\n{}", one("{tag: theft, action: hit}")),
        format!("groups:\n{deep}  g40: theft\n{}", one("{tag: theft, action: hit}")),
        format!("a: &a [x, x]\nb: &b [*a, *a]\n{}", one("{tag: theft, action: hit}")),
    ];
    let said: String = files.iter().map(|file| refused(file) + "\n").collect();
    expect![[r#"
        r.yaml: the file is empty; give a YAML file with content
        r.yaml: the file is empty; give a YAML file with content
        r.yaml: the file is empty; give a rules file; --print-rules shows one
        r.yaml:1:1: expected `key: value` entries, found a list
        r.yaml:2:1: not valid YAML: while parsing a node, did not find expected node content; check the indentation, quotes and colons
        r.yaml:1:1: there is no "rules" here; add `rules: …`
        r.yaml:1:1: there is no "policy" here; add `policy: …`
        r.yaml:2:8: there are no rules: everything would be clear; write at least one
        r.yaml:2:8: expected a list, found a map; start each item with `- `
        r.yaml:2:1: unknown key "rule"; known here: policy, certificate, groups, rules
        r.yaml:1:9: expected text, found a list; write a single value here
        r.yaml:1:9: "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp" is no name of a policy; write at most 64 characters on one line
        r.yaml:2:14: certificate: "middle" is none of its words; write lower or upper
        r.yaml:3:11: unknown category "thefts"; did you mean theft? categories are unknown, mined, coinjoin, exchange, mixer, theft, ransomware, sanctioned
        r.yaml:3:11: unknown category "weather"; categories are unknown, mined, coinjoin, exchange, mixer, theft, ransomware, sanctioned
        r.yaml:3:11: an empty list; name a category or a group
        r.yaml:3:11: expected a list, found a map; start each item with `- `
        r.yaml:3:5: this rule looks for nothing; give exactly one of: category, tag, poison
        r.yaml:3:6: unknown key "actoin"; known here: action, amount, category, confidence, direction, exposure, name, on, poison, share, tag
        r.yaml:3:5: this rule looks for tag and poison at once; give exactly one of: category, tag, poison
        r.yaml:3:5: there is no "action" here; add `action: …`
        r.yaml:3:26: action: "block" is none of its words; write hit or review
        r.yaml:3:18: unknown key "share"; known here: name, tag, on, confidence, action
        r.yaml:3:22: on: "owner" is none of its words; write address or cluster or either
        r.yaml:3:30: confidence: not a whole number of percent; write such as 50%
        r.yaml:3:34: direction: "both" is none of its words; write received or sent or either
        r.yaml:3:33: exposure: "near" is none of its words; write direct or indirect or either
        r.yaml:3:23: the key "category" stands here twice; keep one
        r.yaml:4:12: the rule in line 3 is called "a" as well; give each rule a name of its own
        r.yaml:4:5: the rule in line 3 is called "rule 2" as well; give each rule a name of its own
        r.yaml:3:5: expected `key: value` entries, found text
        r.yaml:3:23: this key has no value; write one, or remove the key
        r.yaml:1:37: the groups hold themselves: a > b > c > a; take one of them out of the other
        r.yaml:1:13: the groups hold themselves: a > a; take one of them out of the other
        r.yaml:1:10: the group "theft" has the name of a category; give it a name of its own
        r.yaml:1:14: unknown category "thef"; did you mean theft? categories are unknown, mined, coinjoin, exchange, mixer, theft, ransomware, sanctioned
        r.yaml:1:13: an empty list; name a category or a group
        r.yaml:1:9: expected `key: value` entries, found a list
        r.yaml:33:9: groups nest deeper than 32 levels; flatten them
        r.yaml:1:1: unknown key "a"; known here: policy, certificate, groups, rules
    "#]].assert_eq(&said);
    assert!(!said.contains("accepted"));
}

#[test]
fn limits_hold() {
    let rules = "  - {tag: theft, action: hit}\n".repeat(screen::RULES_MAX + 1);
    assert!(refused(format!("policy: p\nrules:\n{rules}")).contains("more than 1000 rules"));
    let groups: String = (0..=screen::GROUPS_MAX).map(|at| ["  g", &at.to_string(), ": theft\n"].concat()).collect();
    assert!(
        refused(format!("groups:\n{groups}{}", one("{tag: theft, action: hit}"))).contains("more than 1000 groups")
    );
    assert!(refused(vec![b'#'; screen::RULES_BYTES_MAX + 1]).contains("bytes, at most"));
    // Aliases of aliases of aliases: what they would come to is counted, not made.
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..12 {
        let aliases = vec![format!("*a{}", at - 1); 10].join(", ");
        writeln!(bomb, "a{at}: &a{at} [{aliases}]").expect("a string takes any text");
    }
    assert!(refused(bomb).contains("aliases copied in"));
}
