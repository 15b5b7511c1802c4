//! Fields of entries whose reading is more than a table can say. The reader knows their names from
//! here, and the reference what they mean.

pub(crate) struct EntryField {
    pub(crate) name: &'static str,
    pub(crate) value: EntryValue,
    /// What holds without it; `None` if it must be there, or if nothing holds.
    pub(crate) default: Option<&'static str>,
    pub(crate) meaning: &'static str,
}

pub(crate) enum EntryValue {
    /// In words: "dollars".
    Text(&'static str),
    /// One of these.
    Words(&'static [&'static str]),
}

pub(crate) fn names(fields: &'static [EntryField]) -> Vec<&'static str> {
    fields.iter().map(|field| field.name).collect()
}
