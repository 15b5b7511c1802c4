//! What is no whole answer: every SDK must raise it, as an error of its own where it has one, and no
//! SDK may be kept waiting or made to ask again.

use serde_json::{Value, json};

use super::bench::{Bench, KINDS};
use super::runner::{Language, Question, Seen, Target};

fn asks(model: &str) -> Value {
    json!({"model": model, "turns": [{"role": "user", "text": "What is the weather like in Paris"}]})
}

/// The SDKs whose errors at the transport are not their own: they pass on what `fetch` or httpx says.
fn raises_foreign_errors(surface: &str) -> bool {
    matches!(surface, "gemini" | "anthropic-messages") || surface.starts_with("ai-")
}

#[track_caller]
fn raised(question: &Question, seen: &Seen) -> (Option<u64>, String) {
    let raised = seen.at("/raised");
    assert!(!raised.is_null(), "{}: no error in {}", question.name, seen.0);
    let message = raised.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    (raised.get("status").and_then(Value::as_u64), message)
}

/// A stream that ends before its end, politely or not, is raised by every SDK with our message, from every
/// kind of backend. Most would take the polite one for a whole answer if the gateway passed it on.
pub(crate) async fn each_sdk_raises_a_cut_stream(language: Language) {
    let bench = Bench::new(&KINDS).await;
    bench.let_all_failures_through(&KINDS).await;
    let mut questions = Vec::new();
    for surface in language.surfaces() {
        // Python's stream of events is what it is asked for anyway.
        let is_raw = language == Language::Node && *surface == "openai-responses";
        for way in ["streamed"].into_iter().chain(is_raw.then_some("raw")) {
            for backend in KINDS {
                for fault in ["fault-cut", "fault-no-end"] {
                    let name = format!("{backend}/{fault}");
                    questions.push(Question::new(surface, way, &name, &asks(&name)));
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

/// A backend that refuses: the status says whose fault it is, and it is asked once.
pub(crate) async fn each_sdk_raises_a_refusal_with_its_status(language: Language) {
    // What the backend says, and what a client may be told. Its rejection of our key is not a
    // rejection of the client's token; Gemini has no 502.
    // Only what may pass by itself is asked again, twice at most, by the SDKs that do so.
    let statuses: [(&str, &[u64], usize); 5] = [
        ("fault-400", &[400], 1),
        ("fault-429", &[429], 1),
        ("fault-500", &[500, 502, 503], 3),
        ("fault-529", &[503, 529], 3),
        // The last, since nothing is asked with a rejected key after it. What each dialect's tools are told
        // says `wire::error_status`: nothing that they would try again, or take for their own token.
        ("fault-401", &[400, 403, 424], 1),
    ];
    let bench = Bench::new(&KINDS).await;
    bench.let_all_failures_through(&KINDS).await;
    let mut wanted = Vec::new();
    for (fault, allowed, _) in &statuses {
        for surface in language.surfaces() {
            for backend in KINDS {
                let name = format!("{backend}/{fault}");
                wanted.push((Question::new(surface, "whole", &name, &asks(&name)), *allowed));
            }
        }
    }
    let questions: Vec<Question> = wanted.iter().map(|(one, _)| one.clone()).collect();
    let Some(seen) = bench.ask(language, &questions).await else { return };
    let mut wrong = Vec::new();
    for ((question, allowed), seen) in wanted.iter().zip(&seen) {
        let (status, message) = raised(question, seen);
        let right = status.is_some_and(|status| allowed.contains(&status));
        if !right || message.is_empty() {
            wrong.push(format!("{}: {}", question.name, seen.0));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // An hour of `retry-after` came with the 429: nobody waits, and nobody asks again.
    for (fault, _, tries) in statuses {
        let most = language.surfaces().len() * KINDS.len() * tries;
        let times = bench.asked_for(fault);
        assert!(times <= most, "{fault} was asked {times} times, by {most} questions at most");
    }
    for backend in KINDS {
        assert!(!bench.rows(backend).await.is_empty(), "{backend}: refusals are in the ledger");
    }
}

/// A wrong token and an unknown model, in every dialect.
pub(crate) async fn each_sdk_raises_what_the_gateway_refuses(language: Language) {
    let bench = Bench::new(&["openai"]).await;
    let ask = |surface: &&str, way| Question::new(surface, way, "refused", &asks("openai/echo"));
    let mut questions: Vec<Question> =
        language.surfaces().iter().map(|surface| ask(surface, "whole")).collect();
    questions.extend(language.surfaces().iter().map(|surface| ask(surface, "streamed")));
    let wrong = Target { token: "ghk_wrong".to_owned(), ..bench.target() };
    let Some(seen) = language.ask(&wrong, &questions).await else { return };
    for (question, seen) in questions.iter().zip(&seen) {
        let (status, message) = raised(question, seen);
        assert_eq!(status, Some(401), "{}: {}", question.name, seen.0);
        assert!(message.contains("gatehouse clients add"), "{}: {}", question.name, seen.0);
    }
    assert_eq!(bench.asked_for("echo"), 0, "nothing came through");

    let unknown = asks("nobody/nothing");
    let questions: Vec<Question> = language
        .surfaces()
        .iter()
        .map(|surface| Question::new(surface, "whole", "unknown", &unknown))
        .collect();
    let seen = bench.ask(language, &questions).await.expect("is there");
    for (question, seen) in questions.iter().zip(&seen) {
        let (status, message) = raised(question, seen);
        assert_eq!(status, Some(404), "{}: {}", question.name, seen.0);
        assert!(message.contains("nobody/nothing"), "{}: {}", question.name, seen.0);
    }
}
