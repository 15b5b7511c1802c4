//! A digest of JSON that does not depend on its spelling.
//!
//! `serde_json` has checked the text and its depth before, so this is one pass over slices: it
//! copies only keys and texts with escapes.

use std::borrow::Cow;

/// What a digest leaves out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DigestExclusions<'a> {
    /// Members of the top-level object.
    pub(super) members: &'a [&'a str],
    /// A member of blocks, anywhere blocks occur; never of pass-through data such as a tool's
    /// schema or arguments.
    pub(super) block_member: Option<&'a str>,
    /// Prefix of the text by which a block of `system` is left out whole.
    pub(super) attribution_prefix: Option<&'a str>,
}

pub(super) fn digest_json(text: &str, ignored: &DigestExclusions<'_>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let root = JsonCursor { text, at: 0 }.read_value();
    DigestWriter { hasher: &mut hasher, ignored }.hash_value(&root, ValueContext::Top);
    hasher.finalize().into()
}

/// End of the first item of the array in `text`; `None` if there is none.
pub(super) fn first_item_end(text: &str) -> Option<usize> {
    let mut cursor = JsonCursor { text, at: 0 };
    if cursor.peek_non_space()? != b'[' {
        return None;
    }
    cursor.at += 1;
    cursor.read_value();
    Some(cursor.at)
}

enum CanonicalNode<'a> {
    /// Number, `true`, `false` or `null`, as written.
    Scalar(&'a str),
    Text(Cow<'a, str>),
    List(Vec<CanonicalNode<'a>>),
    Object(Vec<(Cow<'a, str>, CanonicalNode<'a>)>),
}

/// What a value is to the dialect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueContext {
    /// The request.
    Top,
    /// The instructions of Messages.
    System,
    /// Messages, their blocks, tools.
    Block,
    /// Pass-through data.
    Data,
}

impl ValueContext {
    fn of_child(self, key: &str) -> Self {
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

struct DigestWriter<'h, 'i> {
    hasher: &'h mut blake3::Hasher,
    ignored: &'i DigestExclusions<'i>,
}

impl DigestWriter<'_, '_> {
    fn hash_value(&mut self, node: &CanonicalNode<'_>, place: ValueContext) {
        match node {
            CanonicalNode::Scalar(text) => self.hash_leaf(b"n", text),
            CanonicalNode::Text(text) => self.hash_leaf(b"s", text),
            CanonicalNode::List(items) => {
                self.hasher.update(b"[");
                for item in items {
                    if !self.is_attribution(item, place) {
                        self.hash_value(item, place);
                    }
                }
                self.hasher.update(b"]");
            }
            CanonicalNode::Object(members) => self.hash_object(members, place),
        }
    }

    fn hash_object(&mut self, members: &[(Cow<'_, str>, CanonicalNode<'_>)], place: ValueContext) {
        let mut sorted: Vec<_> =
            members.iter().filter(|(key, value)| !self.is_excluded(key, value, place)).collect();
        // A stable sort: a key that occurs twice keeps its order.
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.hasher.update(b"{");
        for (key, value) in sorted {
            self.hash_leaf(b"k", key);
            self.hash_value(value, place.of_child(key));
        }
        self.hasher.update(b"}");
    }

    /// Hashes tag, length and bytes: no two different sequences of leaves give the same input.
    fn hash_leaf(&mut self, tag: &[u8], text: &str) {
        self.hasher.update(tag).update(&text.len().to_le_bytes()).update(text.as_bytes());
    }

    fn is_excluded(&self, key: &str, value: &CanonicalNode<'_>, place: ValueContext) -> bool {
        match place {
            ValueContext::Top => {
                self.ignored.members.contains(&key)
                    || matches!(value, CanonicalNode::Scalar("null"))
            }
            ValueContext::System | ValueContext::Block => self.ignored.block_member == Some(key),
            ValueContext::Data => false,
        }
    }

    fn is_attribution(&self, item: &CanonicalNode<'_>, place: ValueContext) -> bool {
        let (ValueContext::System, Some(start), CanonicalNode::Object(members)) =
            (place, self.ignored.attribution_prefix, item)
        else {
            return false;
        };
        members.iter().any(|(key, value)| {
            key == "text" && matches!(value, CanonicalNode::Text(text) if text.starts_with(start))
        })
    }
}

/// A position in a text that is known to be JSON. On any text, no method reads past its end.
struct JsonCursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonCursor<'a> {
    fn read_value(&mut self) -> CanonicalNode<'a> {
        match self.peek_non_space() {
            Some(b'{') => self.read_object(),
            Some(b'[') => self.read_list(),
            Some(b'"') => {
                self.read_string().map_or_else(CanonicalNode::Scalar, CanonicalNode::Text)
            }
            _ => CanonicalNode::Scalar(self.read_scalar()),
        }
    }

    fn read_object(&mut self) -> CanonicalNode<'a> {
        let mut members = Vec::new();
        self.at += 1;
        while self.peek_non_space() == Some(b'"') {
            let key = self.read_string().unwrap_or_else(Cow::Borrowed);
            if self.peek_non_space() == Some(b':') {
                self.at += 1;
            }
            let value = self.read_value();
            members.push((key, value));
            if self.peek_non_space() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        CanonicalNode::Object(members)
    }

    fn read_list(&mut self) -> CanonicalNode<'a> {
        let mut items = Vec::new();
        self.at += 1;
        while !matches!(self.peek_non_space(), None | Some(b']')) {
            let before = self.at;
            items.push(self.read_value());
            if self.peek_non_space() == Some(b',') {
                self.at += 1;
            }
            if self.at == before {
                break;
            }
        }
        self.at += 1;
        CanonicalNode::List(items)
    }

    /// Parses the string that starts at this quotation mark and resolves its escapes. A string with
    /// a lone surrogate is returned as an error, as written, with its quotation marks.
    fn read_string(&mut self) -> Result<Cow<'a, str>, &'a str> {
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

    fn read_scalar(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .bytes()
            .position(|byte| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace())
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Skips white space and returns the next byte without consuming it.
    fn peek_non_space(&mut self) -> Option<u8> {
        let bytes = self.rest().bytes();
        let skipped = bytes.take_while(u8::is_ascii_whitespace).count();
        self.at += skipped;
        self.rest().bytes().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}
