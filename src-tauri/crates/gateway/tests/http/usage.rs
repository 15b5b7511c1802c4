//! The tokens that the ledger records, however a backend counts, and their cost.

use ledger::{RequestRow, RequestState, UsageBasis};
use pricing::Cost;
use serde_json::{Value, json};
use test_support::Reply;

use crate::bench::{Bench, Server, Tool, Want, each, pairs};

/// The row of a whole stream.
async fn streamed(bench: &Bench, tool: Tool, server: Server, pieces: Vec<String>) -> RequestRow {
    let answer = bench.ask(tool, Want::Stream, server, server.stream(pieces)).await;
    tool.assert_whole(&answer, &format!("{tool:?} of {server:?}"));
    assert_eq!(tool.text(&answer), "Hello", "{tool:?} of {server:?}: {}", answer.text());
    let (row, _) = bench.world.row(&answer).await;
    assert_eq!(row.state, RequestState::Complete);
    row
}

fn with_usage(server: Server, usage: Value) -> Vec<String> {
    let mut pieces = server.begun();
    pieces.push(server.text("lo"));
    pieces.extend(server.finish_with(usage));
    pieces.extend(server.terminator());
    pieces
}

#[tokio::test]
async fn f47_missing_usage_is_estimated_and_said_so() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let start = r#""usage":{"input_tokens":7,"output_tokens":1}"#;
        let pieces = with_usage(server, Value::Null);
        let pieces: Vec<_> =
            pieces.into_iter().map(|piece| piece.replace(start, "\"usage\":null")).collect();
        let row = streamed(&bench, tool, server, pieces).await;
        let usage = row.usage.expect(name);
        assert!(usage.input() > 0 && usage.output() > 0, "{name}: {usage:?}");
        assert_eq!(row.usage_basis, Some(UsageBasis::Estimated), "{name}");

        let mut answer = server.answer();
        for key in ["usage", "usageMetadata", "prompt_eval_count", "eval_count"] {
            answer.as_object_mut().expect("an object").remove(key);
        }
        let answer = bench.ask(tool, Want::Whole, server, Reply::json(200, &answer)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let (row, _) = bench.world.row(&answer).await;
        let usage = row.usage.expect(name);
        assert!(usage.input() > 0 && usage.output() == 2, "{name}: {usage:?}");
        assert_eq!(row.usage_basis, Some(UsageBasis::Estimated), "{name}");
    })
    .await;
}

#[tokio::test]
async fn f48_of_cumulative_usage_the_last_counts() {
    let bench = Bench::new().await;
    let counting = [Server::Chat, Server::Gemini];
    each(pairs().filter(|(_, server)| counting.contains(server)), async |(tool, server), name| {
        let early = |text: &str, usage: Value| {
            let mut event: Value =
                serde_json::from_str(server.text(text).trim_start_matches("data: ")).expect("JSON");
            event[if server == Server::Chat { "usage" } else { "usageMetadata" }] = usage;
            server.event(&event)
        };
        let some = match server {
            Server::Chat => json!({"prompt_tokens": 7, "completion_tokens": 1}),
            _ => json!({"promptTokenCount": 7, "candidatesTokenCount": 1}),
        };
        for usage in [some, Value::Null] {
            let mut pieces = server.begin();
            pieces.extend([early("Hel", usage.clone()), early("lo", usage)]);
            pieces.extend(server.finish());
            pieces.extend(server.terminator());
            let row = streamed(&bench, tool, server, pieces).await;
            let tokens = row.usage.map(|usage| (usage.input(), usage.output()));
            assert_eq!(tokens, Some((7, 2)), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn f50_impossible_usage_is_clamped_flagged_and_kept_raw() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let odd = match server {
            Server::Chat => json!({"prompt_tokens": "7", "completion_tokens": -2.5,
                "prompt_tokens_details": {"cached_tokens": 50}}),
            Server::Responses => json!({"input_tokens": "7", "output_tokens": -2.5,
                "input_tokens_details": {"cached_tokens": 50}}),
            Server::Messages => json!({"input_tokens": "7", "output_tokens": -2.5}),
            Server::Ollama => json!({"input": "7", "output": -2.5}),
            _ => json!({"promptTokenCount": "7", "candidatesTokenCount": -2.5,
                "cachedContentTokenCount": 50}),
        };
        let row = streamed(&bench, tool, server, with_usage(server, odd)).await;
        let usage = row.usage.expect(name);
        assert_eq!((usage.input(), usage.output()), (7, 0), "{name}");
        assert_eq!(row.usage_basis, Some(UsageBasis::Adjusted), "{name}");
        assert!(row.usage_raw.expect(name).contains("-2.5"), "{name}");
    })
    .await;
}

#[tokio::test]
async fn f55_an_unknown_price_is_unknown() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let row = streamed(&bench, tool, server, server.whole()).await;
        assert_eq!(row.cost, Cost::Unpriced, "{name}");
        assert_eq!(row.model_billed.as_deref(), Some(server.model()), "{name}");
    })
    .await;
}

#[tokio::test]
async fn f49_a_usage_chunk_goes_only_to_those_who_asked() {
    let bench = Bench::new().await;
    for server in [Server::Chat, Server::Messages, Server::Gemini] {
        for asked in [false, true] {
            let mut body = Tool::Chat.body(server.model(), Want::Stream);
            if asked {
                body["stream_options"] = json!({"include_usage": true});
            }
            let reply = server.stream(server.whole());
            let path = "/v1/chat/completions";
            let answer = bench.send(path, body.to_string().as_bytes(), [reply]).await;
            let events = Tool::Chat.values(&answer);
            let told = events.iter().filter(|event| event["usage"].is_object()).count();
            assert_eq!(told, usize::from(asked), "{server:?}: {}", answer.text());
        }
    }
}
