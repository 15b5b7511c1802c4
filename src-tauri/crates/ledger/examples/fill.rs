//! Fills a ledger with made-up requests of the last year: `fill PATH REQUESTS`.
//!
//! `cargo xtask bench` runs the dashboard's queries on the result, the examples `pages` and
//! `dashboards` those of all screens. It writes what the gateway writes, through the ledger's public
//! API, so the roll-ups are those of real traffic: every hour of the day from 7 to 23, with two or
//! three clients at work in an hour, each on a project of its day. Past hours are folded at the end, as
//! they are after a year of use.

#![expect(clippy::disallowed_methods, reason = "a program of its own: it reads its arguments")]

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use domain::{
    BackendId, ClientId, Clock, CredentialId, DAY_MS, Endpoint, Entropy, Meter, NanoUsd, RequestId,
    SeededEntropy, SystemClock, TokenUsage, WallTime,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use ledger::{
    AttemptRecord, Ledger, NewRequest, Purpose, RequestOutcome, Settlement, Timings, UsageBasis,
};
use pricing::{Cost, LineItem, Rate};

/// Names for a developer with several keys, tools and projects. A route asks four models, mostly
/// its first; a model is served by two backends, mostly by its first.
const CLIENTS: [&str; 8] =
    ["editor", "agent", "shell", "notebook", "review", "chat", "tests", "nightly"];
const PROJECTS: [&str; 15] = [
    "website",
    "billing",
    "search",
    "mobile-app",
    "docs",
    "infra",
    "data-lake",
    "compiler",
    "thesis",
    "shop",
    "chatbot",
    "games",
    "plugins",
    "research",
    "homepage",
];
const ROUTES: [&str; 6] = ["coder", "fast", "reasoning", "vision", "cheap", "offline"];
const MODELS: [(&str, [&str; 2]); 20] = [
    ("claude-sonnet-4-5", ["anthropic", "openrouter"]),
    ("gpt-5", ["openai", "openrouter"]),
    ("gemini-2.5-pro", ["google", "openrouter"]),
    ("qwen3-coder", ["groq", "local"]),
    ("gpt-5-mini", ["openai", "openrouter"]),
    ("claude-haiku-4-5", ["anthropic", "openrouter"]),
    ("gemini-2.5-flash", ["google", "openrouter"]),
    ("llama-3.3-70b-versatile", ["groq", "openrouter"]),
    ("o3", ["openai", "openrouter"]),
    ("claude-opus-4-1", ["anthropic", "openrouter"]),
    ("deepseek-r1", ["openrouter", "groq"]),
    ("gpt-5-thinking", ["openai", "openrouter"]),
    ("gpt-4o", ["openai", "openrouter"]),
    ("gemini-2.5-flash-image", ["google", "openrouter"]),
    ("pixtral-large", ["openrouter", "local"]),
    ("gpt-5-nano", ["openai", "openrouter"]),
    ("mistral-small", ["openrouter", "local"]),
    ("gemma-3-12b", ["local", "groq"]),
    ("llama-3.1-8b-instant", ["groq", "local"]),
    ("qwen3-8b", ["local", "groq"]),
];

/// Age of the first request, in days.
const DAYS: i64 = 365;

/// The hours with requests: from 7 to 23 o'clock.
const DAY_BEGINS_MS: i64 = 7 * 60 * 60 * 1_000;
const DAY_LASTS_MS: i64 = 16 * 60 * 60 * 1_000;

/// Concurrent settlements; the writer commits them together.
const CONCURRENT_SETTLEMENTS: usize = 2_048;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: fill PATH REQUESTS")?;
    let requests: i64 = arguments.next().ok_or("usage: fill PATH REQUESTS")?.parse()?;
    let ledger = Ledger::open(Path::new(&path))?;
    let (entropy, now) = (SeededEntropy::new(1), SystemClock::new().wall());
    let first_day = now.day_start().unix_ms() - DAYS * DAY_MS;
    stream::iter(0..requests)
        .map(|number| {
            let begun =
                i128::from(number) * i128::from(DAYS * DAY_LASTS_MS) / i128::from(requests.max(1));
            let begun = i64::try_from(begun).unwrap_or_default();
            let (day, within) = (begun / DAY_LASTS_MS, begun % DAY_LASTS_MS);
            let started = first_day + day * DAY_MS + DAY_BEGINS_MS + within;
            let ended =
                Sample::roll(WallTime::from_unix_ms(started), &entropy).settlement(&entropy);
            let ledger = &ledger;
            async move {
                ledger.settle(ended?).await?;
                Ok::<_, Box<dyn Error>>(())
            }
        })
        .buffer_unordered(CONCURRENT_SETTLEMENTS)
        .try_collect::<()>()
        .await?;
    ledger.wait_until_folded().await;
    Ok(())
}

/// What was asked, of which model at which backends, and what came of it.
struct Sample {
    started: WallTime,
    client: &'static str,
    project: &'static str,
    route: &'static str,
    model: &'static str,
    backends: [&'static str; 2],
    /// True if the client named the model itself.
    is_direct: bool,
    is_failed: bool,
    is_second_try: bool,
    tokens: TokenUsage,
    took: Duration,
}

impl Sample {
    fn roll(started: WallTime, entropy: &dyn Entropy) -> Self {
        let mut dice = [0_u8; 12];
        entropy.fill(&mut dice);
        let [who, project, route, model, backend, direct, end, input, fresh, output, tail, took] =
            dice.map(usize::from);
        let hour = usize::try_from(started.unix_ms() / 3_600_000).unwrap_or_default();
        let day = hour / 24;
        let client = (hour * 5 + weighted(who, &[160, 70, 26]) * 3) % CLIENTS.len();
        let project = (day * 7 + client * 2 + weighted(project, &[220, 36])) % PROJECTS.len();
        let route = (client + weighted(route, &[200, 56]) * 2) % ROUTES.len();
        let model = (route * 4 + weighted(model, &[170, 60, 20, 6])) % MODELS.len();
        let (model, backends) = pick(&MODELS, model);
        let [first, second] = backends;
        let input = 200 + input * input + 10 * took;
        let output = 20 + output * output / 16 + tail;
        let read = if fresh < 120 { input * fresh / 128 } else { 0 };
        let tokens = [input - read, read, output, if tail > 150 { output / 2 } else { 0 }];
        let [input_uncached, cache_read, output_visible, reasoning] =
            tokens.map(|count| u64::try_from(count).unwrap_or_default());
        let micros = u64::try_from(200_000 + output * 9_000 + took * 771).unwrap_or_default();
        Self {
            started,
            client: pick(&CLIENTS, client),
            project: pick(&PROJECTS, project),
            route: pick(&ROUTES, route),
            model,
            backends: if backend < 235 { [first, second] } else { [second, first] },
            is_direct: direct < 80,
            is_failed: end < 3,
            is_second_try: (3..11).contains(&end),
            tokens: TokenUsage {
                input_uncached,
                cache_read,
                output_visible,
                reasoning,
                ..TokenUsage::default()
            },
            took: Duration::from_micros(micros),
        }
    }

    fn settlement(&self, entropy: &dyn Entropy) -> Result<Settlement, domain::IdError> {
        let model_asked = if self.is_direct { self.model } else { self.route };
        let request = NewRequest {
            id: RequestId::generate(self.started, entropy),
            started: self.started,
            client: ClientId::new(self.client)?,
            project: Some(self.project.to_owned()),
            route: if self.is_direct { self.model } else { self.route }.to_owned(),
            model_asked: model_asked.to_owned(),
            dialect: if self.backends.contains(&"anthropic") { "messages" } else { "chat" }
                .to_owned(),
            streamed: true,
            purpose: Purpose::User,
        };
        let [first, second] = self.backends;
        if self.is_failed {
            return Ok(self.failed(request, self.failed_attempt(first)?));
        }
        let (answering, before) = match self.is_second_try {
            true => (second, vec![self.failed_attempt(first)?]),
            false => (first, Vec::new()),
        };
        let attempt = AttemptRecord {
            http_status: Some(200),
            ..AttemptRecord::started(endpoint(answering)?, self.model, self.started)
        };
        Ok(self.complete(request, before, attempt))
    }

    fn failed_attempt(&self, backend: &str) -> Result<AttemptRecord, domain::IdError> {
        Ok(AttemptRecord {
            duration: self.took / 8,
            http_status: Some(503),
            class: Some("overloaded".to_owned()),
            owner: Some("endpoint".to_owned()),
            error_class: Some("overloaded".to_owned()),
            message: Some(format!("{backend}: The server is overloaded. Try again later.")),
            cost: Cost::NotBilled,
            ..AttemptRecord::started(endpoint(backend)?, self.model, self.started)
        })
    }

    fn ended(&self) -> WallTime {
        let took = i64::try_from(self.took.as_millis()).unwrap_or_default();
        self.started.plus_ms(took)
    }

    fn failed(&self, request: NewRequest, attempt: AttemptRecord) -> Settlement {
        Settlement {
            ended: self.ended(),
            outcome: RequestOutcome::Failed,
            backend: Some(attempt.backend.clone()),
            credential: attempt.credential.clone(),
            explanation: Some(self.explanation()),
            decision: Some(self.decision()),
            cost: Cost::NotBilled,
            http_status: Some(503),
            error_class: Some("overloaded".to_owned()),
            error_message: attempt.message.clone(),
            timings: Timings { total: Some(attempt.duration), ..Timings::default() },
            attempts: vec![attempt],
            ..Settlement::unfinished(request)
        }
    }

    fn complete(
        &self,
        request: NewRequest,
        before: Vec<AttemptRecord>,
        attempt: AttemptRecord,
    ) -> Settlement {
        let (lines, cost) = self.invoice(attempt.backend.as_str());
        let queue = Duration::from_micros(20 + self.tokens.output_visible % 97);
        let first_byte = queue + self.took / 5;
        let attempt = AttemptRecord {
            duration: self.took.saturating_sub(queue),
            usage: Some(self.tokens),
            cost: cost.clone(),
            lines,
            ..attempt
        };
        Settlement {
            ended: self.ended(),
            outcome: RequestOutcome::Complete,
            backend: Some(attempt.backend.clone()),
            credential: attempt.credential.clone(),
            explanation: Some(self.explanation()),
            decision: Some(self.decision()),
            cost,
            model_billed: Some(self.model.to_owned()),
            http_status: Some(200),
            finish_reason: Some("stop".to_owned()),
            usage: Some(self.tokens),
            usage_basis: Some(UsageBasis::Reported),
            usage_raw: Some(self.usage_raw(attempt.backend.as_str())),
            timings: Timings {
                queue: Some(queue),
                first_byte: Some(first_byte),
                first_token: Some(first_byte + self.took / 30),
                total: Some(self.took),
            },
            bytes_in: 4 * self.tokens.input(),
            bytes_out: 60 * self.tokens.output(),
            attempts: before.into_iter().chain([attempt]).collect(),
            ..Settlement::unfinished(request)
        }
    }

    /// At 2, 0.5 and 8 dollars for a million tokens.
    fn invoice(&self, backend: &str) -> (Vec<LineItem>, Cost) {
        let line = |meter, quantity: u64, cents: i64| {
            let amount = i64::try_from(quantity).unwrap_or_default() * cents * 10;
            let rate = Some(Rate::new(cents * 10_000_000));
            LineItem { meter, quantity, rate, amount: Some(NanoUsd::new(amount)) }
        };
        let tokens = &self.tokens;
        let lines = [
            line(Meter::Input, tokens.input_uncached, 200),
            line(Meter::CacheRead, tokens.cache_read, 50),
            line(Meter::Output, tokens.output(), 800),
        ];
        let lines: Vec<_> = lines.into_iter().filter(|line| line.quantity > 0).collect();
        let amount = lines.iter().filter_map(|line| line.amount).sum();
        (lines, Cost::Computed { amount, price_id: format!("{backend}/{}@2026-06-01", self.model) })
    }

    /// The routes that choose by speed say what was measured, which differs by request.
    fn is_by_speed(&self) -> bool {
        matches!(self.route, "fast" | "reasoning")
    }

    fn first_token_ms(&self) -> [u64; 2] {
        let ms = 250 + self.tokens.input_uncached % 400;
        [ms, ms + 20 + self.tokens.output_visible % 90]
    }

    fn explanation(&self) -> String {
        let (model, [first, second], route) = (self.model, self.backends, self.route);
        let [ms, later] = self.first_token_ms();
        match self.is_by_speed() {
            true => format!(
                "{first} ({model}) is the fastest of 2 in the route {route}: {ms} ms to the first token, {later} ms at {second}."
            ),
            false => format!("{first} ({model}) is the first of 2 in the route {route}."),
        }
    }

    /// A decision between two candidates, in the gateway's order of fields.
    fn decision(&self) -> String {
        let (model, [first, second], route) = (self.model, self.backends, self.route);
        let (policy, [why, other]) = match self.is_by_speed() {
            true => (
                "fastest",
                self.first_token_ms().map(|ms| format!("{ms} ms to the first token, ready")),
            ),
            false => ("ordered", ["position 1, ready", "position 2, ready"].map(str::to_owned)),
        };
        format!(
            r#"{{"candidates":[{{"backend":"{first}","credential":"{first}-key","model":"{model}","why":"{why}"}},{{"backend":"{second}","credential":"{second}-key","model":"{model}","why":"{other}"}}],"passed_over":[],"policy":"{policy}","route":"{route}"}}"#
        )
    }

    /// The usage object of the backend's dialect.
    fn usage_raw(&self, backend: &str) -> String {
        let tokens = &self.tokens;
        let (fresh, read, reasoning) = (tokens.input_uncached, tokens.cache_read, tokens.reasoning);
        let (input, output, total) = (tokens.input(), tokens.output(), tokens.total());
        match backend {
            "anthropic" => format!(
                r#"{{"input_tokens":{fresh},"cache_creation_input_tokens":0,"cache_read_input_tokens":{read},"cache_creation":{{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}},"output_tokens":{output},"service_tier":"standard"}}"#
            ),
            "google" => format!(
                r#"{{"promptTokenCount":{input},"candidatesTokenCount":{output},"totalTokenCount":{total},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":{input}}}],"thoughtsTokenCount":{reasoning}}}"#
            ),
            _ => format!(
                r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":{read},"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#
            ),
        }
    }
}

fn endpoint(backend: &str) -> Result<Endpoint, domain::IdError> {
    let credential = Some(CredentialId::new(format!("{backend}-key"))?);
    Ok(Endpoint { backend: BackendId::new(backend)?, credential })
}

/// The place that a die of 256 sides falls on, by the sides that each place has.
fn weighted(die: usize, sides: &[usize]) -> usize {
    let mut left = die;
    for (place, sides) in sides.iter().enumerate() {
        match left.checked_sub(*sides) {
            Some(rest) => left = rest,
            None => return place,
        }
    }
    0
}

fn pick<T: Copy + Default>(from: &[T], place: usize) -> T {
    from.iter().cycle().nth(place).copied().unwrap_or_default()
}
