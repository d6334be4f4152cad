//! [`Cursor`]: the only place that takes bytes off a block or off undo data, each step checked against what is there.

use super::Problem;

/// A place in bytes. What a field is called stands in each call, since a message without it helps nobody.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn starting_at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    /// How many bytes are behind it.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes are before it.
    #[inline]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], Problem> {
        // Written as a difference, so that a claimed count cannot overflow.
        if count > self.left() {
            return Err(self.too_short(field));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<&'a [u8; N], Problem> {
        match self.bytes[self.at..].first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(chunk)
            }
            None => Err(self.too_short(field)),
        }
    }

    #[inline]
    pub fn byte(&mut self, field: &'static str) -> Result<u8, Problem> {
        self.array::<1>(field).map(|[byte]| *byte)
    }

    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Problem> {
        self.array(field).map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// An output's value, which is a signed number on the wire.
    #[inline]
    pub fn value(&mut self) -> Result<u64, Problem> {
        let value = u64::from_le_bytes(*self.array("an output's value")?);
        if value > super::VALUE_UNITS_MAX {
            let what = format!("an output's value is {}", value.cast_signed());
            return Err(Problem::new(self.at - 8, what));
        }
        Ok(value)
    }

    /// A `CompactSize`, in its shortest form only: otherwise one transaction would have several ids.
    #[inline]
    pub fn compact(&mut self, field: &'static str) -> Result<u64, Problem> {
        let first = self.byte(field)?;
        if first < 0xfd { Ok(u64::from(first)) } else { self.compact_long(first, field) }
    }

    fn compact_long(&mut self, first: u8, field: &'static str) -> Result<u64, Problem> {
        let start = self.at - 1;
        let (number, least) = match first {
            0xfd => (u64::from(u16::from_le_bytes(*self.array(field)?)), 0xfd),
            0xfe => (u64::from(self.u32(field)?), 0x1_0000),
            _ => (u64::from_le_bytes(*self.array(field)?), 0x1_0000_0000),
        };
        if number < least {
            return Err(Problem::new(start, format!("{field}: {number} is not written in its shortest form")));
        }
        Ok(number)
    }

    /// A `CompactSize` that counts things of at least `bytes_min` bytes each, no more of them than can still come.
    #[inline]
    pub fn count(&mut self, bytes_min: usize, field: &'static str) -> Result<usize, Problem> {
        let start = self.at;
        let count = self.compact(field)?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() / bytes_min => Ok(count),
            _ => Err(self.too_many(start, count, field)),
        }
    }

    /// Bytes after their `CompactSize`.
    #[inline]
    pub fn counted_bytes(&mut self, field: &'static str) -> Result<&'a [u8], Problem> {
        let start = self.at;
        let count = self.compact(field)?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() => self.take(count, field),
            _ => Err(self.too_many(start, count, field)),
        }
    }

    /// A `VARINT`: base 128, highest digit first, each digit but the last less one.
    #[inline]
    pub fn varint(&mut self, field: &'static str) -> Result<u64, Problem> {
        let mut number: u64 = 0;
        loop {
            let digit = self.byte(field)?;
            if number > u64::MAX >> 7 {
                return Err(Problem::new(self.at - 1, format!("{field} does not fit 64 bits")));
            }
            number = number << 7 | u64::from(digit & 0x7f);
            if digit & 0x80 == 0 {
                return Ok(number);
            }
            number = number
                .checked_add(1)
                .ok_or_else(|| Problem::new(self.at - 1, format!("{field} does not fit 64 bits")))?;
        }
    }

    #[cold]
    fn too_many(&self, start: usize, count: u64, field: &'static str) -> Problem {
        Problem::new(start, format!("{field}: {count} cannot fit the {} bytes that are left", self.left()))
    }

    #[cold]
    fn too_short(&self, field: &'static str) -> Problem {
        Problem::new(self.at, format!("the bytes end inside {field}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_sizes_have_one_form_each() {
        let good: [(&[u8], u64); 5] = [
            (&[0xfc], 0xfc),
            (&[0xfd, 0xfd, 0], 0xfd),
            (&[0xfd, 0xff, 0xff], 0xffff),
            (&[0xfe, 0, 0, 1, 0], 0x1_0000),
            (&[0xff, 0, 0, 0, 0, 1, 0, 0, 0], 0x1_0000_0000),
        ];
        for (bytes, number) in good {
            assert_eq!(Cursor::new(bytes).compact("x"), Ok(number));
            assert!(Cursor::new(&bytes[..bytes.len() - 1]).compact("x").is_err());
        }
        for bad in [&[0xfd, 0xfc, 0][..], &[0xfe, 0xff, 0xff, 0, 0], &[0xff, 255, 255, 255, 255, 0, 0, 0, 0]] {
            assert!(Cursor::new(bad).compact("x").unwrap_err().what().contains("shortest form"));
        }
    }

    /// The examples in the comment of `serialize.h`.
    #[test]
    fn varints_are_read_as_the_node_writes_them() {
        let cases: [(&[u8], u64); 8] = [
            (&[0], 0),
            (&[0x7f], 127),
            (&[0x80, 0x00], 128),
            (&[0x80, 0x7f], 255),
            (&[0x81, 0x00], 256),
            (&[0xfe, 0x7f], 16383),
            (&[0xff, 0x00], 16384),
            (&[0x8e, 0xfe, 0xfe, 0xff, 0x00], 1 << 32),
        ];
        for (bytes, number) in cases {
            assert_eq!(Cursor::new(bytes).varint("x"), Ok(number), "{bytes:?}");
        }
        assert!(Cursor::new(&[0xff; 20]).varint("x").unwrap_err().what().contains("64 bits"));
        let most = [0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x7f];
        assert_eq!(Cursor::new(&most).varint("x"), Ok(u64::MAX));
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        let what = Cursor::new(&[0xfe, 0xff, 0xff, 0xff, 0x7f, 1]).counted_bytes("a script").unwrap_err();
        assert_eq!(what.what(), "a script: 2147483647 cannot fit the 1 bytes that are left");
        assert_eq!(what.offset(), 0);
    }
}
