//! Filters of requests as one line of text, `status:5xx cost>0.1 client:codex`: the one definition of
//! its words, for the panel and the command line.

use std::str::FromStr;

use domain::{UnknownWord, WallTime};
use engine::Engine;

use super::filter;
use crate::ApiError;
use crate::unknown_name::nearest_name;
use crate::view::{RequestQueryText, RequestQueryView, RequestQueryWord, RequestsQuery};

/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

/// A word, an example and what it means. What follows `>` is the least, and what follows `<` the most.
const WORDS: [(&str, &str, &str); 14] = [
    ("state", "state:failed", "whether it runs, or how it ended"),
    ("status", "status:5xx", "an HTTP status, or a class of them"),
    (
        "failure",
        "failure:rate-limited",
        "the class of a failed attempt, or the client's error code",
    ),
    ("waste", "waste:retries", "how it was wasted"),
    ("backend", "backend:openai", "the backend that answered; \"\" for none"),
    ("key", "key:openai", "the key; \"\" for none"),
    ("client", "client:codex", "the client that asked"),
    ("project", "project:\"\"", "the project; \"\" for none"),
    ("route", "route:fast", "the route"),
    ("model", "model:gpt-5*", "the model asked for or billed; * stands for any text"),
    ("cache", "cache:hit", "what the cache did"),
    (
        "cost",
        "cost>0.10",
        "at least so many US dollars; cost<1 at most, cost:unknown without a price",
    ),
    ("took", "took>5s", "at least so long; took<800ms at most"),
    ("within", "within:24h", "a span until now, a day, or first..last; \"last 3h\" in quotes"),
];

/// Reads the text, and lists the words that it may have.
pub(crate) async fn request_query(
    engine: &Engine,
    req: RequestQueryText,
) -> Result<RequestQueryView, ApiError> {
    let query = parse(&req.text, engine.clock().wall())?;
    Ok(RequestQueryView { query, words: request_query_words() })
}

/// The words that a text of filters may have.
#[must_use]
pub fn request_query_words() -> Vec<RequestQueryWord> {
    let word = |(word, example, means): (&str, &str, &str)| RequestQueryWord {
        word: word.to_owned(),
        example: example.to_owned(),
        means: means.to_owned(),
    };
    WORDS.map(word).into()
}

/// What one word of the text asks for.
struct Term {
    /// Where it begins, in characters, from 1.
    at: usize,
    /// Empty for a text without a word before it.
    name: String,
    sign: char,
    value: String,
}

fn parse(text: &str, now: WallTime) -> Result<RequestsQuery, ApiError> {
    if text.chars().count() > TEXT_CHARS_MAX {
        let message = format!("this is longer than {TEXT_CHARS_MAX} characters");
        return Err(ApiError::invalid("text", message));
    }
    let mut query = RequestsQuery::default();
    for term in terms(text)? {
        if !set(&mut query, &term)? {
            let message = match term.name.as_str() {
                "" => "there are two texts for the model; put one with spaces in quotes".to_owned(),
                name => format!("{name} is there twice"),
            };
            return Err(located(term.at, &message));
        }
        // What was there before is right, so an error is this term's.
        filter::filters(&query, now).map_err(|error| located(term.at, &error.message))?;
    }
    Ok(query)
}

fn located(at: usize, message: &str) -> ApiError {
    ApiError::invalid("text", format!("at character {at}: {message}"))
}

fn terms(text: &str) -> Result<Vec<Term>, ApiError> {
    let mut terms = Vec::new();
    let mut rest = text.chars().zip(1..).peekable();
    while let Some((first, at)) = rest.next_if(|_| true) {
        if first.is_whitespace() {
            continue;
        }
        let mut term = Term { at, name: String::new(), sign: ' ', value: String::new() };
        let mut next = Some((first, at));
        let mut is_quoted = false;
        while let Some((c, here)) = next {
            match c {
                '"' => is_quoted = !is_quoted,
                ':' | '<' | '>' if term.sign == ' ' && !is_quoted => {
                    (term.sign, term.name) = (c, std::mem::take(&mut term.value));
                    // `>=` is the same: a bound is included.
                    if c != ':' {
                        rest.next_if(|(c, _)| *c == '=');
                    }
                    if term.name.is_empty() {
                        return Err(located(here, &format!("there is no word before {c}")));
                    }
                }
                _ => term.value.push(c),
            }
            next = rest.next_if(|(c, _)| is_quoted || !c.is_whitespace());
        }
        if is_quoted {
            return Err(located(at, "a quotation mark is not closed"));
        }
        terms.push(term);
    }
    Ok(terms)
}

/// Puts the term into the query. False if the query has one of its kind already.
fn set(query: &mut RequestsQuery, term: &Term) -> Result<bool, ApiError> {
    let Term { at, name, sign, value } = term;
    let place = match (name.as_str(), *sign) {
        ("", _) => {
            let pattern = format!("*{value}*");
            return Ok(query.model.replace(pattern).is_none());
        }
        ("state", ':') => return set_word(&mut query.state, term),
        ("waste", ':') => return set_word(&mut query.waste, term),
        ("cache", ':') => return set_word(&mut query.cache, term),
        ("cost", ':') if value == "unknown" => return Ok(query.unpriced.replace(true).is_none()),
        ("status", ':') => &mut query.http_status,
        ("failure", ':') => &mut query.failure,
        ("backend", ':') => &mut query.backend,
        ("key", ':') => &mut query.key,
        ("client", ':') => &mut query.client,
        ("project", ':') => &mut query.project,
        ("route", ':') => &mut query.route,
        ("model", ':') => &mut query.model,
        ("cost", '>') => &mut query.min_cost,
        ("cost", '<') => &mut query.max_cost,
        ("took", '>') => &mut query.slower_than,
        ("took", '<') => &mut query.faster_than,
        ("within", ':') => &mut query.within,
        _ => return Err(unknown(*at, name)),
    };
    let may_be_empty = matches!(name.as_str(), "backend" | "key" | "project");
    if value.is_empty() && !may_be_empty {
        return Err(located(*at, &format!("{name}{sign} is without a value")));
    }
    Ok(place.replace(value.clone()).is_none())
}

/// A word of a fixed list.
fn set_word<W>(place: &mut Option<W>, term: &Term) -> Result<bool, ApiError>
where
    W: FromStr<Err = UnknownWord>,
{
    let word = term.value.parse().map_err(|UnknownWord { allowed }| {
        located(term.at, &format!("{} is one of {}", term.name, allowed.join(", ")))
    })?;
    Ok(place.replace(word).is_none())
}

fn unknown(at: usize, name: &str) -> ApiError {
    if let Some((_, example, _)) = WORDS.iter().find(|(word, ..)| *word == name) {
        return located(at, &format!("write it as {example}"));
    }
    let error = located(at, &format!("there is no filter named {name}"));
    match nearest_name(name, WORDS.iter().map(|(word, ..)| *word)) {
        Some(near) => error.with_hint(format!("Did you mean {near}?")),
        None => {
            let all = WORDS.iter().map(|(word, ..)| *word).collect::<Vec<_>>().join(", ");
            error.with_hint(format!("The filters are {all}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{CacheOutcome, RequestState, WasteKind};

    fn read(text: &str) -> Result<RequestsQuery, ApiError> {
        parse(text, WallTime::from_unix_ms(1_764_000_000_000))
    }

    #[test]
    fn every_word_is_read_and_its_own_example_too() {
        let text = |text: &str| Some(text.to_owned());
        let found = read(
            "state:failed status:5xx failure:timeout waste:retries backend:openai key:\"\" client:codex \
             project:\"my site\" route:fast model:gpt-5* cache:miss cost>=0.1 cost<2 took>5s took<1m \
             within:\"last 3h\" cost:unknown",
        );
        let expected = RequestsQuery {
            state: Some(RequestState::Failed),
            http_status: text("5xx"),
            failure: text("timeout"),
            waste: Some(WasteKind::Retries),
            backend: text("openai"),
            key: text(""),
            client: text("codex"),
            project: text("my site"),
            route: text("fast"),
            model: text("gpt-5*"),
            cache: Some(CacheOutcome::Miss),
            min_cost: text("0.1"),
            max_cost: text("2"),
            slower_than: text("5s"),
            faster_than: text("1m"),
            within: text("last 3h"),
            unpriced: Some(true),
            ..RequestsQuery::default()
        };
        assert_eq!(found, Ok(expected));
        for (word, example, _) in WORDS.iter() {
            let found = read(example).expect(example);
            assert_ne!(found, RequestsQuery::default(), "{word}");
        }
        assert_eq!(read("  "), Ok(RequestsQuery::default()));
        let model = RequestsQuery { model: text("*gpt 5*"), ..RequestsQuery::default() };
        assert_eq!(read("\"gpt 5\""), Ok(model));
    }

    #[test]
    fn an_error_says_where_it_is_and_what_to_write() {
        let check = |text: &str, message: &str, hint: Option<&str>| {
            let error = read(text).expect_err(text);
            assert_eq!((error.message.as_str(), error.hint.as_deref()), (message, hint));
            assert_eq!(error.field.as_deref(), Some("text"));
        };
        let near = Some("Did you mean status?");
        check("é:x", "at character 1: there is no filter named é", Some(&all_of_them()));
        check("a sttus:5xx", "at character 3: there is no filter named sttus", near);
        check(
            "client:x status:9xx",
            "at character 10: enter an HTTP status such as 503, or a class such as 5xx",
            None,
        );
        check("cost:5", "at character 1: write it as cost>0.10", None);
        check("status>500", "at character 1: write it as status:5xx", None);
        check("client:", "at character 1: client: is without a value", None);
        check("client:a client:b", "at character 10: client is there twice", None);
        let twice =
            "at character 5: there are two texts for the model; put one with spaces in quotes";
        check("gpt 5", twice, None);
        check("project:\"x", "at character 1: a quotation mark is not closed", None);
        check(":x", "at character 1: there is no word before :", None);
        check("cost>cheap", "at character 1: enter an amount in US dollars, such as 0.10", None);
        let error = read("state:sleepy").expect_err("no state");
        assert!(error.message.starts_with("at character 1: state is one of "), "{error}");
    }

    fn all_of_them() -> String {
        let all: Vec<_> = WORDS.iter().map(|(word, ..)| *word).collect();
        format!("The filters are {}.", all.join(", "))
    }

    #[test]
    fn a_text_has_a_length_at_most() {
        let text = |chars: usize| "x".repeat(chars);
        assert!(read(&text(TEXT_CHARS_MAX)).is_ok());
        let error = read(&text(TEXT_CHARS_MAX + 1)).expect_err("too long");
        assert_eq!(error.message, "this is longer than 1000 characters");
    }
}
