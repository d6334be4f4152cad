//! YAML from strangers: nothing panics, nothing hangs.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use decode::{tagpack, yaml};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn text_made_of_yamls_own_signs_never_panics(text in "[-:{},&*a'\"|> \\[\\]\n\t#%?!~.0é]{0,120}") {
        let _ = yaml::parse(text.as_bytes());
        let _ = tagpack::parse(text.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = yaml::parse(&bytes);
    }
}

#[test]
fn large_and_twisted_files_end_in_reasonable_time() {
    let long = 1 << 18;
    let mut twisted: Vec<String> = [
        "[",
        "{",
        "- ",
        "? ",
        "{a: ",
        "[a, ",
        "&a ",
        "!",
        "'",
        "\"",
        "|\n",
        "a: &a [*a, ",
        "%TAG ! a\n",
        "\t",
        "a\n",
        "a: b\n",
        "- a\n",
        "[a]: b\n",
        "#\n",
        "\n",
        ",",
        ": ",
        "-\n",
        "\"\\\n",
        "*a ",
        "--- \n",
        "[]\n",
        "a:\n ",
        "!!str ",
        "\r",
    ]
    .iter()
    .map(|piece| piece.repeat(long / piece.len()))
    .collect();
    twisted.push((0..2000).map(|depth| " ".repeat(depth) + "a:\n").collect());
    let mut anchors = String::new();
    for at in 0..20_000 {
        write!(anchors, "k{at}: &a{at} v\nl{at}: *a{at}\n").unwrap();
    }
    twisted.push(anchors);
    for text in twisted {
        let start = Instant::now();
        let _ = yaml::parse(text.as_bytes());
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{:?}… took {took:?}", text.chars().take(20).collect::<String>());
    }
}
