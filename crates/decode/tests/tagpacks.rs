//! Tag packs and actor packs: inheritance, faults one by one, and every pack of the field's own collection.

use decode::tagpack::{Pack, Tag, parse};

fn read(yaml: &str) -> (Vec<Tag>, Vec<String>) {
    match parse(yaml.as_bytes()) {
        Ok(Pack::Tags(read)) => (read.pack.tags, read.faults.iter().map(ToString::to_string).collect()),
        Ok(Pack::Actors(_)) => panic!("a pack of actors"),
        Err(fault) => (Vec::new(), vec![fault.to_string()]),
    }
}

#[test]
fn header_values_are_inherited_and_raw_text_stays() {
    let (tags, faults) = read(
        "%YAML 1.1\n---\ntitle: T\ncreator: C\nlabel: Lazarus\ncurrency: ETH\nlastmod: 2022-04-14\nis_cluster_definer: no\nconcepts: [a, b]\n\
         tags:\n- address: 0x098B716B8Aaf21512996dC57EB0615e2383E2f96\n- address: '1e5'\n  currency: BTC\n  label: 007\n  lastmod: 2022-04-15 10:00:00\n  context: {a: [1, x]}\n",
    );
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(
        (tags[0].address.as_str(), &*tags[0].label, tags[0].line),
        ("0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "Lazarus", 11)
    );
    assert_eq!((tags[0].currency.as_deref(), tags[0].is_cluster_definer), (Some("ETH"), Some(false)));
    assert_eq!(tags[0].lastmod.unwrap().to_string(), "2022-04-14T00:00:00Z");
    assert_eq!((tags[1].address.as_str(), &*tags[1].label, tags[1].currency.as_deref()), ("1e5", "007", Some("BTC")));
    assert_eq!(tags[1].lastmod.unwrap().to_string(), "2022-04-15T10:00:00Z");
    assert_eq!(tags[1].context.as_deref(), Some(r#"{"a":["1","x"]}"#));
    assert_eq!(tags[1].concepts.iter().map(|word| &**word).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_bad_tag_is_one_fault_and_does_not_spoil_the_rest() {
    let (tags, faults) = read(
        "tags:\n- address: a\n  label: x\n- label: y\n- address: b\n- address: c\n  label: z\n  lastmod: soon\n- just text\n- address: d\n  label: [l]\n- address: e\n  label: e\n",
    );
    assert_eq!(tags.iter().map(|tag| tag.address.as_str()).collect::<Vec<_>>(), ["a", "e"]);
    let want = [
        "4:3: the tag has no address; add `address: …` here or in the header",
        "5:3: the tag has no label; add `label: …` here or in the header",
        "8:12: \"soon\": the time is not RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23",
        "9:3: expected `key: value` entries, found text",
        "11:10: expected text, found a list; write a single value here",
    ];
    assert_eq!(faults, want);
}

#[test]
fn files_of_another_kind_are_refused() {
    for (yaml, want) in [
        ("", "the file is empty; give a YAML file with content"),
        ("title: x\n", "1:1: neither `tags` nor `actors` alone is here; give a tag pack or an actor pack"),
        ("- a\n", "1:1: expected `key: value` entries, found a list"),
        ("tags: 5\n", "1:7: expected a list, found text; start each item with `- `"),
        (
            "a: [\n",
            "2:1: not valid YAML: while parsing a node, did not find expected node content; check the indentation, quotes and colons",
        ),
    ] {
        assert_eq!(read(yaml).1, [want], "{yaml:?}");
    }
}

#[test]
fn every_pack_of_the_collection_is_read() {
    let folder = format!("{}/../../../shared/data/tags", env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = std::fs::read_dir(format!("{folder}/packs")) else {
        return eprintln!("SKIPPED: {folder} is missing");
    };
    let mut total = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let Ok(Pack::Tags(read)) = parse(&bytes) else { panic!("{} is no tag pack", path.display()) };
        assert_eq!(read.faults, [], "{}", path.display());
        // Each entry has its address on a line of its own.
        let lines = String::from_utf8(bytes).unwrap();
        let want = lines.lines().filter(|line| line.trim_start_matches([' ', '-']).starts_with("address:")).count();
        assert_eq!(read.pack.tags.len(), want, "{}", path.display());
        total += want;
    }
    assert_eq!(total, 11_002);
    let actors = std::fs::read(format!("{folder}/actors/graphsense.actorpack.yaml")).unwrap();
    let Ok(Pack::Actors(read)) = parse(&actors) else { panic!("the actor pack is none") };
    assert_eq!((read.pack.actors.len(), read.faults.len()), (3813, 0));
}
