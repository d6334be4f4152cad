//! Where records lie in a file: whole files, files with damage at every kind of place, and random ones against the
//! list they were made from.

use decode::bitcoin::{Contents, Frames, Gap, GapKind, Obfuscation, Record, Step};
use proptest::prelude::*;

use crate::data::{key, network, unpacked, walk};

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

/// A piece of a file.
#[derive(Clone, Debug)]
enum Piece {
    Record(usize),
    Zeros(usize),
    Garbage(usize),
}

/// The file of these pieces under a key, and where each lies.
fn file(pieces: &[Piece], contents: Contents, key: Obfuscation) -> (Vec<u8>, Vec<(u64, u64, Piece)>) {
    let (mut file, mut places) = (Vec::new(), Vec::new());
    for piece in pieces {
        let start = file.len() as u64;
        match *piece {
            Piece::Record(size) => {
                let checksum = if contents == Contents::Undo { 32 } else { 0 };
                let size_bytes = u32::try_from(size).unwrap().to_le_bytes();
                let mut bytes = [&MAGIC[..], &size_bytes, &vec![0x11; size + checksum]].concat();
                key.apply(start, &mut bytes);
                file.extend(bytes);
            }
            Piece::Zeros(count) => file.extend(vec![0; count]),
            Piece::Garbage(count) => {
                let mut bytes = vec![0x77; count];
                key.apply(start, &mut bytes);
                file.extend(bytes);
            }
        }
        places.push((start, file.len() as u64, piece.clone()));
    }
    (file, places)
}

/// What a walk must tell: zeros are unused space where a record was expected, and garbage where garbage came first.
fn expected(places: &[(u64, u64, Piece)]) -> (Vec<(u64, usize)>, Vec<Gap>) {
    let (mut records, mut gaps) = (Vec::new(), Vec::<Gap>::new());
    for (start, end, piece) in places {
        let what = match piece {
            Piece::Record(_) => {
                records.push((start + 8, usize::try_from(end - start - 8).unwrap()));
                continue;
            }
            Piece::Zeros(_) => GapKind::Unused,
            Piece::Garbage(_) => GapKind::Garbage,
        };
        match gaps.last_mut().filter(|gap| gap.offset + gap.length == *start) {
            Some(gap) if gap.what == what || gap.what == GapKind::Garbage => gap.length += end - start,
            _ => gaps.push(Gap { offset: *start, length: end - start, what }),
        }
    }
    (records, gaps)
}

fn seen(records: &[Record]) -> Vec<(u64, usize)> {
    records.iter().map(|record| (record.offset, record.length)).collect()
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let window = 1_usize << 18;
    let length = prop_oneof![8 => 8..2000_usize, 1 => window - 20..window + 20, 1 => 2 * window - 10..2 * window + 10];
    let piece = prop_oneof![
        4 => (141..3000_usize).prop_map(Piece::Record),
        1 => length.clone().prop_map(Piece::Zeros),
        1 => length.prop_map(Piece::Garbage),
    ];
    prop::collection::vec(piece, 0..12)
}

/// Keys of which some make a record's first bytes zero in the file.
fn keys() -> impl Strategy<Value = Obfuscation> {
    let byte = prop_oneof![Just(MAGIC[0]), Just(MAGIC[1]), any::<u8>()];
    prop_oneof![
        Just(Obfuscation::NONE),
        prop::array::uniform8(byte).prop_map(Obfuscation::new),
        Just(Obfuscation::new([0xfa, 0xbf, 0xb5, 0xda, 0xfa, 0xbf, 0xb5, 0xda])),
    ]
}

proptest! {
    #[test]
    fn every_record_is_found_and_every_other_byte_is_in_a_gap(
        pieces in pieces(),
        key in keys(),
        undo in any::<bool>(),
    ) {
        let contents = if undo { Contents::Undo } else { Contents::Blocks };
        let (file, places) = file(&pieces, contents, key);
        let (records, gaps, _) = walk(contents, MAGIC, key, &file);
        let (want_records, want_gaps) = expected(&places);
        prop_assert_eq!(seen(&records), want_records);
        prop_assert_eq!(gaps, want_gaps);
        prop_assert!(records.iter().all(|record| record.header.is_some() != undo));
    }

    #[test]
    fn any_bytes_are_walked_to_their_end(
        pieces in pieces(),
        key in keys(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        shorter in any::<prop::sample::Index>(),
    ) {
        let (mut file, _) = file(&pieces, Contents::Blocks, key);
        for (place, byte) in changes {
            if !file.is_empty() {
                let at = place.index(file.len());
                file[at] = byte;
            }
        }
        let said = file.len() as u64;
        file.truncate(shorter.index(file.len() + 1));
        let mut frames = Frames::new(Contents::Blocks, MAGIC, key, 0, said);
        let mut last = None;
        for _ in 0..10_000 {
            match frames.next() {
                Step::Read { offset, length } => {
                    let start = usize::try_from(offset).unwrap().min(file.len());
                    frames.give(&file[start..(start + length).min(file.len())]);
                }
                Step::Record(record) => {
                    prop_assert!(last < Some(record.offset), "records come in order, each once");
                    last = Some(record.offset);
                }
                Step::Gap(gap) => prop_assert!(gap.length > 0 && gap.offset + gap.length <= said),
                Step::End => return Ok(()),
            }
        }
        prop_assert!(false, "the walk does not end");
    }
}

/// Three records, of which something is done to the second.
fn damaged(damage: impl Fn(&mut Vec<u8>, usize)) -> (Vec<(u64, usize)>, Vec<Gap>) {
    let key = Obfuscation::new([1, 2, 3, 4, 5, 6, 7, 8]);
    let (mut file, places) = file(&[Piece::Record(200), Piece::Record(300), Piece::Record(400)], Contents::Blocks, key);
    damage(&mut file, usize::try_from(places[1].0).unwrap());
    let (records, gaps, _) = walk(Contents::Blocks, MAGIC, key, &file);
    (seen(&records), gaps)
}

#[test]
fn one_bad_byte_costs_one_record() {
    let garbage = |offset, length| vec![Gap { offset, length, what: GapKind::Garbage }];
    let (first, second, third) = ((8, 200), (216, 300), (524, 400));
    assert_eq!(damaged(|_, _| {}), (vec![first, second, third], vec![]));
    assert_eq!(damaged(|file, at| file[at] ^= 1), (vec![first, third], garbage(208, 308)), "its magic");
    assert_eq!(damaged(|file, at| file[at + 7] ^= 0x80), (vec![first, third], garbage(208, 308)), "an absurd size");
    // A size that is too small or too large and still possible: the record is told as it claims to be, and no other lost.
    let (records, gaps) = damaged(|file, at| file[at + 4] ^= 4);
    assert_eq!((records, gaps), (vec![first, (216, 296), third], garbage(512, 4)));
    let (records, gaps) = damaged(|file, at| file[at + 4] ^= 0x10);
    assert_eq!((records, gaps), (vec![first, (216, 316), third], vec![]));
    assert_eq!(damaged(|file, at| drop(file.drain(at + 100..at + 148))).0, [first, second, (476, 400)]);
    assert_eq!(
        damaged(|file, at| drop(file.splice(at..at, [9; 8]))),
        (vec![first, (224, 300), (532, 400)], garbage(208, 8))
    );
}

#[test]
fn a_file_that_ends_inside_a_record_says_so() {
    let cut = |length| vec![Gap { offset: 516, length, what: GapKind::Cut }];
    for left in [1, 4, 7, 8, 50, 407] {
        let (records, gaps) = damaged(|file, at| file.truncate(at + 308 + left));
        assert_eq!((records, gaps), (vec![(8, 200), (216, 300)], cut(left as u64)), "{left} bytes of the last");
    }
    // A record that claims more than there is, with others behind it.
    let (records, gaps) = damaged(|file, at| file[at + 5] ^= 0x40);
    assert_eq!(records, [(8, 200), (524, 400)]);
    assert_eq!(gaps, [Gap { offset: 208, length: 308, what: GapKind::Cut }]);
}

#[test]
fn a_walk_goes_on_where_another_ended() {
    let key = Obfuscation::new([1, 2, 3, 4, 5, 6, 7, 8]);
    let (file, places) = file(&[Piece::Record(200), Piece::Record(300), Piece::Zeros(64)], Contents::Blocks, key);
    let mut frames = Frames::new(Contents::Blocks, MAGIC, key, places[1].0, file.len() as u64);
    let Step::Read { offset, length } = frames.next() else { panic!("it asks for the head first") };
    assert_eq!((offset, length), (208, 88));
    frames.give(&file[208..296]);
    assert!(matches!(frames.next(), Step::Record(Record { offset: 216, length: 300, header: Some(_) })));
}

#[test]
fn the_files_of_the_regtest_node_are_records_and_unused_space() {
    let magic = network("bitcoin-regtest").magic;
    for (name, files) in [("blocks.tar.xz", 2), ("blocks-fastprune-out-of-order.tar.xz", 124)] {
        let Some(folder) = unpacked(&format!("regtest-node-29.5/{name}")) else { return };
        let key = key(&folder);
        let mut seen = 0;
        for (name, file) in folder.iter().filter(|(name, _)| name.starts_with("blk") || name.starts_with("rev")) {
            let contents = if name.starts_with("blk") { Contents::Blocks } else { Contents::Undo };
            let (records, gaps, _) = walk(contents, magic, key, file);
            assert!(!records.is_empty());
            assert!(gaps.len() <= 1 && gaps.iter().all(|gap| gap.what == GapKind::Unused), "{name}: {gaps:?}");
            let told = records.iter().map(|record| record.length as u64 + 8).sum::<u64>();
            assert_eq!(told + gaps.iter().map(|gap| gap.length).sum::<u64>(), file.len() as u64);
            seen += 1;
        }
        assert_eq!(seen, files);
        // With another key or another network's magic there is nothing.
        let first = &folder["blk00000.dat"];
        for (magic, key) in [(magic, Obfuscation::NONE), (network("bitcoin").magic, key)] {
            let (records, gaps, _) = walk(Contents::Blocks, magic, key, first);
            assert_eq!(records, []);
            assert_eq!(gaps[0].what, GapKind::Garbage);
        }
    }
}
