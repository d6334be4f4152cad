//! Reads Rust source just well enough to count and search it: comments and literals out, tests out, functions found.
//!
//! It is not a parser: it knows where comments, strings and braces begin and end, and nothing of types or macros. What
//! a checker of types can know better is left to clippy.

/// The same text, line for line, with every comment and the inside of every literal turned into spaces.
pub fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => find(bytes, at, b"\n"),
            b'/' if bytes[at..].starts_with(b"/*") => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' if !in_word(bytes, at) => raw_string_end(bytes, at).unwrap_or(at + 1),
            b'\'' => char_end(bytes, at).unwrap_or(at + 1),
            _ => at + 1,
        };
        if end > at + 1 {
            blank(&mut out[at..end]);
        }
        at = end;
    }
    String::from_utf8(out).expect("whole characters are blanked, byte by byte")
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Whether the byte before belongs to the same word. The `r` of `br"…"` and `cr"…"` begins a raw string all the same.
fn in_word(bytes: &[u8], at: usize) -> bool {
    let word = |back: usize| at.checked_sub(back).is_some_and(|at| is_word(bytes[at]));
    word(1) && (word(2) || !matches!(bytes[at - 1], b'b' | b'c'))
}

/// Letters, digits, the underscore, and any byte of a character beyond ASCII.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    bytes[from..].windows(what.len()).position(|window| window == what).map_or(bytes.len(), |found| from + found)
}

fn block_comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0usize, from);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn raw_string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let hashes = bytes[from + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = from + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    Some((find(bytes, open + 1, &close) + close.len()).min(bytes.len()))
}

/// A character's literal, as against a lifetime: `'a'` and `'\n'`, not `'a`.
fn char_end(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.get(from + 1) == Some(&b'\\') {
        return Some((find(bytes, from + 3, b"'") + 1).min(bytes.len()));
    }
    let rest = std::str::from_utf8(&bytes[from + 1..]).ok()?;
    let length = rest.chars().next()?.len_utf8();
    (bytes.get(from + 1 + length) == Some(&b'\'')).then_some(from + 2 + length)
}

/// The same code with every item under `#[cfg(test)]` turned into spaces.
pub fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    let mut at = 0;
    while let Some(found) = code[at..].find("#[cfg(test)]") {
        let start = at + found;
        let end = item_end(code, start + "#[cfg(test)]".len());
        blank(&mut out[start..end]);
        at = end;
    }
    String::from_utf8(out).expect("whole items are blanked")
}

/// Where the item ends that begins at `from`: after its `;` or its outermost `}`.
fn item_end(code: &str, from: usize) -> usize {
    match code[from..].find([';', '{']).map(|found| from + found) {
        Some(at) if code.as_bytes()[at] == b'{' => block_end(code, at),
        Some(at) => at + 1,
        None => code.len(),
    }
}

/// Where the block ends that opens at `from`.
pub fn block_end(code: &str, from: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Where `word` stands in `code` as a whole word.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).is_some_and(|before| is_word(bytes[before]));
        let after = bytes.get(at + word.len()).is_some_and(|byte| is_word(*byte));
        !before && !after
    })
}

/// The number of the line, from 1, on which a byte stands.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// A function with a body: its name, the line where it starts, and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// The functions of a file whose comments and literals are out.
pub fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let rest = code[at + 2..].trim_start();
        let name: String = rest.bytes().take_while(|byte| is_word(*byte)).map(char::from).collect();
        // `fn(…)` is a type; a function of a trait may end without a body.
        let Some(open) = body_start(code, at).filter(|_| !name.is_empty()) else { continue };
        let end = block_end(code, open);
        let line = line_of(code, at);
        found.push(Function { name, line, lines: line_of(code, end - 1) - line + 1 });
    }
    found
}

/// The `{` that opens the body of the function at `from`; none where a `;` outside of brackets comes first.
fn body_start(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_go_and_the_code_stays_where_it_was() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"x("a \" // b")y"#, "x(           )y"),
            ("r#\"a \" b\"# + r\"c\"", "           +     "),
            ("br\"a\" ptr", "b     ptr"),
            ("'a' + '\\'' + '{'", "    +      +    "),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("'ü' \"unfinished", "                 "),
            ("for r in rows", "for r in rows"),
        ];
        for (text, want) in cases {
            let got = code_only(text);
            assert_eq!(got.trim_end(), want.trim_end(), "{text:?}");
            assert_eq!(got.len(), text.len(), "{text:?}");
        }
    }

    #[test]
    fn tests_are_left_out_with_all_that_they_hold() {
        let code = "use a;\n#[cfg(test)]\nmod tests { fn x() { b } }\n#[cfg(test)] mod more;\nuse c;";
        let left = without_tests(code);
        assert!(left.contains("use a") && left.contains("use c"), "{left}");
        assert!(!left.contains("mod") && left.lines().count() == code.lines().count(), "{left}");
    }

    #[test]
    fn functions_are_measured_and_types_of_functions_are_not() {
        let code = "trait T { fn no(&self); }\nfn one(x: [u8; 4]) -> u8 { 1 }\nfn two(f: fn(u8))\n{\n  if a { b }\n}\n";
        let got = functions(code);
        let want = [("one", 2, 1), ("two", 3, 4)];
        assert_eq!(got.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect::<Vec<_>>(), want);
    }
}
