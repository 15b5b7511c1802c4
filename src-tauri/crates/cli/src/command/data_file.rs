//! Files of data that a command makes: for the standard output, or written where the user says.

use std::path::Path;

use control::view::{SavedFile, TextFile};
use serde_json::Value;

use crate::console::{Console, ConsoleFormat};
use crate::exit::CommandError;
use crate::output_file::write_file;
use crate::text::render_sentence;

/// Whether a file belongs into a document, which has the version of its shape: under `--json`
/// without a format of its own.
pub(super) fn is_document<F>(named: Option<&F>, console: &Console) -> bool {
    named.is_none() && console.format == ConsoleFormat::Json
}

/// Prints `file` as it is, or as a document; with `output`, writes it there as it is and says so.
pub(super) fn answer_with(
    file: &TextFile,
    output: Option<&Path>,
    is_document: bool,
    describe: impl FnOnce(&SavedFile) -> String,
    console: &mut Console,
) -> Result<(), CommandError> {
    let Some(path) = output else {
        if !is_document {
            return console.print(&file.text);
        }
        let content: Value =
            serde_json::from_str(&file.text).map_err(|error| CommandError::internal(&error))?;
        let document = console.render_json(&content)?;
        return console.print(&document);
    };
    write_file(path, &file.text)?;
    let saved = file.saved_at(path.display().to_string());
    console.print_view(&saved, |saved| {
        render_sentence(&format!("Wrote {}: {}.", saved.path, describe(saved)))
    })
}

#[cfg(test)]
mod tests {
    use control::view::{Count, NanoDollars};
    use serde_json::json;

    use super::*;
    use crate::console::StreamPeer;

    fn file(text: &str) -> TextFile {
        TextFile {
            name: "gatehouse-2026-11.json".to_owned(),
            media_type: "application/json".to_owned(),
            text: text.to_owned(),
            requests: Count(2),
            unpriced_requests: Count(1),
            cost_nano_usd: NanoDollars(3),
            is_cost_unknown: false,
            is_whole: true,
        }
    }

    fn printed(
        format: ConsoleFormat,
        named: Option<&()>,
        text: &str,
        path: Option<&Path>,
    ) -> String {
        let (mut console, answers, _) = Console::for_test(format, StreamPeer::Other);
        let is_document = is_document(named, &console);
        answer_with(&file(text), path, is_document, |_| "two".to_owned(), &mut console)
            .expect("printed");
        answers.text()
    }

    #[test]
    fn a_document_has_a_version_and_a_file_of_a_named_format_stays_as_it_is() {
        let (list, object) = ("[{\"b\": 1, \"a\": 2}]", "{\"b\": 1, \"a\": 2}");
        let document = |text| printed(ConsoleFormat::Json, None, text, None);
        assert_eq!(document(list), "{\"format_version\":2,\"items\":[{\"b\":1,\"a\":2}]}\n");
        assert_eq!(document(object), "{\"format_version\":2,\"b\":1,\"a\":2}\n");
        assert_eq!(printed(ConsoleFormat::Json, Some(&()), list, None), list);
        assert_eq!(printed(ConsoleFormat::Text, None, list, None), list);
    }

    #[test]
    fn a_written_file_is_told_as_a_sentence_or_as_a_document() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("month.json");
        let told = printed(ConsoleFormat::Text, None, "[]", Some(&path));
        assert_eq!(told.trim_end(), format!("Wrote {}: two.", path.display()));
        let told = printed(ConsoleFormat::Json, None, "[]", Some(&path));
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "[]");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let wanted = json!({"format_version": 2, "path": path.display().to_string(), "requests": 2,
            "unpriced_requests": 1, "cost_nano_usd": 3, "is_cost_unknown": false, "is_whole": true});
        assert_eq!(told, wanted);
    }
}
