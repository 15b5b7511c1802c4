//! Watches the page for errors, violations of its content security policy, accessibility
//! violations, and the key in any place where a page can hold one.

use std::path::Path;

use serde_json::{Value, json};
use test_support::{MARKED_KEY, leak_encodings};

use super::panel::PanelPage;

/// The operations that only read, with their requests.
fn read_operations() -> [(&'static str, Value); 9] {
    let usage = json!({"range": "last_week", "group_by": "backend", "zone": "local"});
    let all = json!({"backend": null, "client": null, "before": null, "limit": 100});
    [
        ("status", json!({})),
        ("backends", json!({})),
        ("presets", json!({})),
        ("keys", json!({})),
        ("clients", json!({})),
        ("readiness", json!({})),
        ("settings", json!({})),
        ("usage", json!({"req": usage})),
        ("requests", json!({"req": all})),
    ]
}

/// Starts watching the page. Earlier policy violations are reported too.
pub(crate) async fn start_watching(panel: &PanelPage) {
    assert_eq!(panel.wait_for_script(WATCH_SCRIPT, vec![]).await, json!("watching"));
}

/// Fails if the page violated its policy, threw, or logged an error.
pub(crate) async fn assert_no_fault(panel: &PanelPage) {
    let faults = panel.script("return window.__witness.faults", vec![]).await;
    assert_eq!(faults, json!([]), "the page is at fault");
}

/// Fails if the page may load from `place`, or run injected code. The reported violations also
/// prove that others would have been seen; they are cleared here.
pub(crate) async fn assert_policy_holds(panel: &PanelPage, place: &str) {
    assert_no_fault(panel).await;
    let got_through = panel.wait_for_script(BREACH_SCRIPT, vec![json!(place)]).await;
    assert_eq!(got_through, json!([]), "the page's policy let this through");
    let faults = panel.script("return window.__witness.faults.splice(0)", vec![]).await;
    let faults = faults.to_string();
    for directive in ["connect-src", "img-src", "script-src"] {
        assert!(faults.contains(&format!("policy: {directive}")), "{directive}: {faults}");
    }
}

/// Fails if anything in the page contains the marked key.
pub(crate) async fn assert_no_key(panel: &PanelPage) {
    let held = panel.script(HELD_SCRIPT, vec![]).await;
    let answers = held["answers"].as_array().map_or(0, Vec::len);
    assert!(answers > 0, "the answers to the page were not seen");
    assert_clean("what the page holds", &held);
    for (command, request) in read_operations() {
        let answer = panel.invoke_command(command, request).await;
        let answer = answer.unwrap_or_else(|why| panic!("{command} was refused: {why}"));
        assert_clean(command, &answer);
    }
}

/// Fails if axe finds a serious violation on the current screen.
pub(crate) async fn assert_accessible(panel: &PanelPage, screen: &str) {
    let is_there = panel.script("return typeof window.axe === 'object'", vec![]).await;
    if is_there != json!(true) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a root");
        let axe = std::fs::read_to_string(root.join("ui/node_modules/axe-core/axe.min.js"));
        panel.script(&axe.expect("the panel's packages are installed"), vec![]).await;
    }
    let barriers = panel.wait_for_script(AXE_SCRIPT, vec![]).await;
    assert_eq!(barriers, json!([]), "barriers on {screen}");
}

fn assert_clean(what: &str, value: &Value) {
    let text = value.to_string();
    for trace in leak_encodings(MARKED_KEY) {
        let is_in = text.as_bytes().windows(trace.len()).any(|window| window == trace);
        assert!(!is_in, "the key is in {what}");
    }
}

/// Records answers by wrapping `fetch`, which all commands of the page use.
const WATCH_SCRIPT: &str = "
    const done = arguments[arguments.length - 1];
    const witness = { faults: [], answers: [], events: [] };
    Object.defineProperty(window, '__witness', { value: witness });
    const fault = (kind, what) => witness.faults.push(`${kind}: ${what}`);
    window.addEventListener('error', (e) => fault('error', e.message));
    window.addEventListener('unhandledrejection', (e) => fault('rejection', e.reason));
    const say = console.error;
    console.error = (...words) => {
        fault('console', words.join(' '));
        say.apply(console, words);
    };
    const breach = (report) =>
        fault('policy', `${report.effectiveDirective} ${report.blockedURL ?? report.blockedURI}`);
    document.addEventListener('securitypolicyviolation', breach);
    if (typeof ReportingObserver === 'function') {
        const early = new ReportingObserver(() => {}, { types: ['csp-violation'], buffered: true });
        early.observe();
        early.takeRecords().forEach((report) => breach(report.body));
        early.disconnect();
    }
    const plain = window.fetch;
    window.fetch = async (...request) => {
        const answer = await plain(...request);
        witness.answers.push(await answer.clone().text());
        return answer;
    };
    const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
    const handler = transformCallback((event) => witness.events.push(event));
    invoke('plugin:event|listen', { event: 'panel-event', target: { kind: 'Any' }, handler })
        .then(() => done('watching'), (why) => done(why));
";

const HELD_SCRIPT: &str = "
    const fields = [...document.querySelectorAll('input, textarea')].map((field) => field.value);
    return {
        page: document.documentElement.outerHTML,
        fields,
        place: window.location.href,
        past: JSON.stringify(window.history.state),
        local: { ...window.localStorage },
        session: { ...window.sessionStorage },
        cookies: document.cookie,
        resources: performance.getEntriesByType('resource').map((entry) => entry.name),
        answers: window.__witness.answers,
        events: window.__witness.events,
    };
";

/// Tries each way out, and records those that worked.
const BREACH_SCRIPT: &str = "
    const [place, done] = arguments;
    const through = [];
    const tries = [
        fetch(place).then(() => through.push('fetch'), () => {}),
        new Promise((over) => {
            const image = new Image();
            image.onload = () => (through.push('image'), over());
            image.onerror = over;
            image.src = place;
        }),
    ];
    const script = document.createElement('script');
    script.textContent = 'window.__injected = true';
    document.body.append(script);
    script.remove();
    if (window.__injected) through.push('script');
    // The breaches are told after the attempts have failed.
    Promise.all(tries).then(() => setTimeout(() => done(through), 200));
";

/// A moving element is half transparent, so the script waits for three frames without movement:
/// WebKit calls a transition finished by its clock before the frame that draws its end, and never
/// settles the promise of one that another replaced. A violation must persist through three looks;
/// it is reported with axe's measurements. `preload` would read the style sheets once more, which
/// the page's own policy forbids.
const AXE_SCRIPT: &str = "
    const done = arguments[arguments.length - 1];
    const moves = ({ playState, effect }) =>
        playState === 'running' && effect.getComputedTiming().iterations !== Infinity;
    const rest = () => new Promise((still) => {
        let calm = 0;
        const frame = () => {
            calm = document.getAnimations().some(moves) ? 0 : calm + 1;
            if (calm > 2) still();
            else requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
    });
    const told = ({ html, any }) => `${html} (${any.map(({ message }) => message).join(', ')})`;
    const look = async (left) => {
        await rest();
        const { violations } = await window.axe.run(document, {
            resultTypes: ['violations'],
            preload: false,
        });
        const barriers = violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => `${id}: ${nodes.map(told).join(' | ')}`);
        return barriers.length === 0 || left === 0 ? barriers : look(left - 1);
    };
    look(2).then(done, (error) => done([`axe: ${error}`]));
";
