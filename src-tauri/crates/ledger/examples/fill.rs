//! Fills a ledger with made-up requests of the last month: `fill PATH REQUESTS`.
//!
//! `cargo xtask bench` runs the dashboard's queries on the result. It writes through the ledger's
//! public API, so the roll-ups are those of real traffic.

#![expect(clippy::disallowed_methods, reason = "a program of its own: it reads its arguments")]

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use domain::{
    BackendId, ClientId, Clock, CredentialId, Endpoint, Entropy, Meter, NanoUsd, RequestId,
    SeededEntropy, SystemClock, TokenUsage, WallTime,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use ledger::{
    AttemptRecord, Ledger, NewRequest, Purpose, RequestOutcome, Settlement, Timings, UsageBasis,
};
use pricing::{Cost, LineItem, Rate};

/// Names for a developer with several keys, tools and models.
const BACKENDS: [&str; 4] = ["openai", "openrouter", "groq", "local"];
const CLIENTS: [&str; 5] = ["editor", "agent", "shell", "notebook", "review"];
const MODELS: [&str; 8] =
    ["large", "large-mini", "small", "small-mini", "reasoner", "coder", "vision", "nano"];

/// Age of the first request.
const PERIOD_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Concurrent settlements; the writer commits them together.
const CONCURRENT_SETTLEMENTS: usize = 2_048;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: fill PATH REQUESTS")?;
    let requests: i64 = arguments.next().ok_or("usage: fill PATH REQUESTS")?.parse()?;
    let ledger = Ledger::open(Path::new(&path))?;
    let (entropy, now) = (SeededEntropy::new(1), SystemClock::new().wall().unix_ms());
    stream::iter(0..requests)
        .map(|number| {
            let started = now - PERIOD_MS + number * (PERIOD_MS / requests.max(1));
            let ended = sample_settlement(WallTime::from_unix_ms(started), &entropy);
            let ledger = &ledger;
            async move {
                ledger.settle(ended?).await?;
                Ok::<_, Box<dyn Error>>(())
            }
        })
        .buffer_unordered(CONCURRENT_SETTLEMENTS)
        .try_collect::<()>()
        .await
}

fn sample_settlement(
    started: WallTime,
    entropy: &dyn Entropy,
) -> Result<Settlement, domain::IdError> {
    let mut dice = [0_u8; 7];
    entropy.fill(&mut dice);
    let [first, second, third, input, output, millis, failure] = dice;
    let client = ClientId::new(pick(&CLIENTS, first))?;
    let backend = BackendId::new(pick(&BACKENDS, second))?;
    let credential = CredentialId::new(format!("{backend}-key"))?;
    let model = pick(&MODELS, third).to_owned();
    let took = Duration::from_millis(200 + 10 * u64::from(millis));
    let tokens = TokenUsage {
        input_uncached: 20 * u64::from(input),
        output_visible: 5 * u64::from(output),
        ..TokenUsage::default()
    };
    let request = NewRequest {
        id: RequestId::generate(started, entropy),
        started,
        client: client.clone(),
        project: (client.as_str() == "agent").then(|| "website".to_owned()),
        route: model.clone(),
        model_asked: model.clone(),
        dialect: "openai-chat".to_owned(),
        streamed: true,
        purpose: Purpose::User,
    };
    let attempt = AttemptRecord {
        duration: took,
        http_status: Some(200),
        ..AttemptRecord::started(
            Endpoint { backend, credential: Some(credential) },
            &model,
            started,
        )
    };
    match failure {
        0..=2 => Ok(failed(request, attempt, took)),
        _ => Ok(settled(request, attempt, took, tokens, model)),
    }
}

/// One request in a hundred fails.
fn failed(request: NewRequest, attempt: AttemptRecord, took: Duration) -> Settlement {
    let ended = request.started.unix_ms() + i64::try_from(took.as_millis()).unwrap_or_default();
    let attempt = AttemptRecord {
        http_status: Some(503),
        class: Some("overloaded".to_owned()),
        owner: Some("endpoint".to_owned()),
        error_class: Some("overloaded".to_owned()),
        message: Some("The server is overloaded.".to_owned()),
        cost: Cost::NotBilled,
        ..attempt
    };
    Settlement {
        ended: WallTime::from_unix_ms(ended),
        outcome: RequestOutcome::Failed,
        backend: Some(attempt.backend.clone()),
        credential: attempt.credential.clone(),
        cost: Cost::NotBilled,
        http_status: Some(503),
        error_class: Some("overloaded".to_owned()),
        error_message: attempt.message.clone(),
        timings: Timings { total: Some(took), ..Timings::default() },
        attempts: vec![attempt],
        ..Settlement::unfinished(request)
    }
}

fn settled(
    request: NewRequest,
    attempt: AttemptRecord,
    took: Duration,
    tokens: TokenUsage,
    model: String,
) -> Settlement {
    let (lines, cost) = invoice(tokens, &model);
    let ended = request.started.unix_ms() + i64::try_from(took.as_millis()).unwrap_or_default();
    Settlement {
        ended: WallTime::from_unix_ms(ended),
        outcome: RequestOutcome::Complete,
        backend: Some(attempt.backend.clone()),
        credential: attempt.credential.clone(),
        explanation: Some(format!("{}: first in the list and healthy", attempt.backend)),
        decision: Some(decision(&model)),
        cost: cost.clone(),
        model_billed: Some(model),
        http_status: Some(200),
        finish_reason: Some("stop".to_owned()),
        usage: Some(tokens),
        usage_basis: Some(UsageBasis::Reported),
        usage_raw: Some(raw(tokens)),
        timings: Timings { total: Some(took), ..Timings::default() },
        bytes_in: 400,
        bytes_out: 4_000,
        attempts: vec![AttemptRecord { usage: Some(tokens), cost, lines, ..attempt }],
        ..Settlement::unfinished(request)
    }
}

/// Two lines and their sum, at 2 and 8 dollars for a million tokens.
fn invoice(tokens: TokenUsage, model: &str) -> (Vec<LineItem>, Cost) {
    let line = |meter, quantity: u64, dollars: i64| {
        let amount = i64::try_from(quantity).unwrap_or_default() * dollars * 1_000;
        let rate = Some(Rate::new(dollars * 1_000_000_000));
        LineItem { meter, quantity, rate, amount: Some(NanoUsd::new(amount)) }
    };
    let lines =
        vec![line(Meter::Input, tokens.input(), 2), line(Meter::Output, tokens.output(), 8)];
    let amount = lines.iter().filter_map(|line| line.amount).sum();
    (lines, Cost::Computed { amount, price_id: format!("bench/{model}") })
}

/// A decision between two candidates.
fn decision(model: &str) -> String {
    format!(
        r#"{{"candidates":[{{"backend":"openai","credential":"openai-key","model":"{model}","why":"first in the list"}},{{"backend":"openrouter","credential":"openrouter-key","model":"{model}","why":"second in the list"}}],"passed_over":[],"policy":"ordered","route":"{model}"}}"#
    )
}

/// A current usage object of OpenAI, with its details.
fn raw(tokens: TokenUsage) -> String {
    let (input, output) = (tokens.input(), tokens.output());
    let total = tokens.total();
    format!(
        r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#
    )
}

fn pick(names: &[&'static str], dice: u8) -> &'static str {
    names.iter().cycle().nth(usize::from(dice)).copied().unwrap_or("bench")
}
