//! A table of addresses: each row is a known way around the rules.

use super::*;

const PORT: u16 = 4_283;

fn verdict(text: &str) -> String {
    match parse_base_url(text, PORT) {
        Ok(BaseUrl { warning: None, .. }) => "ok".to_owned(),
        Ok(BaseUrl { warning: Some(BaseUrlWarning::Unencrypted), .. }) => "caution".to_owned(),
        Ok(BaseUrl { warning: Some(BaseUrlWarning::Endpoint(_)), .. }) => "endpoint".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn every_spelling_of_an_address_gets_the_verdict_of_the_address() {
    let table = [
        // Public hosts.
        ("https://api.openai.com/v1", "ok"),
        ("https://API.OpenAI.com:443/v1/", "ok"),
        ("https://8.8.8.8", "ok"),
        ("http://api.openai.com/v1", "Unencrypted"),
        ("http://8.8.8.8", "Unencrypted"),
        ("http://134744072", "Unencrypted"),
        ("http://10.0.0.1.nip.io", "Unencrypted"),
        ("http://localhost.evil.test", "Unencrypted"),
        ("http://[2606:4700::1111]", "Unencrypted"),
        ("https://api.openai.com/v1/chat/completions", "endpoint"),
        ("https://api.anthropic.com/v1/messages", "endpoint"),
        ("http://127.0.0.1:11434/api/chat", "endpoint"),
        ("https://api.test/v1beta/models/gemini-2.5-pro:generateContent", "endpoint"),
        ("https://api.test/v1/models", "endpoint"),
        ("https://res.services.ai.azure.com/models", "ok"),
        // Loopback.
        ("http://localhost:11434/v1", "ok"),
        ("http://ollama.localhost:11434/v1", "ok"),
        ("http://127.0.0.1:8080", "ok"),
        ("http://127.9.9.9:8080", "ok"),
        ("http://2130706433:8080", "ok"),
        ("http://0x7f.1:8080", "ok"),
        ("http://0177.0.0.1:8080", "ok"),
        ("http://[::1]:8080", "ok"),
        ("http://[::ffff:127.0.0.1]:8080", "ok"),
        // The gateway itself.
        ("http://127.0.0.1:4283/v1", "OwnGateway"),
        ("http://localhost:4283", "OwnGateway"),
        ("http://localhost.:4283", "OwnGateway"),
        ("http://LOCALHOST:04283", "OwnGateway"),
        ("https://[::1]:4283", "OwnGateway"),
        ("http://[::ffff:7f00:1]:4283", "OwnGateway"),
        ("http://2130706433:4283", "OwnGateway"),
        ("http://017700000001:4283", "OwnGateway"),
        ("http://192.168.1.7:4283", "caution"),
        // Private networks.
        ("http://10.1.2.3/v1", "caution"),
        ("http://172.16.0.1", "caution"),
        ("http://172.32.0.1", "Unencrypted"),
        ("http://192.168.0.10:1234/v1", "caution"),
        ("http://0xc0a80001", "caution"),
        ("http://100.64.0.1", "caution"),
        ("http://100.128.0.1", "Unencrypted"),
        ("http://[fd12:3456::1]", "caution"),
        ("http://[::ffff:10.0.0.1]", "caution"),
        ("https://192.168.0.10", "ok"),
        // Link-local and metadata.
        ("http://169.254.169.254/latest", "Forbidden"),
        ("https://169.254.0.1", "Forbidden"),
        ("http://2852039166", "Forbidden"),
        ("http://0xa9fea9fe", "Forbidden"),
        ("http://0251.0376.0251.0376", "Forbidden"),
        ("http://0xa9.254.43518", "Forbidden"),
        ("http://[::ffff:169.254.169.254]", "Forbidden"),
        ("http://[::ffff:a9fe:a9fe]", "Forbidden"),
        ("http://[::169.254.169.254]", "Forbidden"),
        ("http://[64:ff9b::a9fe:a9fe]", "Forbidden"),
        ("http://[2002:a9fe:a9fe::1]", "Forbidden"),
        ("http://[fe80::1]", "Forbidden"),
        ("http://[febf::1]", "Forbidden"),
        ("http://[fd00:ec2::254]", "Forbidden"),
        ("http://[fd00:0ec2:0:0:0:0:0:254]", "Forbidden"),
        ("https://metadata.google.internal/v1", "Forbidden"),
        ("https://METADATA.google.internal./v1", "Forbidden"),
        ("https://metadata", "Forbidden"),
        ("https://100.100.100.200", "Forbidden"),
        // No host at all.
        ("http://0", "Forbidden"),
        ("http://0.0.0.0:4283", "Forbidden"),
        ("http://[::]:4283", "Forbidden"),
        ("https://224.0.0.1", "Forbidden"),
        ("https://255.255.255.255", "Forbidden"),
        ("https://[ff02::1]", "Forbidden"),
        // Not base URLs.
        ("https://user:pass@api.openai.com", "Userinfo"),
        ("https://api.openai.com@evil.test", "Userinfo"),
        ("https://api.openai.com/v1?key=x", "QueryOrFragment"),
        ("https://api.openai.com/v1#x", "QueryOrFragment"),
        ("file:///etc/passwd", "Scheme"),
        ("ftp://127.0.0.1", "Scheme"),
        ("localhost:11434", "Scheme"),
        ("api.openai.com/v1", "NotAUrl"),
        ("https://", "NotAUrl"),
        ("http://256.1.1.1", "NotAUrl"),
        ("", "NotAUrl"),
    ];
    let wrong: Vec<String> = table
        .iter()
        .filter(|(text, expected)| verdict(text) != *expected)
        .map(|(text, expected)| format!("{text}: {}, not {expected}", verdict(text)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(table.len() >= 40);
}

#[test]
fn a_correction_is_offered_only_where_it_is_certain() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(correct_base_url(text, PORT).as_deref(), expected, "{text}");
    };
    check("api.openai.com/v1", Some("https://api.openai.com/v1"));
    check("localhost:11434/v1", Some("http://localhost:11434/v1"));
    check("127.0.0.1:11434", Some("http://127.0.0.1:11434"));
    check("http://api.openai.com/v1", Some("https://api.openai.com/v1"));
    check("https://api.openai.com/v1#x", Some("https://api.openai.com/v1"));
    check("https://api.openai.com/v1/chat/completions", Some("https://api.openai.com/v1"));
    check("https://api.anthropic.com/v1/messages/", Some("https://api.anthropic.com/v1"));
    check("https://api.test/v1beta/models/g:countTokens", Some("https://api.test/v1beta"));
    check("https://api.openai.com/v1", None);
    check("localhost:4283", None);
    check("https://user:pass@api.openai.com", None);
    check("https://169.254.169.254", None);
    check("", None);
}

#[test]
fn a_version_may_be_typed_or_left_out_and_nothing_is_doubled() {
    use BackendKind::{Anthropic, Gemini, Mock, Ollama, OpenAi, OpenAiCompatible};
    let table = [
        (OpenAi, "https://api.openai.com", "https://api.openai.com/v1"),
        (OpenAi, "https://api.openai.com/v1", "https://api.openai.com/v1"),
        (OpenAi, "https://api.openai.com/v1/", "https://api.openai.com/v1"),
        (OpenAi, "https://api.openai.com/v1/responses", "https://api.openai.com/v1"),
        (OpenAi, "https://api.openai.com/v1/models", "https://api.openai.com/v1"),
        (OpenAi, "https://proxy.test/openai", "https://proxy.test/openai/v1"),
        (OpenAi, "https://proxy.test/openai/v2", "https://proxy.test/openai/v2"),
        (Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/"),
        (Anthropic, "https://api.anthropic.com/v1", "https://api.anthropic.com/"),
        (Anthropic, "https://api.anthropic.com/v1//", "https://api.anthropic.com/"),
        (Anthropic, "https://api.anthropic.com/v1/messages", "https://api.anthropic.com/"),
        (
            Anthropic,
            "https://api.anthropic.com/v1/messages/count_tokens",
            "https://api.anthropic.com/",
        ),
        (Anthropic, "https://api.test/anthropic", "https://api.test/anthropic"),
        (Anthropic, "https://api.test/anthropic/v1", "https://api.test/anthropic"),
        (Anthropic, "https://api.test/xv1", "https://api.test/xv1"),
        (Gemini, "https://google.test", "https://google.test/"),
        (Gemini, "https://google.test/v1", "https://google.test/"),
        (Gemini, "https://google.test/v1beta/", "https://google.test/"),
        (Gemini, "https://google.test/v1beta/openai", "https://google.test/"),
        (Gemini, "https://google.test/v1beta/models", "https://google.test/"),
        (Gemini, "https://google.test/v1/models/g:streamGenerateContent", "https://google.test/"),
        (Ollama, "http://127.0.0.1:11434", "http://127.0.0.1:11434/"),
        (Ollama, "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/"),
        (Ollama, "http://127.0.0.1:11434/api", "http://127.0.0.1:11434/"),
        (Ollama, "http://127.0.0.1:11434/api/chat", "http://127.0.0.1:11434/"),
        (Ollama, "http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/"),
        (Ollama, "http://box.localhost/ollama/api", "http://box.localhost/ollama"),
        (OpenAiCompatible, "https://api.perplexity.ai", "https://api.perplexity.ai/"),
        (OpenAiCompatible, "https://api.test/v1/", "https://api.test/v1"),
        (OpenAiCompatible, "https://api.test/paas/v4", "https://api.test/paas/v4"),
        (OpenAiCompatible, "https://api.test/v1/chat/completions", "https://api.test/v1"),
        (OpenAiCompatible, "https://api.test/v1/models/", "https://api.test/v1"),
        (OpenAiCompatible, "https://api.test/models", "https://api.test/models"),
        (Mock, "http://mock.localhost/v1", "http://mock.localhost/v1"),
    ];
    for (kind, typed, expected) in table {
        let root = api_root(kind, &typed.parse().expect("a URL"));
        assert_eq!(root.as_str(), expected, "{kind} at {typed}");
        assert_eq!(api_root(kind, &root), root, "{kind} at {typed}, once more");
    }
}
