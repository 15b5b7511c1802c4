//! Incomplete answers and errors: every SDK must raise them, as its own error type where it has
//! one, and must not be made to wait or retry.

use serde_json::{Value, json};

use super::fixture::{KINDS, SdkFixture};
use super::runner::{SdkLanguage, SdkRequest, SdkResult, SdkTarget};

fn prompt_for(model: &str) -> Value {
    json!({"model": model, "turns": [{"role": "user", "text": "What is the weather like in Paris"}]})
}

/// True for SDKs that pass on transport errors of `fetch` or httpx instead of raising their own.
fn raises_foreign_errors(surface: &str) -> bool {
    matches!(surface, "gemini" | "anthropic-messages") || surface.starts_with("ai-")
}

#[track_caller]
fn raised(question: &SdkRequest, seen: &SdkResult) -> (Option<u64>, String) {
    let raised = seen.at("/raised");
    assert!(!raised.is_null(), "{}: no error in {}", question.name, seen.0);
    let message = raised.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    (raised.get("status").and_then(Value::as_u64), message)
}

/// Every SDK raises a truncated stream with our message, for every kind of backend, with or without
/// a clean HTTP end. Most SDKs would accept the clean one as a whole answer if the gateway passed
/// it on.
pub(crate) async fn each_sdk_raises_a_cut_stream(language: SdkLanguage) {
    let bench = SdkFixture::new(&KINDS).await;
    bench.keep_breakers_closed(&KINDS).await;
    let mut questions = Vec::new();
    for surface in language.surfaces() {
        // Python reads the event stream in any case.
        let is_raw = language == SdkLanguage::Node && *surface == "openai-responses";
        for way in ["streamed"].into_iter().chain(is_raw.then_some("raw")) {
            for backend in KINDS {
                for fault in ["fault-cut", "fault-no-end"] {
                    let name = format!("{backend}/{fault}");
                    questions.push(SdkRequest::new(surface, way, &name, &prompt_for(&name)));
                }
            }
        }
    }
    let Some(seen) = bench.ask(language, &questions).await else { return };
    let silent: Vec<String> = questions
        .iter()
        .zip(&seen)
        .filter(|(question, seen)| {
            let surface = question.asks.get("surface").and_then(Value::as_str).unwrap_or_default();
            let own = seen.at("/raised/vendors") == json!(true) || raises_foreign_errors(surface);
            let (_, message) = raised(question, seen);
            !own || !message.contains("connection lost")
        })
        .map(|(question, seen)| format!("{}: {}", question.name, seen.0))
        .collect();
    assert!(silent.is_empty(), "{} of {}:\n{}", silent.len(), questions.len(), silent.join("\n"));
}

fn is_of_rejected_key((question, _): &(SdkRequest, &[u64])) -> bool {
    question.name.contains("fault-401")
}

/// A backend that refuses: the status names the party at fault, and the backend is called once.
pub(crate) async fn each_sdk_raises_a_refusal_with_its_status(language: SdkLanguage) {
    // The backend's status, the statuses a client may get, and the most requests. A rejection of
    // our key is not a rejection of the client's token; Gemini has no 502. SDKs retry only errors
    // that may pass, at most twice.
    let statuses: [(&str, &[u64], usize); 5] = [
        ("fault-400", &[400], 1),
        ("fault-429", &[429], 1),
        ("fault-500", &[500, 502, 503], 3),
        ("fault-529", &[503, 529], 3),
        // Last, since no request follows with a rejected key. `wire::error_status` defines the
        // status for each dialect: none that its tools would retry or take for a rejection of their
        // own token.
        ("fault-401", &[400, 403, 424], 1),
    ];
    let bench = SdkFixture::new(&KINDS).await;
    bench.keep_breakers_closed(&KINDS).await;
    let mut wanted = Vec::new();
    for (fault, allowed, _) in &statuses {
        for surface in language.surfaces() {
            for backend in KINDS {
                let name = format!("{backend}/{fault}");
                wanted
                    .push((SdkRequest::new(surface, "whole", &name, &prompt_for(&name)), *allowed));
            }
        }
    }
    // Several are asked at once, so those of the rejected key wait until the retries of the others ended.
    let mut seen = Vec::new();
    for part in wanted.chunk_by(|one, next| is_of_rejected_key(one) == is_of_rejected_key(next)) {
        let questions: Vec<SdkRequest> = part.iter().map(|(one, _)| one.clone()).collect();
        let Some(answers) = bench.ask(language, &questions).await else { return };
        seen.extend(answers);
    }
    let mut wrong = Vec::new();
    for ((question, allowed), seen) in wanted.iter().zip(&seen) {
        let (status, message) = raised(question, seen);
        let right = status.is_some_and(|status| allowed.contains(&status));
        if !right || message.is_empty() {
            wrong.push(format!("{}: {}", question.name, seen.0));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The 429 had a `retry-after` of an hour: no SDK may wait or retry.
    for (fault, _, tries) in statuses {
        let most = language.surfaces().len() * KINDS.len() * tries;
        let times = bench.count_requests(fault);
        assert!(times <= most, "{fault} was asked {times} times, by {most} questions at most");
    }
    for backend in KINDS {
        assert!(
            !bench.ledger_rows(backend).await.is_empty(),
            "{backend}: refusals are in the ledger"
        );
    }
}

/// A wrong token and an unknown model, in every dialect.
pub(crate) async fn each_sdk_raises_what_the_gateway_refuses(language: SdkLanguage) {
    let bench = SdkFixture::new(&["openai"]).await;
    let ask =
        |surface: &&str, way| SdkRequest::new(surface, way, "refused", &prompt_for("openai/echo"));
    let mut questions: Vec<SdkRequest> =
        language.surfaces().iter().map(|surface| ask(surface, "whole")).collect();
    questions.extend(language.surfaces().iter().map(|surface| ask(surface, "streamed")));
    let wrong = SdkTarget { token: "ghk_wrong".to_owned(), ..bench.target() };
    let Some(seen) = language.ask(&wrong, &questions).await else { return };
    for (question, seen) in questions.iter().zip(&seen) {
        let (status, message) = raised(question, seen);
        assert_eq!(status, Some(401), "{}: {}", question.name, seen.0);
        assert!(message.contains("gatehouse clients add"), "{}: {}", question.name, seen.0);
    }
    assert_eq!(bench.count_requests("echo"), 0, "nothing came through");

    let unknown = prompt_for("nobody/nothing");
    let questions: Vec<SdkRequest> = language
        .surfaces()
        .iter()
        .map(|surface| SdkRequest::new(surface, "whole", "unknown", &unknown))
        .collect();
    let seen = bench.ask(language, &questions).await.expect("is there");
    for (question, seen) in questions.iter().zip(&seen) {
        let (status, message) = raised(question, seen);
        assert_eq!(status, Some(404), "{}: {}", question.name, seen.0);
        assert!(message.contains("nobody/nothing"), "{}: {}", question.name, seen.0);
    }
}
