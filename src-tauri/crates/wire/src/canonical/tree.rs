//! A digest of JSON that does not depend on its spelling.
//!
//! `serde_json` has checked the text and its depth before, so this is one pass over slices: it
//! copies only keys and texts with escapes.

use std::borrow::Cow;

/// What a digest leaves out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ignored<'a> {
    /// Members of the top-level object.
    pub(super) members: &'a [&'a str],
    /// A member of blocks, anywhere blocks occur; never of pass-through data such as a tool's
    /// schema or arguments.
    pub(super) mark: Option<&'a str>,
    /// Prefix of the text by which a block of `system` is left out whole.
    pub(super) attribution: Option<&'a str>,
}

pub(super) fn digest(text: &str, ignored: &Ignored<'_>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let root = Cursor { text, at: 0 }.value();
    Writer { hasher: &mut hasher, ignored }.write(&root, Place::Top);
    hasher.finalize().into()
}

/// End of the first item of the array in `text`; `None` if there is none.
pub(super) fn first_item_end(text: &str) -> Option<usize> {
    let mut cursor = Cursor { text, at: 0 };
    if cursor.next_byte()? != b'[' {
        return None;
    }
    cursor.at += 1;
    cursor.value();
    Some(cursor.at)
}

enum Node<'a> {
    /// Number, `true`, `false` or `null`, as written.
    Scalar(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// What a value is to the dialect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The request.
    Top,
    /// The instructions of Messages.
    System,
    /// Messages, their blocks, tools.
    Block,
    /// Pass-through data.
    Data,
}

impl Place {
    fn of_member(self, key: &str) -> Self {
        match (self, key) {
            (Self::Data, _) => Self::Data,
            (Self::Top, "system") => Self::System,
            (Self::Top, "input") => Self::Block,
            (_, "messages" | "content" | "contents" | "parts" | "tools" | "function") => {
                Self::Block
            }
            _ => Self::Data,
        }
    }
}

struct Writer<'h, 'i> {
    hasher: &'h mut blake3::Hasher,
    ignored: &'i Ignored<'i>,
}

impl Writer<'_, '_> {
    fn write(&mut self, node: &Node<'_>, place: Place) {
        match node {
            Node::Scalar(text) => self.leaf(b"n", text),
            Node::Text(text) => self.leaf(b"s", text),
            Node::List(items) => {
                self.hasher.update(b"[");
                for item in items {
                    if !self.is_attribution(item, place) {
                        self.write(item, place);
                    }
                }
                self.hasher.update(b"]");
            }
            Node::Object(members) => self.object(members, place),
        }
    }

    fn object(&mut self, members: &[(Cow<'_, str>, Node<'_>)], place: Place) {
        let mut sorted: Vec<_> =
            members.iter().filter(|(key, value)| !self.is_left_out(key, value, place)).collect();
        // A stable sort: a key that occurs twice keeps its order.
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.hasher.update(b"{");
        for (key, value) in sorted {
            self.leaf(b"k", key);
            self.write(value, place.of_member(key));
        }
        self.hasher.update(b"}");
    }

    /// Hashes tag, length and bytes: no two different sequences of leaves give the same input.
    fn leaf(&mut self, tag: &[u8], text: &str) {
        self.hasher.update(tag).update(&text.len().to_le_bytes()).update(text.as_bytes());
    }

    fn is_left_out(&self, key: &str, value: &Node<'_>, place: Place) -> bool {
        match place {
            Place::Top => {
                self.ignored.members.contains(&key) || matches!(value, Node::Scalar("null"))
            }
            Place::System | Place::Block => self.ignored.mark == Some(key),
            Place::Data => false,
        }
    }

    fn is_attribution(&self, item: &Node<'_>, place: Place) -> bool {
        let (Place::System, Some(start), Node::Object(members)) =
            (place, self.ignored.attribution, item)
        else {
            return false;
        };
        members.iter().any(|(key, value)| {
            key == "text" && matches!(value, Node::Text(text) if text.starts_with(start))
        })
    }
}

/// A position in a text that is known to be JSON. On any text, no method reads past its end.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn value(&mut self) -> Node<'a> {
        match self.next_byte() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.string().map_or_else(Node::Scalar, Node::Text),
            _ => Node::Scalar(self.scalar()),
        }
    }

    fn object(&mut self) -> Node<'a> {
        let mut members = Vec::new();
        self.at += 1;
        while self.next_byte() == Some(b'"') {
            let key = self.string().unwrap_or_else(Cow::Borrowed);
            if self.next_byte() == Some(b':') {
                self.at += 1;
            }
            let value = self.value();
            members.push((key, value));
            if self.next_byte() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        Node::Object(members)
    }

    fn list(&mut self) -> Node<'a> {
        let mut items = Vec::new();
        self.at += 1;
        while !matches!(self.next_byte(), None | Some(b']')) {
            let before = self.at;
            items.push(self.value());
            if self.next_byte() == Some(b',') {
                self.at += 1;
            }
            if self.at == before {
                break;
            }
        }
        self.at += 1;
        Node::List(items)
    }

    /// Parses the string that starts at this quotation mark and resolves its escapes. A string with
    /// a lone surrogate is returned as an error, as written, with its quotation marks.
    fn string(&mut self) -> Result<Cow<'a, str>, &'a str> {
        let rest = self.rest();
        let (mut escaped, mut has_escapes) = (false, false);
        let mut end = rest.len();
        for (at, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => (escaped, has_escapes) = (true, true),
                b'"' => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        self.at += end + 1;
        if !has_escapes {
            return Ok(Cow::Borrowed(rest.get(1..end).unwrap_or_default()));
        }
        let quoted = rest.get(..=end).unwrap_or(rest);
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| quoted)
    }

    fn scalar(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace())
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Skips white space and returns the next byte without consuming it.
    fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.rest().bytes();
        let skipped = bytes.take_while(u8::is_ascii_whitespace).count();
        self.at += skipped;
        self.rest().bytes().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}
