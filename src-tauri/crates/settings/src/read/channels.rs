//! Checks what the channels of alerts need before they can be switched on.

use domain::MailEncryption;

use crate::MailSettings;
use crate::finding::Findings;
use crate::model::MAIL_TEXT_CHARS_MAX;
use crate::section_reader::SectionReader;

pub(super) fn check_mail(section: &SectionReader, mail: &MailSettings, findings: &mut Findings) {
    let texts =
        [("server", &mail.server), ("user", &mail.user), ("from", &mail.from), ("to", &mail.to)];
    for (name, text) in texts {
        if text.chars().count() > MAIL_TEXT_CHARS_MAX || text.chars().any(char::is_control) {
            let what = format!("this has more than {MAIL_TEXT_CHARS_MAX} characters or a line end");
            section.report_error(name, what, "write it shorter, in one line", None, findings);
        }
    }
    if !mail.enabled {
        return;
    }
    let is_host = |text: &str| url::Host::parse(text).is_ok();
    if !is_host(&mail.server) {
        let hint = "write the name alone, such as server = \"smtp.example.com\"";
        section.report_error("server", "this is no host name", hint, None, findings);
    } else if mail.encryption == MailEncryption::None && !mail.is_this_machine() {
        let what = "alerts and the password would cross the network unencrypted";
        let hint = "use starttls or tls; none is for a server on this machine";
        section.report_error("encryption", what, hint, None, findings);
    }
    for (name, address) in [("from", &mail.from), ("to", &mail.to)] {
        if !is_address(address) {
            let hint = format!("write one, such as {name} = \"you@example.com\"");
            section.report_error(name, "this is no mail address", hint, None, findings);
        }
    }
}

/// One address without a name. The server judges the rest.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, host)| {
        let is_plain = |letter: char| !letter.is_whitespace() && !"<>,;\"".contains(letter);
        !user.is_empty() && !host.is_empty() && !host.contains('@') && text.chars().all(is_plain)
    })
}
