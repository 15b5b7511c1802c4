//! Questions that a program without a session took along: it repeats the call with what the person says.
//! The program writes both, so only an answer to a question that was asked about this same call counts,
//! and once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use control::PersonAnswer;
use domain::{Clock, Entropy, Moment};
use parking_lot::Mutex;
use rmcp::model::{ElicitResult, ElicitationAction, InputResponses};
use serde_json::{Value, json};

/// Name of the question where it is an answer to the call.
pub(crate) const QUESTION: &str = "confirm";

/// Most questions of one client that are open. A further one takes the place of the oldest.
const QUESTIONS_MAX: usize = 16;
/// Time for the answer, in seconds.
pub(crate) const ANSWER_SECS_MAX: u64 = 120;
/// Random bytes of an id.
const ID_BYTES: usize = 16;

/// The open questions of one client.
pub(crate) struct OpenQuestions {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// The oldest first.
    open: Mutex<VecDeque<OpenQuestion>>,
}

struct OpenQuestion {
    id: String,
    call: blake3::Hash,
    asked: Moment,
}

/// What came with a call: the question that it answers, and the answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) question_id: Option<String>,
    pub(crate) answers: Option<InputResponses>,
}

impl OpenQuestions {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, open: Mutex::default() }
    }

    /// Returns the id of a new question about a call, which the program sends back with the answer.
    pub(crate) fn add(&self, tool: &str, arguments: &Value) -> String {
        let mut random = [0_u8; ID_BYTES];
        self.entropy.fill(&mut random);
        let id = format!("{:032x}", u128::from_le_bytes(random));
        let (call, asked) = (hash_call(tool, arguments), self.clock.now());
        let mut open = self.open.lock();
        let surplus = (open.len() + 1).saturating_sub(QUESTIONS_MAX);
        open.drain(..surplus);
        open.push_back(OpenQuestion { id: id.clone(), call, asked });
        id
    }

    /// What a person says to an open question about this call. None if `reply` is no answer to one.
    pub(crate) fn take_answer(
        &self,
        reply: &Reply,
        tool: &str,
        arguments: &Value,
    ) -> Option<PersonAnswer> {
        let asked = self.take(reply.question_id.as_deref()?)?;
        let age = self.clock.now().since(asked.asked);
        if asked.call != hash_call(tool, arguments) || age > Duration::from_secs(ANSWER_SECS_MAX) {
            return None;
        }
        let answer = reply.answers.as_ref()?.get(QUESTION)?.clone();
        serde_json::from_value(answer).ok().as_ref().map(person_answer)
    }

    fn take(&self, id: &str) -> Option<OpenQuestion> {
        let mut open = self.open.lock();
        let at = open.iter().position(|question| question.id == id)?;
        open.remove(at)
    }
}

fn hash_call(tool: &str, arguments: &Value) -> blake3::Hash {
    blake3::hash(json!([tool, arguments]).to_string().as_bytes())
}

/// Who dismissed the question did not confirm.
pub(crate) fn person_answer(answer: &ElicitResult) -> PersonAnswer {
    match answer.action {
        ElicitationAction::Accept => PersonAnswer::Confirmed,
        _ => PersonAnswer::Declined,
    }
}

#[cfg(test)]
mod tests {
    use domain::{ManualClock, SeededEntropy};

    use super::*;

    const TOOL: &str = "purge_cache";

    fn questions() -> (Arc<ManualClock>, OpenQuestions) {
        let clock = Arc::new(ManualClock::default());
        let questions = OpenQuestions::new(clock.clone(), Arc::new(SeededEntropy::new(1)));
        (clock, questions)
    }

    fn reply(id: Option<&str>, action: &str) -> Reply {
        let answers = json!({QUESTION: {"action": action}});
        Reply {
            question_id: id.map(str::to_owned),
            answers: serde_json::from_value(answers).expect("answers"),
        }
    }

    #[test]
    fn an_answer_counts_once_and_only_to_a_question_about_this_call() {
        let (_, questions) = questions();
        let (call, other) = (json!({"what": "everything"}), json!({"what": "model"}));
        let take = |id: Option<&str>, tool: &str, arguments: &Value| {
            questions.take_answer(&reply(id, "accept"), tool, arguments)
        };
        assert_eq!(take(None, TOOL, &call), None, "the first call");
        assert_eq!(take(Some("1"), TOOL, &call), None, "no such question");
        let id = questions.add(TOOL, &call);
        assert_eq!(take(None, TOOL, &call), None, "without its id");
        assert_eq!(take(Some(&id), TOOL, &call), Some(PersonAnswer::Confirmed));
        assert_eq!(take(Some(&id), TOOL, &call), None, "used");
        let id = questions.add(TOOL, &call);
        assert_eq!(take(Some(&id), TOOL, &other), None, "other arguments");
        assert_eq!(take(Some(&id), TOOL, &call), None, "used");
        let id = questions.add(TOOL, &call);
        assert_eq!(take(Some(&id), "set_route", &call), None, "another tool");
        for action in ["decline", "cancel"] {
            let id = questions.add(TOOL, &call);
            let answer = questions.take_answer(&reply(Some(&id), action), TOOL, &call);
            assert_eq!(answer, Some(PersonAnswer::Declined), "{action}");
        }
        let silent = Reply { question_id: Some(questions.add(TOOL, &call)), answers: None };
        assert_eq!(questions.take_answer(&silent, TOOL, &call), None, "no answer");
    }

    #[test]
    fn a_question_is_open_for_its_time_and_the_oldest_makes_room() {
        let (clock, questions) = questions();
        let call = json!({});
        let take = |id: &str| questions.take_answer(&reply(Some(id), "accept"), TOOL, &call);
        let ids = [questions.add(TOOL, &call), questions.add(TOOL, &call)];
        clock.advance(Duration::from_secs(ANSWER_SECS_MAX));
        assert!(take(&ids[0]).is_some(), "at the limit");
        clock.advance(Duration::from_micros(1));
        assert_eq!(take(&ids[1]), None, "too late");
        let ids: Vec<_> = (0..=QUESTIONS_MAX).map(|_| questions.add(TOOL, &call)).collect();
        assert_eq!(questions.open.lock().len(), QUESTIONS_MAX);
        assert_eq!(take(&ids[0]), None, "the oldest");
        assert!(ids[1..].iter().all(|id| take(id).is_some()));
    }
}
