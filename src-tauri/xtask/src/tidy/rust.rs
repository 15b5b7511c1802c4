//! Checks that need a parser for Rust: test ranges, function lengths, type names, files that expose
//! secrets.

use std::ops::RangeInclusive;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::{
    FILE_LINES_MAX, FUNCTION_LINES_MAX, ONE_PIECE_LINES_MAX, TidyFindings, TidyRule, Violation,
    text,
};

/// Files that may expose a secret. The first three handle provider keys: the vault's encryption, the
/// header sent to the provider, and the exchange with the token endpoint that a refresh token is
/// bound to. The next five handle secrets that never leave this machine: the
/// header of a call to our own gateway, a key sent to the engine that owns the data folder, the
/// control token in a file of mode 0600, the local token that `gatehouse token` prints, and the one
/// that `gatehouse run` puts into the environment of the tool it starts. The next five are for the
/// user's own servers: the password of the cache's shared tier, the address of the webhook that gets
/// alerts, the password of the mail server, and those of Redis and PostgreSQL servers that are
/// watched. The last is for the user's own files: a key that is put back where it was, when its
/// removal is undone. A further entry needs a design decision first.
const EXPOSE_ALLOWED: [&str; 15] = [
    "src-tauri/crates/vault/src/envelope.rs",
    "src-tauri/crates/gateway/src/outbound/upstream/key.rs",
    "src-tauri/crates/gateway/src/outbound/access_tokens/token_endpoint.rs",
    "src-tauri/crates/gateway/src/loopback.rs",
    "src-tauri/crates/control/src/request_json.rs",
    "src-tauri/crates/engine/src/process/owner.rs",
    "src-tauri/crates/cli/src/command/token.rs",
    "src-tauri/crates/cli/src/command/run.rs",
    "src-tauri/crates/cache/src/shared/connection.rs",
    "src-tauri/crates/engine/src/alerts/message_channels.rs",
    "src-tauri/crates/monitor/src/channel/mail.rs",
    "src-tauri/crates/service-checks/src/redis.rs",
    "src-tauri/crates/service-checks/src/postgres.rs",
    "src-tauri/crates/wiring/src/plain_copy/restore.rs",
    "src-tauri/crates/key-scan/src/report.rs",
];

/// Checks one file and adds the results to `findings`.
pub(super) fn check(path: &str, source: &str, findings: &mut TidyFindings) {
    let fault = |rule, line, says: String, measure| Violation {
        rule,
        path: path.to_owned(),
        line,
        message: says,
        measure,
    };
    let file = match syn::parse_file(source) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().start().line;
            findings.faults.push(fault(
                TidyRule::Unreadable,
                line,
                format!("does not parse: {error}"),
                1,
            ));
            return;
        }
    };
    if !source.trim_start().starts_with("//!") {
        let says = "begin the file with a `//!` doc that says why it exists".to_owned();
        findings.faults.push(fault(TidyRule::ModuleDoc, 1, says, 1));
    }
    let mut page = ParsedFile::default();
    page.visit_file(&file);
    for (line, says) in page.badly_named {
        findings.faults.push(fault(TidyRule::Name, line, says, 1));
    }
    if is_test_file(path) {
        return;
    }
    if let Some((lines, says)) = check_file_length(source, &page.tests) {
        findings.faults.push(fault(TidyRule::FileLength, 1, says, lines));
    }
    for function in page.functions {
        findings.function_lines.push(function.lines);
        if function.lines > FUNCTION_LINES_MAX {
            let MeasuredFunction { name, lines, line } = function;
            let says =
                format!("`{name}` has {lines} lines; at most {FUNCTION_LINES_MAX} fit a screen");
            findings.faults.push(fault(TidyRule::FunctionLength, line, says, lines));
        }
    }
    if !EXPOSE_ALLOWED.contains(&path) {
        findings.faults.extend(page.exposes.into_iter().map(|line| {
            let says = format!("only these open a secret: {}", EXPOSE_ALLOWED.join(", "));
            fault(TidyRule::Expose, line, says, 1)
        }));
    }
}

/// True for files that contain only tests. Their lengths are not limited: a table of cases may be
/// long.
fn is_test_file(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| folder == "tests")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
}

fn check_file_length(source: &str, tests: &[RangeInclusive<usize>]) -> Option<(usize, String)> {
    let lines = source
        .lines()
        .enumerate()
        .filter(|(index, line)| {
            let line = line.trim();
            !line.is_empty()
                && !line.starts_with("//")
                && !tests.iter().any(|range| range.contains(&(index + 1)))
        })
        .count();
    let one_piece = source.lines().any(|line| line.starts_with("//! One piece:"));
    let limit = if one_piece { ONE_PIECE_LINES_MAX } else { FILE_LINES_MAX };
    (lines > limit).then(|| {
        let advice = if one_piece {
            "split it"
        } else {
            "split it, or say why not in a doc line that begins `One piece:`"
        };
        (lines, format!("{lines} lines of code, at most {limit} are allowed; {advice}"))
    })
}

struct MeasuredFunction {
    name: String,
    line: usize,
    lines: usize,
}

/// The parsed items outside tests, and the line ranges of tests.
#[derive(Default)]
struct ParsedFile {
    functions: Vec<MeasuredFunction>,
    badly_named: Vec<(usize, String)>,
    exposes: Vec<usize>,
    tests: Vec<RangeInclusive<usize>>,
}

impl ParsedFile {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let line = signature.span().start().line;
        let lines = body.span().end().line - line + 1;
        self.functions.push(MeasuredFunction { name: signature.ident.to_string(), line, lines });
    }

    fn type_name(&mut self, name: &Ident) {
        if let Some(word) = text::banned_word(&name.to_string()) {
            let says = format!("`{name}` says \"{word}\", which names nothing; name what it is");
            self.badly_named.push((name.span().start().line, says));
        }
    }
}

impl<'ast> Visit<'ast> for ParsedFile {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if attributes(item).iter().any(is_for_tests) {
            self.tests.push(item.span().start().line..=item.span().end().line);
            return;
        }
        match item {
            syn::Item::Struct(item) => self.type_name(&item.ident),
            syn::Item::Enum(item) => self.type_name(&item.ident),
            syn::Item::Union(item) => self.type_name(&item.ident),
            syn::Item::Trait(item) => self.type_name(&item.ident),
            syn::Item::Type(item) => self.type_name(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.attrs.iter().any(is_for_tests) {
            self.tests.push(item.span().start().line..=item.span().end().line);
            return;
        }
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "expose" {
            self.exposes.push(call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }

    /// The parser leaves the arguments of `format!(…)` and similar macros as tokens.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit_identifiers(call.tokens.clone(), &mut |word| {
            if word == "expose" {
                self.exposes.push(word.span().start().line);
            }
        });
        visit::visit_macro(self, call);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        let last = path.path.segments.last().filter(|_| path.path.segments.len() > 1);
        if last.is_some_and(|segment| segment.ident == "expose") {
            self.exposes.push(path.span().start().line);
        }
        visit::visit_expr_path(self, path);
    }
}

/// Calls `seen` for every identifier in a macro's tokens, nested groups included.
fn visit_identifiers(tokens: TokenStream, seen: &mut dyn FnMut(&Ident)) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => visit_identifiers(group.stream(), seen),
            TokenTree::Ident(word) => seen(&word),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// True for `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`; not for
/// `#[cfg(not(test))]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    if attribute.path().segments.last().is_some_and(|segment| segment.ident == "test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string();
    attribute.path().is_ident("cfg")
        && !condition.contains("not")
        && condition.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
}
