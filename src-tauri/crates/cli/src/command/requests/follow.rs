//! `gatehouse requests --follow`: prints requests as they end.

use std::collections::HashMap;

use control::view::{RequestState, RequestView, RequestsQuery, UnixMs};
use control::{ChangeTag, Core, CoreEvents, PanelEvent};
use domain::WallTime;

use super::{format_request_cost, list, outcome_text};
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_duration};
use crate::sign::{Sign, Tone};
use crate::text::StyledText;

/// A request runs no longer: the largest total timeout, in milliseconds.
const REQUEST_MS_MAX: i64 = 3_600_000;

/// Requests may be recorded in another order than they ended, by less than this, in milliseconds.
const DISORDER_MS_MAX: i64 = 5_000;

/// Most requests fetched after one event.
const REQUESTS_MAX: u32 = 500;

/// Prints the newest requests of `query`, and each further one when it ends, until Ctrl-C.
pub(super) async fn run(
    query: RequestsQuery,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if let Core::Local(..) = core {
        let message = "Gatehouse is not running, so there is nothing to follow";
        return Err(CommandError::new(Exit::Negative, message)
            .with_hint("Start it with `gatehouse serve`, or open its window."));
    }
    // Subscribe before the first list, so that no request is missed.
    let mut events = CoreEvents::subscribe(core).await?;
    let started = console.now();
    let mut tail = Tail { since: UnixMs(0), shown: HashMap::new() };
    tail.print_ended(list(query.clone(), core).await?.requests, console)?;
    tail.advance(started);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Success),
        };
        match event {
            Some(PanelEvent::Changed { tags }) if tags.contains(&ChangeTag::Usage) => {
                let ended = list(tail.query(&query), core).await?.requests;
                tail.print_ended(ended, console)?;
            }
            Some(_) => {}
            None => return Err(CommandError::new(Exit::Internal, "Gatehouse stopped")),
        }
    }
}

struct Tail {
    /// Requests that ended since then may be new.
    since: UnixMs,
    /// When each printed request ended, for those that ended since.
    shown: HashMap<String, UnixMs>,
}

impl Tail {
    fn query(&self, query: &RequestsQuery) -> RequestsQuery {
        let began = UnixMs(self.since.0.saturating_sub(REQUEST_MS_MAX));
        RequestsQuery {
            limit: REQUESTS_MAX,
            ended_since: Some(self.since),
            since: query.since.max(Some(began)),
            ..query.clone()
        }
    }

    /// Prints the requests that ended and were not printed before, in the order of their ends.
    fn print_ended(
        &mut self,
        requests: Vec<RequestView>,
        console: &mut Console,
    ) -> Result<(), CommandError> {
        let mut ended: Vec<(UnixMs, RequestView)> = requests
            .into_iter()
            .filter(|request| request.state != RequestState::Running)
            .filter(|request| !self.shown.contains_key(&request.id))
            .map(|request| (request.ended_at.unwrap_or(request.started_at), request))
            .filter(|(at, _)| *at >= self.since)
            .collect();
        ended.sort_by_key(|(at, _)| *at);
        for (at, request) in ended {
            match console.format {
                ConsoleFormat::Text => console.print(&render_line(at, &request).to_string())?,
                ConsoleFormat::Json => console.print_json_line(&request)?,
            }
            self.shown.insert(request.id, at);
            self.advance(at);
        }
        Ok(())
    }

    /// Forgets what ended well before `at`.
    fn advance(&mut self, at: UnixMs) {
        self.since = self.since.max(UnixMs(at.0.saturating_sub(DISORDER_MS_MAX)));
        self.shown.retain(|_, at| *at >= self.since);
    }
}

/// Names are padded, since the lines that follow are not known.
fn render_line(at: UnixMs, request: &RequestView) -> StyledText {
    let time = WallTime::from_unix_ms(at.0).to_rfc3339();
    let time = time.get(11..19).unwrap_or_default();
    let backend = request.backend.as_deref().unwrap_or(UNKNOWN);
    let took = request.total_ms.map_or_else(|| UNKNOWN.to_owned(), format_duration);
    let cost = format_request_cost(request);
    let mut text = StyledText::new();
    text.piece(Tone::Muted, &format!("{time}Z  "))
        .piece(Tone::Plain, &format!("{:<12}  ", request.client))
        .piece(Tone::Strong, &format!("{:<28}  ", request.model_asked))
        .piece(Tone::Plain, &format!("{backend:<12}  {took:>8}  {cost:<18}  "))
        .line(Sign::from(request.state).tone.into(), &outcome_text(request));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::tests::fixtures::requests_fixture;
    use crate::console::StreamPeer;

    #[test]
    fn each_request_is_printed_once_when_it_has_ended() {
        let page: control::view::RequestsView =
            serde_json::from_value(requests_fixture()).expect("a view");
        let (mut console, answers, _) =
            Console::for_test(ConsoleFormat::Text, StreamPeer::Terminal);
        let mut tail = Tail { since: UnixMs(0), shown: HashMap::new() };
        let mut first = page.requests.clone();
        first[0].state = RequestState::Running;
        tail.print_ended(first, &mut console).expect("printed");
        assert_eq!(answers.text().lines().count(), 2);
        tail.print_ended(page.requests, &mut console).expect("printed");
        let lines = answers.text();
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[2].contains("openai/gpt-5-mini"), "{lines:?}");
        assert!(!lines.concat().contains('\u{202e}'), "hostile text is escaped");
    }
}
