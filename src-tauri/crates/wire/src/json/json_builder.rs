//! Writes JSON objects as text, so that raw values keep their exact digits and members their order.

use crate::json::quote;

/// A JSON object under construction.
#[derive(Debug)]
pub(crate) struct JsonObjectBuilder(String);

impl JsonObjectBuilder {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a member whose value is already JSON text.
    pub(crate) fn raw(mut self, key: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(json);
        self
    }

    /// Adds a string member.
    pub(crate) fn text(self, key: &str, text: &str) -> Self {
        self.raw(key, &quote(text))
    }

    /// Adds a member if it is present.
    pub(crate) fn raw_if(self, key: &str, json: Option<&str>) -> Self {
        match json {
            Some(json) => self.raw(key, json),
            None => self,
        }
    }

    /// Adds a string member if it is present.
    pub(crate) fn text_if(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    /// Adds an array member unless it is empty.
    pub(crate) fn array_if(self, key: &str, items: &[String]) -> Self {
        if items.is_empty() { self } else { self.raw(key, &join_array(items)) }
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Joins JSON texts into an array.
pub(crate) fn join_array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}
