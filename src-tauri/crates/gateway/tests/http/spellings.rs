//! Odd spellings of backends' events, valid and invalid.

use test_support::{BodyEnd, Reply};

use crate::bench::{Bench, Server, Tool, Want, each, pairs};

/// Every client of every backend whose streams are events.
fn events() -> impl Iterator<Item = (Tool, Server)> {
    pairs().filter(|(_, server)| *server != Server::Ollama)
}

/// Every event of a whole stream, in another spelling.
fn rewritten(server: Server, way: impl Fn(&str) -> String) -> Vec<String> {
    let plain = |event: &String| event.replace("\r\n", "\n");
    server.whole().iter().map(plain).map(|event| way(&event)).collect()
}

#[tokio::test]
async fn f30_events_are_read_as_the_standard_has_them() {
    let named_last = |event: &str| match event.strip_prefix("event: ") {
        Some(rest) => {
            let (name, data) = rest.trim_end().split_once('\n').expect("two lines");
            format!("{data}\nevent: {name}\n\n")
        }
        None => event.to_owned(),
    };
    type Way<'a> = (&'a str, Box<dyn Fn(&str) -> String>);
    let ways: [Way<'_>; 6] = [
        ("CRLF", Box::new(|event| event.replace('\n', "\r\n"))),
        ("CR", Box::new(|event| event.replace('\n', "\r"))),
        ("no space", Box::new(|event| event.replace(": ", ":"))),
        ("name last", Box::new(named_last)),
        ("comments", Box::new(|event| format!(": c\n\n:\n{event}"))),
        ("id and retry", Box::new(|event| format!("id: 7\nretry: 10\nfoo: bar\n{event}"))),
    ];
    let bench = Bench::new().await;
    for (way, write) in ways {
        each(events(), async |(tool, server), pair| {
            let name = format!("{way}, {pair}");
            let pieces = rewritten(server, &write);
            let whole = server.stream(pieces.clone());
            // Line ends are where a cut can fall.
            let trickled = way.starts_with("CR").then(|| whole.clone().trickled());
            for reply in [Some(whole), trickled].into_iter().flatten() {
                let answer = bench.ask(tool, Want::Stream, server, reply).await;
                tool.assert_whole(&answer, &name);
                assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());
            }
        })
        .await;
    }
}

#[tokio::test]
async fn f30_a_byte_order_mark_and_data_over_several_lines_are_read() {
    let bench = Bench::new().await;
    each(events(), async |(tool, server), name| {
        let mut pieces = rewritten(server, |event| event.replace(",\"", ",\ndata: \""));
        pieces.insert(0, "\u{feff}".to_owned());
        let answer = bench.ask(tool, Want::Stream, server, server.stream(pieces)).await;
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{name}");
        if !tool.speaks(server) || tool == Tool::GeminiArray {
            tool.assert_whole(&answer, name);
            assert_eq!(tool.text(&answer), "Hello", "{name}: {}", answer.text());
        }
    })
    .await;
}

/// A whole stream whose first text was replaced by raw JSON text.
fn with_text(server: Server, json: &str) -> Reply {
    let pieces = server.whole().into_iter().map(|piece| piece.replace("\"Hel\"", json));
    server.stream(pieces.collect())
}

#[tokio::test]
async fn f28_nul_and_half_surrogates_stay_escaped() {
    let bench = Bench::new().await;
    each(pairs(), async |(tool, server), name| {
        let reply = with_text(server, r#""a\u0000b\ud800c""#);
        let answer = bench.ask(tool, Want::Stream, server, reply).await;
        let shown = format!("{name}: {}", answer.text());
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{shown}");
        assert!(!answer.body.contains(&0) && answer.text().contains("lo"), "{shown}");
        assert!(answer.text().contains(r"a\u0000b"), "{shown}");
        let row = bench.world.row(&answer).await.0;
        assert_eq!(row.state, ledger::RequestState::Complete, "{name}");
        if !tool.speaks(server) {
            tool.assert_whole(&answer, name);
        }
    })
    .await;
}

#[tokio::test]
async fn f29_numbers_out_of_range_and_keys_twice_break_nothing() {
    let bench = Bench::new().await;
    for extra in ["\"x\":1e400,", "\"x\":123456789012345678901234567890,", "\"x\":1,\"x\":2,"] {
        each(pairs(), async |(tool, server), pair| {
            let name = format!("{extra} {pair}");
            let odd = |piece: String| match piece.find('{') {
                Some(at) if !piece.contains("[DONE]") => {
                    format!("{}{{{extra}{}", &piece[..at], &piece[at + 1..])
                }
                _ => piece,
            };
            let pieces = server.whole().into_iter().map(odd).collect();
            let answer = bench.ask(tool, Want::Stream, server, server.stream(pieces)).await;
            let shown = format!("{name}: {}", answer.text());
            assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{shown}");
            assert!(
                answer.text().contains("Hel") && !answer.text().contains("\"error\":{"),
                "{shown}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn f29_what_is_no_json_breaks_the_stream() {
    let bench = Bench::new().await;
    for number in ["NaN", "Infinity", "-Infinity", "1e"] {
        each(pairs(), async |(tool, server), pair| {
            let mut pieces = server.begun();
            pieces.push(server.text("lo").replacen('{', &format!("{{\"x\":{number},"), 1));
            pieces.extend(server.finish());
            pieces.extend(server.terminator());
            let answer = bench.ask(tool, Want::Stream, server, server.stream(pieces)).await;
            let name = format!("{number} {pair}");
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            tool.assert_broken(&answer, &name);
        })
        .await;
    }
}
