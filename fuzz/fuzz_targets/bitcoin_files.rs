//! Files of blocks and undo data: the walk ends, records come in order, and nothing is said of bytes that are not there.
#![no_main]

use decode::bitcoin::{Contents, Frames, Obfuscation, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((head, file)) = data.split_first_chunk::<9>() else { return };
    let contents = if head[8] & 1 == 0 { Contents::Blocks } else { Contents::Undo };
    // Half of the keys make zeros in the file look like the beginning of a magic.
    let key = Obfuscation::of_file(&head[..8]).expect("eight bytes are a key");
    let magic = if head[8] & 2 == 0 { [0xf9, 0xbe, 0xb4, 0xd9] } else { [0, head[1], head[2], head[3]] };
    let mut frames = Frames::new(contents, magic, key, 0, file.len() as u64);
    let (mut last, mut steps) = (None, 0);
    loop {
        steps += 1;
        assert!(steps <= 8 * (file.len() + 8), "the walk does not end");
        match frames.next() {
            Step::Read { offset, length } => {
                let start = usize::try_from(offset).expect("it is in memory");
                frames.give(&file[start..start + length]);
            }
            Step::Record(record) => {
                assert!(last < Some(record.offset), "records come in order, each once");
                assert!(record.offset + record.length as u64 <= file.len() as u64);
                last = Some(record.offset);
            }
            Step::Gap(gap) => assert!(gap.length > 0 && gap.offset + gap.length <= file.len() as u64),
            Step::End => break,
        }
    }
});
