//! Errors for unknown names, with the most similar known name as a hint.

use crate::ApiError;

/// Minimum similarity of two names (Jaro-Winkler, 0 to 1). clap uses 0.7 for its own names. Names
/// that users choose are shorter and more alike, and a wrong guess is worse than none.
const SIMILARITY_MIN: f64 = 0.8;

/// Returns a not-found error. Its hint names the nearest known name, or the command that lists the
/// names.
#[must_use]
pub fn unknown_name_error<'a>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> ApiError {
    let error = ApiError::not_found(format!("there is no {what} named {name}"));
    match nearest_name(name, known) {
        Some(near) => error.with_hint(format!("Did you mean {near}?")),
        None => error.with_hint(match what {
            "preset" => "`gatehouse backends presets` lists them.".to_owned(),
            "setting" => "`gatehouse settings get` lists them.".to_owned(),
            "view" => "`gatehouse requests views` lists them.".to_owned(),
            what => format!("`gatehouse {what}s list` lists them."),
        }),
    }
}

/// Returns the known name that is most similar to `name`, if one is similar enough.
#[must_use]
pub fn nearest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |known: &&'a str| strsim::jaro_winkler(&name.to_lowercase(), known);
    let scored = known.into_iter().map(|known| (likeness(&known), known));
    let alike = scored.filter(|(score, _)| *score >= SIMILARITY_MIN);
    alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        let known = ["acme", "openai", "openrouter", "mock/echo"];
        let check = |typed: &str, near: Option<&str>| {
            assert_eq!(nearest_name(typed, known), near, "{typed}");
        };
        check("acmee", Some("acme"));
        check("Openai", Some("openai"));
        check("mock/ecko", Some("mock/echo"));
        check("zzz", None);
        let hint = |typed| unknown_name_error("backend", typed, known).hint.unwrap_or_default();
        assert_eq!(hint("acmee"), "Did you mean acme?");
        assert_eq!(hint("zzz"), "`gatehouse backends list` lists them.");
    }
}
