//! OpenAI's published schema, for checking what the writers produce.
//!
//! The schema is large and not ours to redistribute. It is looked up at [`SCHEMA_VARIABLE`], else
//! in the folders beside the workspace; without it, the tests count as skipped.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Environment variable with the file's path.
const SCHEMA_VARIABLE: &str = "OPENAI_SCHEMA_FILE";

/// File name of the OpenAPI document, reduced to chat, responses, embeddings and models.
const SCHEMA_FILE: &str = "openai_openapi_four_operations.json";

pub(crate) struct PublishedSchema {
    document: Value,
    /// Compiled schemas by name: compiling is the slow part.
    validators: RefCell<HashMap<String, jsonschema::Validator>>,
}

impl PublishedSchema {
    /// Loads the schemas. If they are not on this machine, marks the test as skipped.
    pub(crate) fn find() -> Option<Self> {
        let Some(file) = schema_file() else {
            test_support::skip_test(&format!(
                "{SCHEMA_FILE} is neither in a `data` folder beside the checkout nor at \
                 {SCHEMA_VARIABLE}"
            ));
            return None;
        };
        let text = std::fs::read_to_string(&file).expect("the schema can be read");
        let document = serde_json::from_str(&text).expect("the schema is JSON");
        Some(Self { document, validators: RefCell::default() })
    }

    /// Violations of the schema `name` in `value`.
    pub(crate) fn violations(&self, name: &str, value: &Value) -> Vec<String> {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(name.to_owned()).or_insert_with(|| self.compile(name));
        let told = |error: jsonschema::ValidationError<'_>| {
            let message: String = error.to_string().chars().take(600).collect();
            format!("{}: {message}", error.instance_path())
        };
        validator.iter_errors(value).map(told).collect()
    }

    fn compile(&self, name: &str) -> jsonschema::Validator {
        let components = self.document.get("components").expect("components");
        assert!(components.pointer(&format!("/schemas/{name}")).is_some(), "no schema {name}");
        let root =
            json!({"$ref": format!("#/components/schemas/{name}"), "components": components});
        jsonschema::options().build(&root).expect("a schema")
    }

    /// Fails unless `event` is a valid Responses stream event.
    pub(crate) fn check_event(&self, event: &Value) {
        if self.violations("ResponseStreamEvent", event).is_empty() {
            return;
        }
        // The schema of this one event gives a precise message.
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        self.check(self.event_schema(kind).expect("an event of the family"), event);
        panic!("no event of a stream: {event:#}");
    }

    /// Fails unless `value` conforms to the schema `name`.
    pub(crate) fn check(&self, name: &str, value: &Value) {
        let faults = self.violations(name, value);
        assert!(faults.is_empty(), "not a {name}: {faults:#?}\n{value:#}");
    }

    /// Fails unless `chunk` is a valid Chat stream chunk. OpenAI's own chunks have `null` in three
    /// places where the schema does not allow it.
    pub(crate) fn check_chunk(&self, chunk: &Value) {
        let mut chunk = chunk.clone();
        let members = chunk.as_object_mut().expect("an object");
        members.retain(|key, value| key != "usage" || !value.is_null());
        let choices = members.get_mut("choices").and_then(Value::as_array_mut);
        for choice in choices.into_iter().flatten().filter_map(Value::as_object_mut) {
            choice.retain(|key, value| key != "logprobs" || !value.is_null());
            if choice.get("finish_reason") == Some(&Value::Null) {
                choice.insert("finish_reason".to_owned(), json!("stop"));
            }
        }
        self.check("CreateChatCompletionStreamResponse", &chunk);
    }

    /// The schema name for a Responses event of this type.
    pub(crate) fn event_schema(&self, kind: &str) -> Option<&str> {
        let union =
            self.document.pointer("/components/schemas/ResponseStreamEvent/anyOf")?.as_array()?;
        let names =
            union.iter().filter_map(|event| event.get("$ref")?.as_str()?.rsplit('/').next());
        names.into_iter().find(|name| {
            let type_of = format!("/components/schemas/{name}/properties/type/enum/0");
            self.document.pointer(&type_of).is_some_and(|named| named == kind)
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the schema lies where the developer put it")]
fn schema_file() -> Option<PathBuf> {
    if let Some(told) = std::env::var_os(SCHEMA_VARIABLE) {
        return Some(PathBuf::from(told));
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let folders = std::fs::read_dir(workspace.parent()?).ok()?;
    let beside =
        folders.filter_map(|folder| Some(folder.ok()?.path().join("data").join(SCHEMA_FILE)));
    beside.into_iter().find(|file| file.is_file())
}

#[test]
fn the_schema_finds_what_is_broken() {
    let Some(published) = PublishedSchema::find() else { return };
    let event = |number: Value| {
        json!({"type": "response.refusal.delta", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "delta": "no", "sequence_number": number})
    };
    let schema = published.event_schema("response.refusal.delta").expect("a schema");
    assert_eq!(schema, "ResponseRefusalDeltaEvent");
    published.check(schema, &event(json!(3)));
    published.check_event(&event(json!(3)));
    assert!(!published.violations(schema, &event(json!("3"))).is_empty());
    assert!(!published.violations("ResponseStreamEvent", &event(Value::Null)).is_empty());
    assert!(!published.violations("Response", &json!({"id": "resp_1"})).is_empty());
}
