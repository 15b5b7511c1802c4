//! Folds the events of a stream into a whole answer.

use crate::neutral::{Answer, AnswerChoice, Event, Part, PartDelta, PartHead, ToolCall};

pub(crate) fn fold(events: Vec<Event>) -> Answer {
    let mut answer = Answer::default();
    for event in events {
        match event {
            Event::Begin { id, model, usage } => {
                (answer.id, answer.model) = (id, model);
                answer.usage = usage;
            }
            Event::Start { choice, head, .. } => {
                choice_at(&mut answer, choice).parts.push(part(head));
            }
            Event::Delta { choice, delta, .. } => {
                if let Some(last) = choice_at(&mut answer, choice).parts.last_mut() {
                    extend(last, delta);
                }
            }
            Event::Stop { .. } => {}
            Event::Finish { choice, finish } => {
                choice_at(&mut answer, choice).finish = Some(finish);
            }
            Event::End { usage } => answer.usage = usage.or(answer.usage.take()),
        }
    }
    answer
}

/// The choice at `index`, created if missing; the assembler limits indexes.
fn choice_at(answer: &mut Answer, index: u32) -> &mut AnswerChoice {
    let place = usize::try_from(index).unwrap_or(0).min(crate::CHOICES_MAX);
    while answer.choices.len() <= place {
        answer.choices.push(AnswerChoice::default());
    }
    #[expect(clippy::indexing_slicing, reason = "the loop above made the vector that long")]
    &mut answer.choices[place]
}

fn part(head: PartHead) -> Part {
    match head {
        PartHead::Text => Part::text(""),
        PartHead::Refusal => Part::Refusal(String::new()),
        PartHead::Thinking => Part::Thinking { text: String::new(), signature: None },
        PartHead::RedactedThinking(signature) => Part::RedactedThinking(signature),
        PartHead::Call { id, name, namespace, kind } => {
            Part::ToolCall(ToolCall { id, name, namespace, kind, arguments: String::new() })
        }
        PartHead::Media(media) => Part::Media(media),
    }
}

fn extend(part: &mut Part, delta: PartDelta) {
    match (part, delta) {
        (
            Part::Text { text, .. } | Part::Refusal(text) | Part::Thinking { text, .. },
            PartDelta::Text(more),
        ) => text.push_str(&more),
        (Part::Thinking { signature, .. }, PartDelta::Signature(given)) => *signature = Some(given),
        (Part::ToolCall(call), PartDelta::Arguments(more)) => call.arguments.push_str(&more),
        // The assembler sends no other pair.
        _ => {}
    }
}
