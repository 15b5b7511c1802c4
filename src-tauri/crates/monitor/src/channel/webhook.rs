//! The bodies that webhooks understand.

use alerts::AlertSeverity;
use domain::WebhookFormat;
use serde_json::json;
use url::Url;

/// What is sent where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookCall {
    pub url: Url,
    /// JSON.
    pub body: String,
}

/// The call that tells `title` and `body`; `None` if the address names no topic of ntfy.
#[must_use]
pub fn webhook_call(
    format: WebhookFormat,
    address: &Url,
    (title, body): (&str, &str),
    severity: AlertSeverity,
) -> Option<WebhookCall> {
    match format {
        WebhookFormat::Slack => {
            let text = format!("*{}*\n{}", escape(title), escape(body));
            Some(WebhookCall { url: address.clone(), body: json!({"text": text}).to_string() })
        }
        WebhookFormat::Ntfy => {
            let mut url = address.clone();
            let topic = url.path_segments()?.rfind(|part| !part.is_empty())?.to_owned();
            url.path_segments_mut().ok()?.pop_if_empty().pop().push("");
            let body = json!({
                "topic": topic,
                "title": title,
                "message": body,
                "priority": priority(severity),
                "tags": ["gatehouse"],
            });
            Some(WebhookCall { url, body: body.to_string() })
        }
    }
}

/// The three signs that Slack's markup gives a meaning, as Slack asks for them.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const fn priority(severity: AlertSeverity) -> u8 {
    match severity {
        AlertSeverity::Info => 2,
        AlertSeverity::Low | AlertSeverity::Medium => 3,
        AlertSeverity::High => 4,
        AlertSeverity::Critical => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(format: WebhookFormat, address: &str) -> Option<WebhookCall> {
        let address = Url::parse(address).expect("a URL");
        webhook_call(format, &address, ("<a> & b", "It fails."), AlertSeverity::Critical)
    }

    #[test]
    fn slack_gets_text_in_which_nothing_is_markup() {
        let made = call(WebhookFormat::Slack, "https://hooks.example.com/T/B/X").expect("a call");
        assert_eq!(made.url.as_str(), "https://hooks.example.com/T/B/X");
        assert_eq!(made.body, r#"{"text":"*&lt;a&gt; &amp; b*\nIt fails."}"#);
    }

    #[test]
    fn ntfy_gets_json_at_the_root_with_the_topic_of_the_address() {
        for address in ["https://ntfy.example.com/sub/team", "https://ntfy.example.com/sub/team/"] {
            let made = call(WebhookFormat::Ntfy, address).expect("a call");
            assert_eq!(made.url.as_str(), "https://ntfy.example.com/sub/");
            let body: serde_json::Value = serde_json::from_str(&made.body).expect("JSON");
            assert_eq!((&body["topic"], &body["priority"]), (&json!("team"), &json!(5)));
            assert_eq!(body["title"], "<a> & b");
        }
        assert_eq!(call(WebhookFormat::Ntfy, "https://ntfy.example.com/"), None);
    }
}
