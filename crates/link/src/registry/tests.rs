//! The registry: the built-in entries, what is refused and where, and each protocol's logs made by hand.

use super::*;

fn hash(text: &str) -> String {
    hex::text(&Signature::parse(text).unwrap().topic())
}

#[test]
fn every_built_in_entry_is_read() {
    for (file, text) in BUILT_IN {
        let read = parse::protocol(text.as_bytes(), file);
        assert!(read.is_ok(), "{}", read.err().map(|fault| fault.in_file(file)).unwrap_or_default());
    }
    assert_eq!(Registry::built_in().protocols().len(), BUILT_IN.len());
}

/// Topics as block explorers and generated bindings print them, so that a slip in a signature shows.
#[test]
fn topics_are_those_of_the_chain() {
    let known = [
        "97116cf6cd4f6412bb47914d6db18da9e16ab2142f543b86e207c24fbd16b23a",
        "409e0ad946b19f77602d6cf11d59e1796ddaa4828159a0b4fb7fa2ff6b161b79",
        "aac9ce45fe3adf5143598c4f18a369591a20a3384aedaf1b525d29127e1fcd55",
        "6eb224fb001ed210e379b335e35efe88672a8ce935d981a6896b27ffdf52a3b2",
        "caf280c8cfeba144da67230d9b009c8f868a75bac9a528fa0474be1ba317c169",
        "2fa9ca894982930190727e75500a97d8dc500233a5065e0f3126c48fbe0343c0",
        "58200b4c34ae05ee816d710053fff3fb75af4395915d3d2a771b24aa10e3cc5d",
        "1b2a7ff080b8cb6ff436ce0372e399692bbfb6d4ae5766fd8d58a7b8cc6142e6",
        "50c55e915134d457debfa58eb6f4342956f8b0616d51a89a3659360178e1ab63",
        "0c8c1cbdc5190613ebd485511d4e2812cfa45eecb79d845893331fedad5130a5",
        "85496b760a4b7f8d66384b9df21b381f5d1b1e79f229a47aaf4c232edc2fe59a",
        "efed6d3500546b29533b128a29e3a94d70788727f0507505ac12eaf2e578fd9c",
        "34660fc8af304464529f48a778e03d03e4d34bcd5f9b6f0cfbf3cd238c642f7f",
        "fb2b592367452f1c437675bed47f5e1e6c25188c17d7ba01a12eb030bc41ccef",
        "6ad3bf15c1988bc04bc153490cab16db8efb9a3990215bf1c64ea6e28be88483",
        "8a4a2663ce60ce4955c595da2894de0415240f1ace024cfbff85f513b656bdae",
        "8636abd6d0e464fe725a13346c7ac779b73561c705506044a2e6b2cdb1295ea5",
        "d90288730b87c2b8e0c45bd82260fd22478aba30ae1c4d578b8daba9261604df",
        "a123dc29aebf7d0c3322c8eeb5b999e859f39937950ed31056532713d0de396f",
        "571749edf1d5c9599318cdbc4e28a6475d65e87fd3b2ddbe1e9a8d5e7a0f0ff7",
        "32ed1a409ef04c7b0227189c3a103dc5ac10e775a15b785dcc510201f7c25ad3",
        "44b559f101f8fbcc8a0ea43fa91a05a729a5ea6e14a7c75aa750374690137208",
        "89d8051e597ab4178a863a5190407b98abfeff406aa8db90c59af76612e58f01",
        "79fa08de5149d912dce8e5e8da7a7c17ccdf23dd5d3bfe196802e6eb86347c7c",
        "05d0634fe981be85c22e2942a880821b70095d84e152c3ea3c17a4e4250d9d61",
    ];
    let topics: BTreeSet<String> = Registry::built_in().topics().iter().map(|topic| hex::text(topic)).collect();
    for topic in known {
        assert!(topics.contains(topic), "{topic}");
    }
    let _ = hash;
}
