//! YAML as a small read-only tree with places: every node knows its line and column, scalars are raw text.
//!
//! Nothing is resolved: `0x098b…` stays that text and never becomes a number, `2022-03-23` never a date, `no` never
//! a truth value. Who wants a meaning asks for it by name ([`Node::text`], [`Node::boolean`]). Duplicate keys are
//! faults, aliases are copied in under a budget (an alias bomb is a fault, not a crash), and depth, nodes and bytes are
//! limited. It is not a writer, and not a general YAML library: keys are scalars and a file is one document.
//!
//! Events come from `saphyr-parser` (YAML 1.2; a `%YAML 1.1` header is accepted).

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use crate::Fault;
use crate::fault::quoted;

/// The largest YAML file.
pub const YAML_BYTES_MAX: usize = 64 << 20;
/// How deep lists and maps may nest.
pub const YAML_DEPTH_MAX: usize = 64;
/// How many nodes a file may have once its aliases are copied in.
pub const YAML_NODES_MAX: usize = 2_000_000;
/// How many aliases a file may have.
pub const YAML_ALIASES_MAX: usize = 100_000;

/// A scalar, list or map, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Raw text.
    Scalar {
        /// The text, unquoted and unescaped, otherwise as it was written.
        text: String,
        /// Whether it stood in quotes (or in a block), which is how `"null"` differs from `null`.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in file order; keys are scalars, each once.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The value of a key; nothing where the key is absent, its value is null, or this is no map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.is_text(key)).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The value of a key that must be there.
    pub fn required(&self, key: &str) -> Result<&Self, Fault> {
        self.map()?;
        self.get(key).ok_or_else(|| self.fault(format!("there is no {key:?} here"), format!("add `{key}: …`")))
    }

    /// The text of a scalar.
    pub fn text(&self) -> Result<&str, Fault> {
        match &self.value {
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(self.fault(format!("expected text, found {}", self.kind()), "write a single value here")),
        }
    }

    /// The items of a list.
    pub fn list(&self) -> Result<&[Self], Fault> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.fault(format!("expected a list, found {}", self.kind()), "start each item with `- `")),
        }
    }

    /// The entries of a map, in file order.
    pub fn map(&self) -> Result<&[(Self, Self)], Fault> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.fault(format!("expected `key: value` entries, found {}", self.kind()), "")),
        }
    }

    /// `true` or `false`, as YAML 1.1 and 1.2 write them.
    pub fn boolean(&self) -> Result<bool, Fault> {
        let text = self.text()?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => Err(self.fault(format!("{} is neither true nor false", quoted(text)), "write true or false")),
        }
    }

    /// Whether it is absent in all but name: nothing, `~` or `null`, not in quotes.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, quoted: false } => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// Faults the first key that is not among `known`: a mistyped key must not pass as an absent one.
    pub fn only_keys(&self, known: &[&str]) -> Result<(), Fault> {
        for (key, _) in self.map()? {
            if !known.iter().any(|name| key.is_text(name)) {
                let found = quoted(key.text().unwrap_or_default());
                return Err(key.fault(format!("unknown key {found}"), format!("known here: {}", known.join(", "))));
            }
        }
        Ok(())
    }

    /// A fault at this node's place.
    pub fn fault(&self, what: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::line(self.line, what, help).at(self.column)
    }

    /// What to call it in a message.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    fn is_text(&self, wanted: &str) -> bool {
        matches!(&self.value, Value::Scalar { text, .. } if text == wanted)
    }

    /// How much of the budget a copy takes.
    fn size(&self) -> Size {
        match &self.value {
            Value::Scalar { text, .. } => Size { nodes: 1, bytes: text.len(), depth: 0 },
            Value::List(items) => items.iter().fold(Size::EMPTY_LEVEL, |sum, item| sum.holding(item.size())),
            Value::Map(entries) => entries
                .iter()
                .fold(Size::EMPTY_LEVEL, |sum, (key, value)| sum.holding(key.size()).holding(value.size())),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    /// Levels of lists and maps.
    depth: usize,
}

impl Size {
    const EMPTY_LEVEL: Self = Self { nodes: 1, bytes: 0, depth: 1 };

    /// Both side by side.
    fn and(self, other: Self) -> Self {
        Self { nodes: self.nodes + other.nodes, bytes: self.bytes + other.bytes, depth: 0 }
    }

    const fn is_too_much(self) -> bool {
        self.nodes > YAML_NODES_MAX || self.bytes > YAML_BYTES_MAX
    }

    fn holding(self, inner: Self) -> Self {
        Self {
            nodes: self.nodes + inner.nodes,
            bytes: self.bytes + inner.bytes,
            depth: self.depth.max(1 + inner.depth),
        }
    }
}

/// Reads a YAML file of one document.
pub fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    read(bytes, YAML_BYTES_MAX, Builder::default())
}

/// Reads a YAML file of up to `bytes_max` bytes whose top level is a map, and gives the items of its lists under the keys
/// `streamed` away one by one, with their key. They are not part of the tree and do not count towards its limits; what
/// aliases copy does. So a file with a million entries needs the memory of one.
pub fn parse_streamed(
    bytes: &[u8],
    bytes_max: usize,
    streamed: &[&str],
    take: &mut dyn FnMut(&str, Node) -> Result<(), Fault>,
) -> Result<Node, Fault> {
    read(bytes, bytes_max, Builder { streamed, take: Some(take), ..Builder::default() })
}

fn read(bytes: &[u8], bytes_max: usize, mut builder: Builder<'_>) -> Result<Node, Fault> {
    if bytes.len() > bytes_max {
        let what = format!("the file has {} bytes, at most {bytes_max} are read", bytes.len());
        return Err(Fault::whole(what, "split it"));
    }
    let text = crate::text::utf8(bytes)?;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let (line, column) = place(*error.marker());
            Fault::line(line, format!("not valid YAML: {}", error.info()), "check the indentation, quotes and colons")
                .at(column)
        })?;
        builder.take(event, span)?;
    }
    builder.root.ok_or_else(|| Fault::whole("the file is empty", "give a YAML file with content"))
}

fn place(marker: Marker) -> (u64, u64) {
    (marker.line() as u64, marker.col() as u64 + 1)
}

fn too_much(line: u64, column: u64) -> Fault {
    let what = format!("more than {YAML_NODES_MAX} values or {YAML_BYTES_MAX} bytes, aliases copied in");
    Fault::line(line, what, "split the file, or write less with aliases").at(column)
}

/// A list or map that is still open.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<Node>,
    /// The keys so far, to catch duplicates.
    keys: HashSet<String>,
}

/// Who takes the streamed items.
type Take<'a> = &'a mut dyn FnMut(&str, Node) -> Result<(), Fault>;

#[derive(Default)]
struct Builder<'a> {
    streamed: &'a [&'a str],
    take: Option<Take<'a>>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    anchors: HashMap<usize, (Node, Size)>,
    aliases: usize,
    /// What is in memory.
    size: Size,
    /// What aliases copied, streamed away or not: a bomb costs time too.
    copied: Size,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let (line, column) = place(span.start);
        let node = |value| Node { line, column, value };
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Fault::line(line, "a second document starts here", "keep one document to a file"));
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let quoted = style != ScalarStyle::Plain;
                self.charge(Size { nodes: 1, bytes: text.len(), depth: 0 }, line, column)?;
                self.put(node(Value::Scalar { text: text.into_owned(), quoted }), anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.start(node(Value::List(Vec::new())), anchor)?,
            Event::MappingStart(anchor, _) => self.start(node(Value::Map(Vec::new())), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                let done = self.open.pop().expect("the parser closes only what it opened");
                self.put(done.node, done.anchor)?;
            }
            Event::Alias(anchor) => self.alias(anchor, line, column)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: u64, column: u64) -> Result<(), Fault> {
        self.aliases += 1;
        let Some((_, size)) = self.anchors.get(&anchor) else {
            return Err(Fault::line(line, "this alias stands inside what it names", "write the value out").at(column));
        };
        if self.aliases > YAML_ALIASES_MAX {
            return Err(Fault::line(line, format!("more than {YAML_ALIASES_MAX} aliases"), "write the values out"));
        }
        // Aliases of aliases would nest without end, and a deep tree overflows the stack of whoever walks it.
        if self.open.len() + size.depth > YAML_DEPTH_MAX {
            let what = format!("what this alias names nests deeper than {YAML_DEPTH_MAX} levels here");
            return Err(Fault::line(line, what, "flatten the file").at(column));
        }
        let size = *size;
        self.copied = self.copied.and(size);
        if self.copied.is_too_much() {
            return Err(too_much(line, column));
        }
        self.charge(size, line, column)?;
        let node = self.anchors.get(&anchor).expect("it was there above").0.clone();
        self.put(node, 0)
    }

    fn charge(&mut self, size: Size, line: u64, column: u64) -> Result<(), Fault> {
        self.size = self.size.and(size);
        if self.size.is_too_much() { Err(too_much(line, column)) } else { Ok(()) }
    }

    fn start(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        self.charge(Size::EMPTY_LEVEL, node.line, node.column)?;
        if self.open.len() >= YAML_DEPTH_MAX {
            return Err(node.fault(format!("nested deeper than {YAML_DEPTH_MAX} levels"), "flatten the file"));
        }
        self.open.push(Open { node, anchor, key: None, keys: HashSet::new() });
        Ok(())
    }

    /// Hangs a finished node into what is open.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor > 0 {
            let size = node.size();
            // The copy that is kept for aliases counts too: anchors may nest.
            self.charge(size, node.line, node.column)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        // A list that has a name is kept, because an alias may want it.
        if let [root, Open { node: Node { value: Value::List(_), .. }, anchor: 0, .. }] = self.open.as_slice()
            && let Some(key) = root.key.as_ref().and_then(|key| self.streamed.iter().find(|name| key.is_text(name)))
            && let Some(take) = self.take.as_mut()
        {
            let size = node.size();
            self.size = Size { nodes: self.size.nodes - size.nodes, bytes: self.size.bytes - size.bytes, depth: 0 };
            return take(key, node);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => {
                if let Some(key) = open.key.take() {
                    entries.push((key, node));
                } else {
                    open.key = Some(new_key(node, &mut open.keys)?);
                }
            }
            Value::Scalar { .. } => unreachable!("only lists and maps are opened"),
        }
        Ok(())
    }
}

/// A key of a map: plain text, and not one of its `keys` already.
fn new_key(node: Node, keys: &mut HashSet<String>) -> Result<Node, Fault> {
    let text = node.text().map_err(|_| node.fault("a key must be plain text", "write `key: value`"))?;
    if !keys.insert(text.to_owned()) {
        return Err(node.fault(format!("the key {} stands here twice", quoted(text)), "keep one"));
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The tree on one line: `"quoted"`, plain, `[a b]`, `{a: b}`.
    fn shown(node: &Node) -> String {
        let all = |nodes: &[Node]| nodes.iter().map(shown).collect::<Vec<_>>().join(" ");
        match &node.value {
            Value::Scalar { text, quoted: true } => format!("{text:?}"),
            Value::Scalar { text, quoted: false } => text.clone(),
            Value::List(items) => format!("[{}]", all(items)),
            Value::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{}: {}", shown(k), shown(v))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn check(yaml: impl AsRef<[u8]>, want: &str) {
        let got = parse(yaml.as_ref()).map_or_else(|fault| fault.in_file("f"), |node| shown(&node));
        assert_eq!(got, want, "{:?}", String::from_utf8_lossy(yaml.as_ref()));
    }

    #[test]
    fn scalars_stay_as_they_were_written() {
        check(
            "a: 0x098b\nb: 1e5\nc: 2022-03-23\nd: no\ne: '7'\nf: 2022-03-23 10:00:00\n",
            "{a: 0x098b, b: 1e5, c: 2022-03-23, d: no, e: \"7\", f: 2022-03-23 10:00:00}",
        );
        check("%YAML 1.1\n---\na: [1, {b: c}]\n", "{a: [1 {b: c}]}");
        check("\u{feff}a: b\r\nc: d\r\n", "{a: b, c: d}");
        check("a: &x {b: c}\nd: *x\n", "{a: {b: c}, d: {b: c}}");
        check("a:\nb: ~\nc: null\nd: 'null'\n", "{a: , b: ~, c: null, d: \"null\"}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        check("", "f: the file is empty; give a YAML file with content");
        check("# nothing\n", "f: the file is empty; give a YAML file with content");
        check("a: 1\na: 2\n", "f:2:1: the key \"a\" stands here twice; keep one");
        check("a: 1\n---\nb: 2\n", "f:2: a second document starts here; keep one document to a file");
        check("? [a]\n: b\n", "f:1:3: a key must be plain text; write `key: value`");
        check("a: &x [*x]\n", "f:1:8: this alias stands inside what it names; write the value out");
        check(b"a: b\nc: d\xff\n", "f:2:5: not UTF-8 (byte 0xff); save the file as UTF-8");
        check(b"\xff\xfea\0", "f:1: the file is UTF-16; save it as UTF-8 (CSV UTF-8 in Excel)");
        let deep = "[".repeat(YAML_DEPTH_MAX + 1);
        check(deep, "f:1:65: nested deeper than 64 levels; flatten the file");
        for bad in ["a: [", "a: 'b", "a: b: c", "\ta: b\n- c", "*x", "a: b\n c: d"] {
            let fault = parse(bad.as_bytes()).expect_err(bad);
            assert!(fault.line > 0 && fault.what.starts_with("not valid YAML"), "{bad:?}: {fault}");
        }
    }

    #[test]
    fn an_alias_bomb_is_a_fault() {
        let mut bomb = String::from("a0: &a0 lol\n");
        for level in 1..40 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            writeln!(bomb, "a{level}: &a{level} [{items}]").unwrap();
        }
        let fault = parse(bomb.as_bytes()).expect_err("nine to the fortieth");
        assert!(fault.what.starts_with("more than"), "{fault}");
    }

    /// What a streamed file gives away, and what is left.
    fn streamed(yaml: &str) -> (Vec<String>, String) {
        let mut items = Vec::new();
        let rest = parse_streamed(yaml.as_bytes(), YAML_BYTES_MAX, &["tags"], &mut |key, node| {
            items.push(format!("{key} {}", shown(&node)));
            Ok(())
        });
        (items, rest.map_or_else(|fault| fault.in_file("f"), |node| shown(&node)))
    }

    #[test]
    fn lists_of_the_top_level_may_be_streamed() {
        let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            streamed("a: &a {b: c}\ntags:\n- x\n- *a\n- [y, {tags: [z]}]\nd: {tags: [w]}\n"),
            (
                items(&["tags x", "tags {b: c}", "tags [y {tags: [z]}]"]),
                "{a: {b: c}, tags: [], d: {tags: [w]}}".to_owned()
            )
        );
        assert_eq!(streamed("tags: &t [x]\nb: *t\n"), (vec![], "{tags: [x], b: [x]}".to_owned()));
        assert_eq!(streamed("- tags: [x]\n").1, "[{tags: [x]}]");
        assert_eq!(streamed("tags: {a: [x]}\n").1, "{tags: {a: [x]}}");
        assert_eq!(streamed("tags: [x]\ntags: [y]\n").1, "f:2:1: the key \"tags\" stands here twice; keep one");
    }

    #[test]
    fn more_may_be_streamed_than_a_tree_may_hold_but_not_by_aliases() {
        let many = format!("tags: [{}]", "x,".repeat(YAML_NODES_MAX + 1));
        assert_eq!(streamed(&many).0.len(), YAML_NODES_MAX + 1);
        let inner = vec!["x"; 1000].join(",");
        let bomb = format!("a: &a [{inner}]\ntags: [{}]", "*a,".repeat(YAML_NODES_MAX / 1000));
        assert!(streamed(&bomb).1.contains("more than"), "a thousand times two thousand");
    }

    #[test]
    fn aliases_do_not_nest_deeper_than_a_file_may() {
        let level = |at: usize, inner: &str| format!("a{at}: &a{at} {}{inner}{}\n", "[".repeat(31), "]".repeat(31));
        let two = level(0, "x") + &level(1, "*a0");
        assert!(parse(two.as_bytes()).is_ok(), "one map and 62 lists");
        let three = two + &level(2, "*a1");
        check(three, "f:3:40: what this alias names nests deeper than 64 levels here; flatten the file");
    }

    #[test]
    fn helpers_say_where_something_is_missing_or_of_the_wrong_kind() {
        let node = parse(b"a: {b: yes, c: maybe}\nd:\n").unwrap();
        let a = node.get("a").unwrap();
        assert_eq!(a.get("b").unwrap().boolean(), Ok(true));
        assert!(node.get("d").is_none() && node.get("e").is_none());
        assert_eq!(
            a.get("c").unwrap().boolean().unwrap_err().to_string(),
            "1:16: \"maybe\" is neither true nor false; write true or false"
        );
        assert_eq!(a.required("x").unwrap_err().to_string(), "1:4: there is no \"x\" here; add `x: …`");
        assert_eq!(a.text().unwrap_err().to_string(), "1:4: expected text, found a map; write a single value here");
        assert_eq!(node.only_keys(&["a"]).unwrap_err().to_string(), "2:1: unknown key \"d\"; known here: a");
    }
}
