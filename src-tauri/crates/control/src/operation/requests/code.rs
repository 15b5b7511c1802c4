//! One request as code that sends one like it, in the dialect that its client spoke.

use domain::{ClientId, Dialect, RequestId};
use engine::Engine;
use ledger::NewRequest;
use playground::{PlaygroundParameters, PromptSender};
use serde_json::{Value, json};

use super::super::{
    input, playground::ANTHROPIC_TOKENS_DEFAULT, playground::CLIENT_PLACEHOLDER,
    playground::render_snippets,
};
use crate::ApiError;
use crate::view::{RequestCodeView, RequestRef, SnippetView};

/// Stands for the texts, which are not kept.
const PROMPT_PLACEHOLDER: &str = "Your prompt";

pub(crate) async fn request_code(
    engine: &Engine,
    req: RequestRef,
) -> Result<RequestCodeView, ApiError> {
    let id: RequestId = input::parse_id("id", &req.id)?;
    let Some((row, _)) = engine.ledger().request(id).await? else {
        return Err(ApiError::not_found(format!(
            "there is no request {id} in the ledger; it may have been deleted"
        )));
    };
    let client = snippet_client(engine, &row.request.client);
    let address = engine.gateway().address();
    let parameters = PlaygroundParameters {
        model: row.request.model_asked.clone(),
        system: None,
        prompt: PROMPT_PLACEHOLDER.to_owned(),
        temperature: None,
        tokens_max: None,
        effort: None,
        sender: PromptSender::User,
        client: None,
        time_limit: None,
    };
    let limit = engine.playground().token_limit_field(&parameters.model);
    let mut snippets =
        vec![SnippetView { title: "curl".to_owned(), code: curl(&address, &client, &row.request) }];
    let libraries = libraries(&row.request.dialect);
    let of_libraries = render_snippets(&address, &client, &parameters, limit);
    snippets.extend(of_libraries.into_iter().filter(|one| libraries.contains(&one.title.as_str())));
    let note = "Prompts are not kept, so the code has a placeholder for yours. It holds no token.";
    Ok(RequestCodeView { note: note.to_owned(), snippets })
}

/// The request's own client, if it still has a token, else any.
fn snippet_client(engine: &Engine, own: &ClientId) -> String {
    let clients = &engine.settings().clients;
    let known = clients.contains_key(own).then_some(own).or_else(|| clients.keys().next());
    known.map_or_else(|| CLIENT_PLACEHOLDER.to_owned(), ToString::to_string)
}

/// Titles of the snippets for the libraries that speak the dialect.
fn libraries(dialect: &str) -> &'static [&'static str] {
    match dialect.parse() {
        Ok(Dialect::OpenAiChat | Dialect::OpenAiResponses) => &["Python, openai", "Node, openai"],
        Ok(Dialect::AnthropicMessages) => &["Python, anthropic"],
        Ok(Dialect::Gemini) => &["Python, google-genai"],
        Ok(Dialect::OllamaChat) | Err(_) => &[],
    }
}

fn curl(address: &str, client: &str, request: &NewRequest) -> String {
    let (path, body) = path_and_body(request);
    let body = serde_json::to_string_pretty(&body).unwrap_or_default().replace('\'', "'\\''");
    let stream = if request.streamed { "curl -N" } else { "curl" };
    format!(
        "{stream} '{address}{path}' \\\n  -H \"authorization: Bearer $(gatehouse token {client})\" \\\n  \
         -H 'content-type: application/json' \\\n  -d '{body}'"
    )
}

fn path_and_body(request: &NewRequest) -> (String, Value) {
    let (model, stream) = (&request.model_asked, request.streamed);
    let messages = json!([{"role": "user", "content": PROMPT_PLACEHOLDER}]);
    match (request.dialect.parse(), request.dialect.as_str()) {
        (Ok(Dialect::OpenAiResponses), _) => (
            "/v1/responses".to_owned(),
            json!({"model": model, "input": PROMPT_PLACEHOLDER, "stream": stream}),
        ),
        (Ok(Dialect::AnthropicMessages), _) => (
            "/v1/messages".to_owned(),
            json!({"model": model, "max_tokens": ANTHROPIC_TOKENS_DEFAULT, "messages": messages,
                "stream": stream}),
        ),
        (Ok(Dialect::Gemini), _) => {
            let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
            let contents = json!({"contents": [{"parts": [{"text": PROMPT_PLACEHOLDER}]}]});
            (format!("/v1beta/models/{}:{method}", path_segment(model)), contents)
        }
        (Err(_), embeddings) if embeddings.ends_with("-embeddings") => {
            ("/v1/embeddings".to_owned(), json!({"model": model, "input": PROMPT_PLACEHOLDER}))
        }
        _ => (
            "/v1/chat/completions".to_owned(),
            json!({"model": model, "messages": messages, "stream": stream}),
        ),
    }
}

/// A model's name inside a path in single quotes. Slashes stay: a name may have them.
fn path_segment(model: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(model.as_bytes()).collect();
    encoded.replace('+', "%20").replace("%2F", "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::WallTime;
    use ledger::Purpose;

    #[test]
    fn curl_speaks_the_dialect_of_the_client_and_holds_no_token() {
        let request = |dialect: &str, model: &str| NewRequest {
            id: RequestId::generate(WallTime::default(), &domain::SeededEntropy::new(1)),
            started: WallTime::default(),
            client: ClientId::new("editor").expect("a name"),
            project: None,
            route: "fast".to_owned(),
            model_asked: model.to_owned(),
            dialect: dialect.to_owned(),
            streamed: true,
            purpose: Purpose::User,
        };
        let check = |dialect: &str, model: &str, parts: &[&str]| {
            let code = curl("http://127.0.0.1:4283", "editor", &request(dialect, model));
            assert!(code.contains("Bearer $(gatehouse token editor)"), "{code}");
            for part in parts {
                assert!(code.contains(part), "{dialect} lacks {part}:\n{code}");
            }
        };
        check("openai-chat", "fast", &["4283/v1/chat/completions'", "\"stream\": true"]);
        check("openai-responses", "fast", &["4283/v1/responses'", "\"input\": \"Your prompt\""]);
        check("anthropic-messages", "fast", &["4283/v1/messages'", "\"max_tokens\": 1024"]);
        check("gemini", "a b'c/d", &["models/a%20b%27c/d:streamGenerateContent?alt=sse'"]);
        check("openai-embeddings", "fast", &["4283/v1/embeddings'"]);
        check("openai-chat", "it's", &["\"model\": \"it'\\''s\""]);
    }
}
