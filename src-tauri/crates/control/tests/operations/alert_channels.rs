//! Channels of alerts through the API, with a real HTTP receiver: sent once, over a restart too, its
//! failures shown, tests and digests.

use std::sync::Arc;

use control::view::*;
use control::{Core, EngineConfig, ErrorCode};
use domain::{Clock, Moment, NanoUsd, Secret, SystemClock, WallTime};
use ledger::Settlement;
use pricing::Cost;
use settings::Settings;
use test_support::{MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream};

use crate::alerts::wait_for;
use crate::world::{World, new_home, world};

/// The system's clock, twenty times as fast: what waits half a minute before it is sent is due after
/// a second and a half.
struct FastClock(SystemClock);

const SPEED: u64 = 20;

impl Clock for FastClock {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.now().as_micros() * SPEED)
    }

    fn wall(&self) -> WallTime {
        self.0.wall()
    }
}

async fn fast_world() -> World {
    let fast = |config: &mut EngineConfig| config.clock = Arc::new(FastClock(SystemClock::new()));
    World::open(new_home(), fast).await.serving().await
}

async fn edit(world: &World, change: impl Fn(&mut Settings) + Send + Sync + 'static) {
    world.engine().settings_editor().edit(move |draft| change(draft)).await.expect("edited");
}

/// Stores the address of `receiver` and switches the webhook on.
async fn switch_on(world: &World, receiver: &ScriptedUpstream) {
    store(&world.core, &format!("{}/hooks/{MARKED_KEY}", receiver.base_url()))
        .await
        .expect("stored");
    edit(world, |draft| {
        draft.webhook.enabled = true;
        draft.webhook.severity = AlertSeverity::Medium;
    })
    .await;
}

async fn store(core: &Core, address: &str) -> Result<AlertChannelView, control::ApiError> {
    let secret = Secret::parse(address.to_owned()).expect("a secret");
    let wanted = AlertChannelSecret { channel: AlertChannel::Webhook, secret };
    control::alert_channel_secret(core, wanted).await
}

async fn webhook(core: &Core) -> AlertChannelView {
    let all = control::alert_channels(core).await.expect("channels");
    all.into_iter().find(|it| it.channel == AlertChannel::Webhook).expect("there")
}

/// Spends more than 80 % of a budget, which is of medium severity.
async fn overspend(world: &World) {
    let cost = Cost::Reported(NanoUsd::new(2_000_000_000));
    world.settle(Settlement { cost, ..world.answered("editor") }).await;
    let budget: BudgetSet = serde_json::from_value(serde_json::json!({
        "id": "monthly", "limit_usd": "2.40", "period": "month", "marks": [50, 80],
        "forecast": false,
    }))
    .expect("a budget");
    control::budget_set(&world.core, budget).await.expect("set");
}

fn accepted() -> Reply {
    Reply::json(200, &serde_json::json!({}))
}

fn texts(receiver: &ScriptedUpstream) -> Vec<String> {
    let text = |it: &ReceivedRequest| it.json()["text"].as_str().expect("text").to_owned();
    receiver.requests().iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_sent_once_to_the_stored_address_and_not_again_after_a_restart() {
    let receiver = ScriptedUpstream::start(vec![accepted(), accepted()]).await.expect("started");
    let world = fast_world().await;
    switch_on(&world, &receiver).await;
    overspend(&world).await;
    wait_for("the message", async || receiver.requests().into_iter().next()).await;
    let working = async || Some(webhook(&world.core).await).filter(|it| it.last_sent_at.is_some());
    let view = wait_for("the end of the call", working).await;
    assert_eq!((view.state, view.waiting), (AlertChannelState::Working, 0));
    let request = receiver.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", &*format!("/v1/hooks/{MARKED_KEY}"))
    );
    let sent = texts(&receiver);
    assert!(sent[0].starts_with("*Budget monthly: 80 % used*\n"), "{sent:?}");
    assert!(!sent[0].contains(MARKED_KEY));

    let home = world.stop().await;
    let world = World::open(home, |_| {}).await.serving().await;
    let again = control::alert_channel_test(
        &world.core,
        AlertChannelRef { channel: AlertChannel::Webhook },
    );
    // The vault of this test is memory, so the address is gone: the test fails, and is told.
    let failed = again.await.expect("told");
    assert!(failed.test_failure.expect("a reason").contains("no address is stored"));
    assert_eq!(receiver.requests().len(), 1, "nothing is sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_an_alert_of_its_own_in_the_inbox_and_a_redirect_is_not_followed() {
    let elsewhere = ScriptedUpstream::start(vec![accepted()]).await.expect("started");
    let redirect =
        accepted().status(302).header("location", &format!("{}/x", elsewhere.base_url()));
    let receiver = ScriptedUpstream::start(vec![redirect]).await.expect("started");
    let world = fast_world().await;
    switch_on(&world, &receiver).await;
    overspend(&world).await;
    let failing = async || {
        Some(webhook(&world.core).await).filter(|it| it.state == AlertChannelState::Failing)
    };
    let view = wait_for("the failure", failing).await;
    assert_eq!(view.detail, "It answered with status 302; redirects are not followed.");
    assert_eq!(elsewhere.requests().len(), 0);
    let in_inbox = async || {
        // A second of the fast clock would be taken for sleep, after which no alert begins.
        let _no_pause = world.engine().endpoint_registry().tick();
        let query = InboxQuery { before: None, unread_only: false, limit: 20 };
        let page = control::inbox(&world.core, query).await.expect("an inbox");
        page.entries.into_iter().find(|it| it.rule == AlertRule::ChannelFault)
    };
    let entry = wait_for("the entry", in_inbox).await;
    assert_eq!(entry.title, "The webhook cannot deliver alerts");
    assert!(!entry.detail.contains(MARKED_KEY), "{}", entry.detail);
    edit(&world, |draft| draft.webhook.enabled = false).await;
    let ended = async || in_inbox().await.filter(|it| it.ended_at.is_some());
    wait_for("its end", ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_at_once_and_its_answer_kept() {
    let receiver = ScriptedUpstream::start(vec![accepted()]).await.expect("started");
    let world = world().await;
    let channel = AlertChannel::Webhook;
    let answer = AlertTestAnswer { channel, is_seen: true };
    let early = control::alert_test_answer(&world.core, answer).await.expect_err("no test yet");
    assert_eq!(early.code, ErrorCode::NotFound);
    store(&world.core, &receiver.base_url()).await.expect("stored");
    let tested =
        control::alert_channel_test(&world.core, AlertChannelRef { channel }).await.expect("told");
    assert_eq!((tested.test_failure, tested.test_seen), (None, None));
    assert!(texts(&receiver)[0].starts_with("*Test of alerts*"));
    let noted = control::alert_test_answer(&world.core, answer).await.expect("noted");
    assert_eq!(noted.test_seen, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_neither_encrypted_nor_here_is_refused_without_being_repeated() {
    let world = world().await;
    for address in [
        &format!("http://hooks.example.com/{MARKED_KEY}"),
        &format!("http://192.168.1.7/{MARKED_KEY}"),
        &format!("ftp://127.0.0.1/{MARKED_KEY}"),
        &format!("https://169.254.169.254/{MARKED_KEY}"),
        &format!("https://jo:{MARKED_KEY}@hooks.example.com/x"),
        MARKED_KEY,
    ] {
        let error = store(&world.core, address).await.expect_err("refused");
        assert_eq!(error.field.as_deref(), Some("secret"));
        assert!(!format!("{error:?}").contains(MARKED_KEY), "{error:?}");
    }
    assert!(!webhook(&world.core).await.has_secret);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_on_with_nothing_to_send_with_is_an_alert() {
    let world = world().await;
    edit(&world, |draft| draft.webhook.enabled = true).await;
    let fired = async || {
        let all = control::alerts(&world.core).await.expect("alerts").alerts;
        all.into_iter().find(|it| it.rule == AlertRule::ChannelFault && it.number.is_some())
    };
    wait_for("the alert", fired).await;
    assert_eq!(webhook(&world.core).await.state, AlertChannelState::NotSetUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_a_mail_server_needs_the_server_first() {
    let world = world().await;
    let secret = || Secret::parse(MARKED_KEY.to_owned()).expect("a secret");
    let wanted = || AlertChannelSecret { channel: AlertChannel::Mail, secret: secret() };
    let error = control::alert_channel_secret(&world.core, wanted()).await.expect_err("no server");
    assert_eq!(error.field.as_deref(), Some("channel"));
    edit(&world, |draft| draft.mail.server = "mail.example.com".to_owned()).await;
    let view = control::alert_channel_secret(&world.core, wanted()).await.expect("stored");
    assert_eq!(view.host.as_deref(), Some("mail.example.com:587"));
    let keys = control::keys(&world.core).await.expect("keys");
    let key = keys.iter().find(|key| key.id == "alerts-mail").expect("listed");
    assert_eq!(
        (key.tail.as_deref(), key.origin.as_deref()),
        (None, Some("https://mail.example.com:587"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desktop_says_what_shows_notifications_and_what_that_can_do() {
    let world = world().await;
    let all = control::alert_channels(&world.core).await.expect("channels");
    let service =
        |channel| all.iter().find(|it| it.channel == channel).expect("there").service.clone();
    assert!(service(AlertChannel::Webhook).is_none() && service(AlertChannel::Mail).is_none());
    let found = service(AlertChannel::Desktop).expect("there is one");
    assert_eq!((found.name.as_deref(), found.problem), (Some("dunst 1.9.0"), None));
    let missing: Vec<_> = found.abilities.iter().filter(|it| !it.is_there).collect();
    let [sound] = missing.as_slice() else { panic!("{missing:?}") };
    assert_eq!(
        (sound.ability, sound.detail.as_str()),
        (DesktopAbility::Sound, "Alerts make no sound.")
    );
    world.core.stop().await;
}
