//! Folds the events of a stream into a whole answer.

use crate::neutral::{
    AnswerChoice, AnswerEvent, ContentPart, ModelAnswer, PartDelta, PartHead, ToolCall,
};

pub(crate) fn fold_events(events: Vec<AnswerEvent>) -> ModelAnswer {
    let mut answer = ModelAnswer::default();
    for event in events {
        match event {
            AnswerEvent::Begin { id, model, usage } => {
                (answer.id, answer.model) = (id, model);
                answer.usage = usage;
            }
            AnswerEvent::Start { choice, head, .. } => {
                choice_at(&mut answer, choice).parts.push(part_from_head(head));
            }
            AnswerEvent::Delta { choice, delta, .. } => {
                if let Some(last) = choice_at(&mut answer, choice).parts.last_mut() {
                    extend_part(last, delta);
                }
            }
            AnswerEvent::Stop { .. } => {}
            AnswerEvent::Finish { choice, finish } => {
                choice_at(&mut answer, choice).finish = Some(finish);
            }
            AnswerEvent::End { usage } => answer.usage = usage.or(answer.usage.take()),
        }
    }
    answer
}

/// The choice at `index`, created if missing; the assembler limits indexes.
fn choice_at(answer: &mut ModelAnswer, index: u32) -> &mut AnswerChoice {
    let place = usize::try_from(index).unwrap_or(0).min(crate::answer::CHOICES_MAX);
    while answer.choices.len() <= place {
        answer.choices.push(AnswerChoice::default());
    }
    #[expect(clippy::indexing_slicing, reason = "the loop above made the vector that long")]
    &mut answer.choices[place]
}

fn part_from_head(head: PartHead) -> ContentPart {
    match head {
        PartHead::Text => ContentPart::text(""),
        PartHead::Refusal => ContentPart::Refusal(String::new()),
        PartHead::Thinking => ContentPart::Thinking { text: String::new(), signature: None },
        PartHead::RedactedThinking(signature) => ContentPart::RedactedThinking(signature),
        PartHead::Call { id, name, namespace, kind } => {
            ContentPart::ToolCall(ToolCall { id, name, namespace, kind, arguments: String::new() })
        }
        PartHead::Media(media) => ContentPart::Media(media),
    }
}

fn extend_part(part: &mut ContentPart, delta: PartDelta) {
    match (part, delta) {
        (
            ContentPart::Text { text, .. }
            | ContentPart::Refusal(text)
            | ContentPart::Thinking { text, .. },
            PartDelta::Text(more),
        ) => text.push_str(&more),
        (ContentPart::Thinking { signature, .. }, PartDelta::Signature(given)) => {
            *signature = Some(given);
        }
        (ContentPart::ToolCall(call), PartDelta::Arguments(more)) => call.arguments.push_str(&more),
        // The assembler sends no other pair.
        _ => {}
    }
}
