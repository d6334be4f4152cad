//! The help of every command, as printed: what a flag is called is part of the contract.

mod common;

use common::Desk;
use expect_test::expect;

#[test]
fn help_of_the_program() {
    expect![[r#"
        exit 0
        --- out
        Follows stolen money across chains and banks, and shows its work

        Usage: tracehound [OPTIONS] <COMMAND>

        Commands:
          demo         A complete heist, traced, without network, node or account
          ingest       Fill the book, from files or a node
          trace        Follow an incident's loot: where it is now, and why each trace ends there
          source       Source of funds: where the money of a wallet, an output or a transaction came from
          screen       Screen addresses and transactions: whose they are, where their money came from, what
                       your rules say
          show         What the book knows of a transaction, an output, an address or account, or a block
          mempool      What a Bitcoin node holds that no block has confirmed; nothing of it enters the book
          clusters     Clusters: who is one party with whom on a chain of outputs, and why
          tags         Tags: what is known about holders
          links        Links: where money went from one ledger to another
          incidents    Incidents: who was robbed of what
          exercise     Make a seeded exercise: ordinary life, a heist, and the truth about it
          book         Look into the book, or undo its latest blocks
          completions  Print completions for a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version

        Exit codes: 0 done · 1 internal error · 2 usage or bad input · 3 needs review · 4 hit · 5 data
        missing or stale · 6 interrupted, partial result kept
    "#]]
    .assert_eq(&Desk::new().shows("-h"));
}

#[test]
fn help_of_demo() {
    expect![[r#"
        exit 0
        --- out
        A complete heist, traced, without network, node or account

        Usage: tracehound demo [OPTIONS]

        Options:
              --book <DIR>       The folder that holds every ingested ledger and tag [default: the
                                 platform's data folder] [env: TRACEHOUND_BOOK]
              --seed <SEED>      Seed of the exercise [default: 1]
              --keep <DIR>       Keep the exercise and its book in this folder (which must not exist, or be
                                 empty)
              --policy <POLICY>  The policy to trace under [default: haircut]
          -h, --help             Print help
          -V, --version          Print version
    "#]]
    .assert_eq(&Desk::new().shows("demo -h"));
}

#[test]
fn help_of_ingest() {
    expect![[r#"
        exit 0
        --- out
        Fill the book, from files or a node

        Usage: tracehound ingest [OPTIONS] <COMMAND>

        Commands:
          table        A ledger table: CSV or NDJSON with
                       `tx,time,from,to,asset,amount[,ledger][,fee][,memo]`
          utxo-blocks  UTXO blocks: NDJSON, one block a line, as `getblock HASH 2` or 3 prints them
          bitcoin      The chain of a Bitcoin node (or of one like it), from its blocks folder or over its
                       RPC
          ethereum     An EVM chain: Ethereum and its kin, from a node, from recorded answers or from
                       exported tables
          help         Print this message or the help of the given subcommand(s)

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("ingest -h"));
}

#[test]
fn help_of_ingest_table() {
    expect![[r#"
        exit 0
        --- out
        A ledger table: CSV or NDJSON with `tx,time,from,to,asset,amount[,ledger][,fee][,memo]`

        Usage: tracehound ingest table [OPTIONS] <FILE>...

        Arguments:
          <FILE>...  The files; `-` is standard input, `.gz` is unpacked

        Options:
              --book <DIR>              The folder that holds every ingested ledger and tag [default: the
                                        platform's data folder] [env: TRACEHOUND_BOOK]
              --ledger <ID>             The ledger of rows without a ledger column: a CAIP-2 id, `bitcoin`,
                                        `ethereum`, `bank:BIC` or `table:NAME` [default: table:FILENAME]
              --scale <ASSET=N>         Decimals of an asset, as BTC=8 [default: the most that any row has]
              --column <COLUMN=HEADER>  Which header stands for a column, as tx=txid; tx=#row numbers the
                                        rows
              --set <COLUMN=VALUE>      The value of a column that the file lacks, as asset=BTC
              --scientific              Read amounts such as 1e-05 (exactly) instead of refusing them
              --json                    Print what was done as JSON
          -h, --help                    Print help
          -V, --version                 Print version
    "#]]
    .assert_eq(&Desk::new().shows("ingest table -h"));
}

#[test]
fn help_of_ingest_utxo_blocks() {
    expect![[r#"
        exit 0
        --- out
        UTXO blocks: NDJSON, one block a line, as `getblock HASH 2` or 3 prints them

        Usage: tracehound ingest utxo-blocks [OPTIONS] <FILE>

        Arguments:
          <FILE>  The file; `-` is standard input, `.gz` is unpacked

        Options:
              --book <DIR>      The folder that holds every ingested ledger and tag [default: the platform's
                                data folder] [env: TRACEHOUND_BOOK]
              --ledger <ID>     The ledger [default: bitcoin]
              --asset <SYMBOL>  The native coin [default: BTC]
              --scale <N>       Its decimals [default: 8]
              --json            Print what was done as JSON
          -h, --help            Print help
          -V, --version         Print version
    "#]]
    .assert_eq(&Desk::new().shows("ingest utxo-blocks -h"));
}

#[test]
fn help_of_trace() {
    expect![[r#"
        exit 0
        --- out
        Follow an incident's loot: where it is now, and why each trace ends there

        Usage: tracehound trace [OPTIONS] <INCIDENT.yaml>...

        Arguments:
          <INCIDENT.yaml>...  Incident files (YAML); several are traced together

        Options:
              --book <DIR>                The folder that holds every ingested ledger and tag [default: the
                                          platform's data folder] [env: TRACEHOUND_BOOK]
              --policy <POLICY>           The rule by which a payment out of mixed money carries loot along:
                                          haircut, fifo, lifo, taint-first-out, taint-last-out, tiho,
                                          poison, or all [default: haircut]
              --envelope                  Give the least and the most that each place holds whichever policy
                                          one picks
              --no-stops                  Go on through custodians, mixers and bridges
              --tags <FILE>               More tags for this trace alone: TagPack YAML, CSV or an OFAC
                                          wallet list
              --min-confidence <PERCENT>  Ignore stops whose tag is less confident than this, in percent
                                          [default: 0]
              --from <TIME>               Leave out loot that came in before this time
              --until <TIME>              Look at nothing at or after this time; balances are as of then
              --dust <ASSET=AMOUNT>       Do not follow movements of less than this, as BTC=0.0001; they are
                                          booked as truncated
              --min-share <SHARE>         Do not follow movements of which less than this share is loot, as
                                          0.001; they are booked as truncated
              --no-links                  Stay on each ledger; what goes over bridges ends there
              --min-link <PROBABILITY>    Follow links of at least this probability [default: 0.5]
              --mixers                    Follow links through mixers, too
              --bridge-fee-share          Let the fee of a bridge take its share of the loot, where a link
                                          says what would have come out without it
              --with-valueless            Trace pieces (NFTs), tokens marked as valueless and look-alikes'
                                          bait as well
              --valueless <ASSET>         Leave this asset out, as one that nobody pays for
              --top <N>                   How many places the text lists per section [default: 12]
              --json                      Print the whole result as JSON (one line per policy)
              --csv[=<WHAT>]              Print terminals, or every hop, as CSV [possible values: terminals,
                                          edges]
              --no-edges                  Leave the hops out of the JSON
          -h, --help                      Print help (see more with '--help')
          -V, --version                   Print version
    "#]]
    .assert_eq(&Desk::new().shows("trace -h"));
}

#[test]
fn help_of_source() {
    expect![[r#"
        exit 0
        --- out
        Source of funds: where the money of a wallet, an output or a transaction came from

        Usage: tracehound source [OPTIONS] --ledger <ID> <TARGET>...

        Arguments:
          <TARGET>...  Addresses or accounts (what they hold), outputs as TXID:VOUT, or transactions (what
                       they brought)

        Options:
              --book <DIR>                The folder that holds every ingested ledger and tag [default: the
                                          platform's data folder] [env: TRACEHOUND_BOOK]
              --ledger <ID>               The ledger
              --asset <SYMBOL>            Only this asset
              --policy <POLICY>           haircut, fifo or lifo; the others ask "is it stolen?", which has
                                          no meaning backwards [default: haircut]
              --until <TIME>              What the targets held just before this time, instead of now
              --from <TIME>               Look at nothing before this time; what lay there then is booked as
                                          window
              --no-stops                  Go on through custodians, mixers and bridges
              --tags <FILE>               More tags for this trace alone: TagPack YAML, CSV or an OFAC
                                          wallet list
              --min-confidence <PERCENT>  Ignore stops whose tag is less confident than this, in percent
                                          [default: 0]
              --dust <ASSET=AMOUNT>       Do not follow where less than this is wanted of a movement, as
                                          BTC=0.0001
              --top <N>                   How many sources the text lists [default: 12]
              --json                      Print the whole result as JSON
          -h, --help                      Print help
          -V, --version                   Print version
    "#]]
    .assert_eq(&Desk::new().shows("source -h"));
}

#[test]
fn help_of_screen() {
    expect![[r#"
        exit 0
        --- out
        Screen addresses and transactions: whose they are, where their money came from, what your rules say

        Usage: tracehound screen [OPTIONS] [QUERY]...

        Arguments:
          [QUERY]...  Addresses, accounts or transaction ids

        Options:
              --book <DIR>          The folder that holds every ingested ledger and tag [default: the
                                    platform's data folder] [env: TRACEHOUND_BOOK]
              --file <FILE>         More of them from a file, one a line; `-` is standard input, lines that
                                    start with # are comments
              --ledger <ID>         Only on this ledger [default: every ledger of the book]
              --rules <FILE>        Your rules: from what on something is a hit, or wants a look [default:
                                    those of --print-rules]
              --print-rules         Print the rules that hold where none are given, to begin your own with
              --as-kept             Use clusters and exposure as they were last kept, without bringing them
                                    up to the latest block and tags
              --remember            Keep the result in the book, for --since to come back to
              --since <all|DATE|N>  Screen remembered ones again and tell what changed and why: `all`, those
                                    since a date, or the last N
              --rpc <URL>           The node, as `http://[USER:PASSWORD@]HOST:PORT`
              --rpc-user <USER>     The user for its RPC; the password is taken from
                                    `TRACEHOUND_RPC_PASSWORD`
              --rpc-cookie <FILE>   The cookie that the node writes [default: the one in its usual data
                                    folder, for a node on this machine]
              --brief               One line for each query
              --json                Print as NDJSON
          -h, --help                Print help
          -V, --version             Print version
    "#]]
    .assert_eq(&Desk::new().shows("screen -h"));
}

#[test]
fn help_of_tags() {
    expect![[r#"
        exit 0
        --- out
        Tags: what is known about holders

        Usage: tracehound tags [OPTIONS] <COMMAND>

        Commands:
          import      Take tags into the book: TagPack or actor pack YAML, CSV with address,label,category,
                      or an OFAC wallet list
          list        What the book's tags say, about one address or in all
          withdraw    Take tags back: a pack's, an address's, or a source's (or what is all of that)
          conflicts   Where the book's tags contradict one another, with both sides
          categories  What the words of tags mean: print the table, or keep one of your own over it
          help        Print this message or the help of the given subcommand(s)

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("tags -h"));
}

#[test]
fn help_of_tags_import() {
    expect![[r#"
        exit 0
        --- out
        Take tags into the book: TagPack or actor pack YAML, CSV with address,label,category, or an OFAC
        wallet list

        Usage: tracehound tags import [OPTIONS] <FILE>...

        Arguments:
          <FILE>...  

        Options:
              --book <DIR>   The folder that holds every ingested ledger and tag [default: the platform's
                             data folder] [env: TRACEHOUND_BOOK]
              --replace      Take back what an earlier version of the same pack said and this one does not
              --note <TEXT>  What the history of the tags is to say about this: who, when, why
          -h, --help         Print help
          -V, --version      Print version
    "#]]
    .assert_eq(&Desk::new().shows("tags import -h"));
}

#[test]
fn help_of_tags_list() {
    expect![[r#"
        exit 0
        --- out
        What the book's tags say, about one address or in all

        Usage: tracehound tags list [OPTIONS] [ADDRESS]

        Arguments:
          [ADDRESS]  An address

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
              --by <WHAT>   Count the tags by what they say [possible values: category, abuse, pack, actor,
                            confidence, risk, stop, exposure, dwva]
              --json        Print as NDJSON, or the counts as JSON
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("tags list -h"));
}

#[test]
fn help_of_incidents() {
    expect![[r#"
        exit 0
        --- out
        Incidents: who was robbed of what

        Usage: tracehound incidents [OPTIONS] <COMMAND>

        Commands:
          check  Check incident files, and find on the book's ledgers where their traces start
          help   Print this message or the help of the given subcommand(s)

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("incidents -h"));
}

#[test]
fn help_of_incidents_check() {
    expect![[r#"
        exit 0
        --- out
        Check incident files, and find on the book's ledgers where their traces start

        Usage: tracehound incidents check [OPTIONS] <INCIDENT.yaml>...

        Arguments:
          <INCIDENT.yaml>...  

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("incidents check -h"));
}

#[test]
fn help_of_exercise() {
    expect![[r#"
        exit 0
        --- out
        Make a seeded exercise: ordinary life, a heist, and the truth about it

        Usage: tracehound exercise [OPTIONS] <DIR>

        Arguments:
          <DIR>  The folder to write into

        Options:
              --book <DIR>        The folder that holds every ingested ledger and tag [default: the
                                  platform's data folder] [env: TRACEHOUND_BOOK]
              --seed <SEED>       Same seed, same bytes [default: 1]
              --transactions <N>  About how many transactions, over all ledgers [default: the demo's]
              --peel <HOPS>       A single peel chain of this many hops
              --cone <LEGS>       Loot that spreads through ordinary life over this many legs
              --wallets <N>       A UTXO chain with N wallets and services, without a heist, and files that
                                  say whose every address is [default transactions: ten for each wallet]
              --hopping <N>       A heist that hops chains, among N transactions on two EVM chains: swaps, a
                                  bridge both ways, a mixing pool; as a node's recorded answers
              --chain <N>         A chain of exactly N transactions without a heist, as Bitcoin Core's own
                                  blk*.dat and rev*.dat files
              --blocks            The UTXO ledger as Bitcoin Core's own files as well, in DIR/blocks
              --xor               With --chain or --blocks: obfuscate the files
              --stale <K>         With --chain: so many stale blocks beside the chain [default: 0]
              --shuffled          With --chain: store blocks out of order
              --json              Print the manifest as JSON
          -h, --help              Print help
          -V, --version           Print version
    "#]]
    .assert_eq(&Desk::new().shows("exercise -h"));
}

#[test]
fn help_of_book() {
    expect![[r#"
        exit 0
        --- out
        Look into the book, or undo its latest blocks

        Usage: tracehound book [OPTIONS] <COMMAND>

        Commands:
          status  Which ledgers there are, how far they go, how much room they take
          undo    Undo the latest blocks (chains) or transactions (other ledgers)
          help    Print this message or the help of the given subcommand(s)

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("book -h"));
}

#[test]
fn help_of_book_status() {
    expect![[r#"
        exit 0
        --- out
        Which ledgers there are, how far they go, how much room they take

        Usage: tracehound book status [OPTIONS]

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
              --json        Print as JSON
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("book status -h"));
}

#[test]
fn help_of_book_undo() {
    expect![[r#"
        exit 0
        --- out
        Undo the latest blocks (chains) or transactions (other ledgers)

        Usage: tracehound book undo [OPTIONS] --ledger <ID> <N>

        Arguments:
          <N>  How many

        Options:
              --book <DIR>   The folder that holds every ingested ledger and tag [default: the platform's
                             data folder] [env: TRACEHOUND_BOOK]
              --ledger <ID>  The ledger
          -h, --help         Print help
          -V, --version      Print version
    "#]]
    .assert_eq(&Desk::new().shows("book undo -h"));
}

#[test]
fn help_of_completions() {
    expect![[r#"
        exit 0
        --- out
        Print completions for a shell

        Usage: tracehound completions [OPTIONS] <SHELL>

        Arguments:
          <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("completions -h"));
}

#[test]
fn the_version_is_said() {
    assert_eq!(
        Desk::new().shows("--version"),
        concat!("exit 0\n--- out\ntracehound ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn help_of_ingest_bitcoin() {
    expect![[r#"
        exit 0
        --- out
        The chain of a Bitcoin node (or of one like it), from its blocks folder or over its RPC

        Usage: tracehound ingest bitcoin [OPTIONS] <--blocks <DIR>|--rpc <URL>>

        Options:
              --blocks <DIR>       The node's blocks folder: blk*.dat, with rev*.dat and xor.dat where they
                                   are
              --book <DIR>         The folder that holds every ingested ledger and tag [default: the
                                   platform's data folder] [env: TRACEHOUND_BOOK]
              --ledger <ID>        The ledger [default: told by the magic and block 0]
              --magic <HEX>        The four bytes before each block, in hex, of a chain that has no name
                                   here
              --threads <N>        How many threads read and decode [default: one for each processor]
              --no-undo            Leave the undo files (rev*.dat) alone: fees are not checked with them
              --rpc <URL>          The node, as `http://[USER:PASSWORD@]HOST:PORT`
              --rpc-user <USER>    The user for its RPC; the password is taken from
                                   `TRACEHOUND_RPC_PASSWORD`
              --rpc-cookie <FILE>  The cookie that the node writes [default: the one in its usual data
                                   folder, for a node on this machine]
              --once               Catch up with the node and end, instead of following it
              --from <HEIGHT>      Begin an empty ledger at this height, for a node that has deleted older
                                   blocks
              --zmq <ADDR>         Where the node announces blocks over ZMQ, as HOST:PORT [default: as the
                                   node says]
              --json               Print what was done as JSON; with --rpc, what happens as NDJSON
          -h, --help               Print help
          -V, --version            Print version
    "#]]
    .assert_eq(&Desk::new().shows("ingest bitcoin -h"));
}

#[test]
fn help_of_mempool() {
    expect![[r#"
        exit 0
        --- out
        What a Bitcoin node holds that no block has confirmed; nothing of it enters the book

        Usage: tracehound mempool [OPTIONS] <--rpc <URL>> [TXID]

        Arguments:
          [TXID]  One transaction of it

        Options:
              --book <DIR>         The folder that holds every ingested ledger and tag [default: the
                                   platform's data folder] [env: TRACEHOUND_BOOK]
              --rpc <URL>          The node, as `http://[USER:PASSWORD@]HOST:PORT`
              --rpc-user <USER>    The user for its RPC; the password is taken from
                                   `TRACEHOUND_RPC_PASSWORD`
              --rpc-cookie <FILE>  The cookie that the node writes [default: the one in its usual data
                                   folder, for a node on this machine]
              --top <N>            How many transactions the text lists [default: 25]
              --json               Print as JSON
          -h, --help               Print help
          -V, --version            Print version
    "#]]
    .assert_eq(&Desk::new().shows("mempool -h"));
}

#[test]
fn help_of_clusters() {
    expect![[r#"
        exit 0
        --- out
        Clusters: who is one party with whom on a chain of outputs, and why

        Usage: tracehound clusters [OPTIONS] <COMMAND>

        Commands:
          show       Whom an address is one party with
          explain    The evidence by which two addresses are one party: the shortest way from one to the
                     other
          retract    Rule that evidence does not count: what depended on it comes apart
          restore    Rule that retracted evidence counts again
          separate   Rule that two addresses are not one party's: evidence that would join them is
                     quarantined
          reunite    Rule that two separated addresses may be one party's again
          rulings    All rulings, as they are kept
          problems   Evidence that is quarantined: it would join two services, or what was separated
          services   Services that show without a tag, by how they move money: leads, not findings
          measure    Hold verdicts and clusters against a truth, such as `exercise --wallets` writes
          calibrate  Measure how much each sign of change counts, and print it as a file of weights
          update     Bring clusters and exposure up to the latest block, tags and rulings
          help       Print this message or the help of the given subcommand(s)

        Options:
              --book <DIR>  The folder that holds every ingested ledger and tag [default: the platform's
                            data folder] [env: TRACEHOUND_BOOK]
          -h, --help        Print help
          -V, --version     Print version
    "#]]
    .assert_eq(&Desk::new().shows("clusters -h"));
    expect![[r#"
        exit 0
        --- out
        The evidence by which two addresses are one party: the shortest way from one to the other

        Usage: tracehound clusters explain [OPTIONS] <ONE> <OTHER>

        Arguments:
          <ONE>    An address
          <OTHER>  Another one

        Options:
              --book <DIR>     The folder that holds every ingested ledger and tag [default: the platform's
                               data folder] [env: TRACEHOUND_BOOK]
              --ledger <ID>    On this ledger [default: the book's only chain of outputs]
              --as-kept        Use what was last kept, without bringing it up to the latest block, tags and
                               rulings
              --layer <LAYER>  By which evidence [default: co-spend] [possible values: co-spend, change]
              --json           Print as JSON, one line for each step
          -h, --help           Print help (see more with '--help')
          -V, --version        Print version
    "#]]
    .assert_eq(&Desk::new().shows("clusters explain -h"));
    expect![[r#"
        exit 0
        --- out
        Rule that evidence does not count: what depended on it comes apart

        Usage: tracehound clusters retract [OPTIONS] --reason <TEXT> <EVIDENCE>

        Arguments:
          <EVIDENCE>  co-spend:TXID, change:TXID, wrap:ADDRESS, all of a TXID, or a whole heuristic:
                      co-spend, change, wrap

        Options:
              --book <DIR>     The folder that holds every ingested ledger and tag [default: the platform's
                               data folder] [env: TRACEHOUND_BOOK]
              --reason <TEXT>  Why
              --by <NAME>      Who rules [default: ""]
              --date <DATE>    When [default: today]
              --ledger <ID>    On this ledger [default: the book's only chain of outputs]
          -h, --help           Print help
          -V, --version        Print version
    "#]]
    .assert_eq(&Desk::new().shows("clusters retract -h"));
}
