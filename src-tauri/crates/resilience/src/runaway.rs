//! Stops a client in a loop: one conversation sent again and again, with almost no output each
//! time.
//!
//! Seen in the field: a coding agent took a stream cut after two tokens for an answer and sent the
//! same conversation 93 times in 12 seconds, all of it paid. Agents that repeat a failing tool call
//! do the same more slowly. A looping client waits for each answer, so short answers are counted,
//! not requests: parallel requests, as sub-agents send them, are no loop.
//!
//! The conversation is identified by a fingerprint of its beginning, up to the first user message.
//! A loop keeps it while the end of the body grows. A batch job that asks the same question about
//! many texts under one long system prompt has a new fingerprint each time and is not affected.
//!
//! Only answers that reached the client count, whole or cut. Errors do not: retries against a dead
//! backend are handled by breaker and retry budget, and a client must not stay locked out after the
//! backend recovers.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use domain::{ClientId, Moment};

/// Maximum number of conversations watched at once. At the limit, the one idle for longest is
/// dropped. A developer has a few dozen.
pub const CONVERSATIONS_MAX: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunawayRules {
    /// Number of short answers within [`Self::within`] that make a loop. 20: two per second for ten
    /// seconds, one after another, is faster than a model with real work answers, and a fifth of
    /// what the agent in the field did.
    pub requests: u16,
    /// The period over which they are counted.
    pub within: Duration,
    /// Answers with fewer output tokens are short. 64: a tool call with small arguments, which an
    /// agent in a loop produces.
    pub answer_tokens_min: u64,
    /// How long the conversation is refused: long enough for a person to notice.
    pub hold: Duration,
}

impl Default for RunawayRules {
    fn default() -> Self {
        Self {
            requests: 20,
            within: Duration::from_secs(10),
            answer_tokens_min: 64,
            hold: Duration::from_secs(60),
        }
    }
}

/// The error for a conversation in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the runaway guard stopped this conversation: {requests} responses of fewer than \
     {answer_tokens_min} tokens within {} s; stop the client, or start a new conversation",
    .within.as_secs_f64()
)]
pub struct RunawayError {
    /// Number of short answers that make a loop.
    pub requests: u16,
    /// Answers with fewer output tokens are short.
    pub answer_tokens_min: u64,
    pub within: Duration,
    /// How long the conversation is still refused.
    pub wait: Duration,
}

#[derive(Debug, Clone)]
pub struct RunawayGuard {
    rules: RunawayRules,
    watched: HashMap<(ClientId, u64), WatchedConversation>,
}

#[derive(Debug, Clone, Default)]
struct WatchedConversation {
    /// End times of short answers, oldest first; at most [`RunawayRules::requests`].
    short: VecDeque<Moment>,
    /// When the loop was detected.
    stopped: Option<Moment>,
    last: Moment,
}

impl RunawayGuard {
    #[must_use]
    pub fn new(rules: RunawayRules) -> Self {
        Self { rules, watched: HashMap::new() }
    }

    /// Changes the rules. A stopped conversation stays stopped for the new time.
    pub const fn set_rules(&mut self, rules: RunawayRules) {
        self.rules = rules;
    }

    /// Checks a request of `client`. `conversation` is the fingerprint of the conversation's
    /// beginning. Read-only.
    pub fn check_request(
        &self,
        client: &ClientId,
        conversation: u64,
        now: Moment,
    ) -> Result<(), RunawayError> {
        let RunawayRules { requests, within, answer_tokens_min, hold } = self.rules;
        let watched = self.watched.get(&(client.clone(), conversation));
        let Some(stopped) = watched.and_then(|watched| watched.stopped) else { return Ok(()) };
        match hold.saturating_sub(now.since(stopped)) {
            Duration::ZERO => Ok(()),
            wait => Err(RunawayError { requests, answer_tokens_min, within, wait }),
        }
    }

    /// Records an answer that ended, whole or cut. Returns `Loop` once, for the answer that makes
    /// it a loop.
    pub fn record_answer(
        &mut self,
        client: &ClientId,
        conversation: u64,
        output_tokens: u64,
        now: Moment,
    ) -> LoopDetection {
        let key = (client.clone(), conversation);
        if output_tokens >= self.rules.answer_tokens_min {
            // Real output means no loop.
            self.watched.remove(&key);
            return LoopDetection::NoLoop;
        }
        self.make_room(&key);
        let RunawayRules { requests, within, hold, .. } = self.rules;
        let watched = self.watched.entry(key).or_default();
        watched.last = now;
        if watched.stopped.is_some_and(|stopped| now.since(stopped) < hold) {
            return LoopDetection::NoLoop;
        }
        watched.stopped = None;
        watched.short.push_back(now);
        while watched.short.front().is_some_and(|first| now.since(*first) > within) {
            watched.short.pop_front();
        }
        if watched.short.len() < usize::from(requests) {
            return LoopDetection::NoLoop;
        }
        watched.short.clear();
        watched.stopped = Some(now);
        LoopDetection::Loop
    }

    fn make_room(&mut self, key: &(ClientId, u64)) {
        if self.watched.len() < CONVERSATIONS_MAX || self.watched.contains_key(key) {
            return;
        }
        let silent = self.watched.iter().min_by_key(|(_, watched)| watched.last);
        if let Some(silent) = silent.map(|(key, _)| key.clone()) {
            self.watched.remove(&silent);
        }
    }
}

impl Default for RunawayGuard {
    fn default() -> Self {
        Self::new(RunawayRules::default())
    }
}

/// The result of recording an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopDetection {
    NoLoop,
    /// This answer completed a loop; the ledger and the panel get an event.
    Loop,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> ClientId {
        ClientId::new(name).unwrap()
    }

    /// A client that sends again as soon as it is answered. Returns the number of admitted
    /// requests.
    fn spin(guard: &mut RunawayGuard, pause_ms: u64, output_tokens: u64, for_secs: u64) -> u32 {
        let agent = client("agent");
        let mut through = 0;
        for ms in (0..for_secs * 1_000).step_by(usize::try_from(pause_ms).unwrap()) {
            let now = Moment::from_micros(ms * 1_000);
            if guard.check_request(&agent, 7, now).is_ok() {
                through += 1;
                guard.record_answer(&agent, 7, output_tokens, now);
            }
        }
        through
    }

    #[test]
    fn the_agent_of_the_field_gets_twenty_calls_instead_of_ninety_three() {
        assert_eq!(spin(&mut RunawayGuard::default(), 129, 2, 12), 20);
    }

    #[test]
    fn after_the_hold_it_begins_anew() {
        assert_eq!(spin(&mut RunawayGuard::default(), 100, 2, 120), 40);
    }

    #[test]
    fn slower_or_with_real_answers_it_is_no_loop() {
        assert_eq!(spin(&mut RunawayGuard::default(), 600, 2, 60), 100);
        assert_eq!(spin(&mut RunawayGuard::default(), 100, 64, 60), 600);
        assert!(spin(&mut RunawayGuard::default(), 100, 63, 60) <= 20);
    }

    #[test]
    fn one_real_answer_in_between_proves_work() {
        let mut guard = RunawayGuard::default();
        let (agent, now) = (client("agent"), Moment::from_secs(5));
        for answer in 0..100 {
            let tokens = if answer % 19 == 18 { 500 } else { 1 };
            assert_eq!(guard.record_answer(&agent, 7, tokens, now), LoopDetection::NoLoop);
        }
    }

    #[test]
    fn others_are_not_meant_and_it_says_what_it_is() {
        let mut guard = RunawayGuard::default();
        let (agent, now) = (client("agent"), Moment::from_secs(5));
        (0..19).for_each(|_| {
            assert_eq!(guard.record_answer(&agent, 7, 0, now), LoopDetection::NoLoop);
        });
        assert_eq!(guard.record_answer(&agent, 7, 0, now), LoopDetection::Loop);
        assert_eq!(guard.record_answer(&agent, 7, 0, now), LoopDetection::NoLoop, "told once");
        assert!(guard.check_request(&agent, 8, now).is_ok());
        assert!(guard.check_request(&client("other"), 7, now).is_ok());
        let refused = guard.check_request(&agent, 7, now + Duration::from_secs(59)).unwrap_err();
        assert_eq!(refused.wait, Duration::from_secs(1));
        assert_eq!(
            refused.to_string(),
            "the runaway guard stopped this conversation: 20 responses of fewer than 64 tokens within 10 s; stop the client, or start a new conversation"
        );
        assert!(guard.check_request(&agent, 7, now + Duration::from_secs(60)).is_ok());
    }

    #[test]
    fn so_many_conversations_are_watched_and_no_more() {
        let mut guard = RunawayGuard::default();
        let agent = client("agent");
        let limit = CONVERSATIONS_MAX as u64;
        for conversation in 0..limit * 2 {
            guard.record_answer(&agent, conversation, 0, Moment::from_secs(conversation));
            assert!(guard.watched.len() <= CONVERSATIONS_MAX);
        }
        assert!(!guard.watched.contains_key(&(agent.clone(), 0)));
        assert!(guard.watched.contains_key(&(agent, limit * 2 - 1)));
    }
}
