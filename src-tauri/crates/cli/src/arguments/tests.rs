//! The help is a contract with users, so snapshots record it.

use clap::CommandFactory;

use super::*;

fn read(line: &str) -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse_from(line.split(' '))
}

#[test]
fn clap_finds_no_contradiction() {
    CommandLine::command().debug_assert();
}

#[test]
fn help() {
    let mut root = CommandLine::command().term_width(100);
    root.build();
    let mut pages = String::new();
    collect(&mut root, &mut pages);
    insta::assert_snapshot!("help", pages);
}

fn collect(command: &mut clap::Command, pages: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    pages.push_str(&format!("==== {name}\n{}\n", command.render_long_help()));
    // `help` would list its siblings a second time.
    let inner = command.get_subcommands_mut().filter(|inner| inner.get_name() != "help");
    inner.for_each(|inner| collect(inner, pages));
}

#[test]
fn the_switches_are_those_of_the_command_that_was_called() {
    let of = |line: &str| {
        let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        CommandLine::switches(&typed)
    };
    let ask = of("gatehouse ask m hi");
    assert!(ask.contains(&"temperature".to_owned()) && !ask.contains(&"model".to_owned()));
    let add = of("gatehouse backends add groq");
    assert!(add.contains(&"base-url".to_owned()) && !add.contains(&"temperature".to_owned()));
    assert!(of("gatehouse nonsense").is_empty());
}

#[test]
fn a_key_is_no_argument() {
    for line in [
        "gatehouse keys add up sk-CANARY-0123456789",
        "gatehouse keys replace up sk-CANARY-0123456789",
        "gatehouse keys add up --key sk-CANARY-0123456789",
        "gatehouse keys add up --stdin=sk-CANARY-0123456789",
    ] {
        let error = read(line).expect_err(line);
        assert_eq!(error.exit_code(), 2);
        assert!(!domain::redact(&error.render().to_string()).contains("CANARY"), "{line}");
    }
}

#[test]
fn a_backend_needs_its_kind_and_address_or_a_preset() {
    let check = |line: &str, good: bool| assert_eq!(read(line).is_ok(), good, "{line}");
    check(
        "gatehouse backends add up --kind openai --base-url http://127.0.0.1:1/v1 --key up",
        true,
    );
    check("gatehouse backends add up --kind openai-compatible --base-url http://h/v1", true);
    check("gatehouse backends add up --preset groq", true);
    check("gatehouse backends add groq", true);
    check("gatehouse backends add up --kind openai", false);
    check("gatehouse backends add up --preset groq --kind openai", false);
    check("gatehouse backends add up --kind mock --base-url http://h", false);
    check("gatehouse backends edit up --key a --no-key", false);
    check(
        "gatehouse backends add up --kind anthropic --base-url https://h --crossing lenient",
        true,
    );
    check("gatehouse backends add up --preset groq --lacks tools,images --offers none", true);
    check("gatehouse backends add up --preset groq --lacks patience", false);
    check("gatehouse backends edit up --kind mock", false);
}

#[test]
fn numbers_have_limits() {
    let check = |line: &str, good: bool| assert_eq!(read(line).is_ok(), good, "{line}");
    check("gatehouse requests --limit 500", true);
    check("gatehouse requests --limit 501", false);
    check("gatehouse requests --limit 0", false);
    check("gatehouse check --timeout 1", true);
    check("gatehouse check --timeout 3600", true);
    check("gatehouse check --timeout 3601", false);
    check("gatehouse check --timeout 0", false);
    check("gatehouse serve --port 65536", false);
}

#[test]
fn json_may_stand_anywhere() {
    for line in ["gatehouse --json status", "gatehouse status --json", "gatehouse keys list --json"]
    {
        assert_eq!(read(line).expect(line).format(), ConsoleFormat::Json);
    }
    assert_eq!(read("gatehouse status").expect("read").format(), ConsoleFormat::Text);
}

#[test]
fn a_purge_says_what_once() {
    let check = |line: &str, good: bool| assert_eq!(read(line).is_ok(), good, "{line}");
    check("gatehouse cache purge --all", true);
    check("gatehouse cache purge --model gpt-4.1", true);
    check("gatehouse cache purge --older-than 600 --json", true);
    check("gatehouse cache purge --key 00ff", true);
    check("gatehouse cache purge", false);
    check("gatehouse cache purge --all --model gpt-4.1", false);
    check("gatehouse cache purge --older-than -1", false);
}

#[test]
fn a_breaker_is_set_for_a_time_or_until_it_is_reset() {
    let check = |line: &str, good: bool| assert_eq!(read(line).is_ok(), good, "{line}");
    check("gatehouse backends force up --to open", true);
    check("gatehouse backends force up --key spare --to closed --minutes 1440", true);
    check("gatehouse backends force up --to monitor-only --until-reset", true);
    check("gatehouse backends force up", false);
    check("gatehouse backends force up --to open --minutes 0", false);
    check("gatehouse backends force up --to open --minutes 1441", false);
    check("gatehouse backends force up --to open --minutes 5 --until-reset", false);
    check("gatehouse backends reset up --key spare", true);
}

#[test]
fn what_people_type_just_works() {
    for line in [
        "gatehouse backend ls",
        "gatehouse keys rm up --yes",
        "gatehouse client new demo",
        "gatehouse route del fast -y",
        "gatehouse key list",
        "gatehouse doctor",
        "gatehouse logs -n 5",
        "gatehouse costs",
        "gatehouse config get port",
        "gatehouse start",
        "gatehouse quit",
        "gatehouse version",
        "gatehouse vault",
        "gatehouse vault set file --move",
    ] {
        assert!(read(line).is_ok(), "{line}: {}", read(line).expect_err(line));
    }
}
