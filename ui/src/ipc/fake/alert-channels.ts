/** The fake core's channels of alerts: the webhook is set up, and fails in the failing world; mail is not. */
import type { AlertChannel, AlertChannelView, DesktopAbilityView, DesktopServiceView } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { MINUTE_MS } from "@/lib/time";

type ChannelOperation = "alertChannels" | "alertChannelSecret" | "alertChannelTest" | "alertTestAnswer";

const ABILITIES: [DesktopAbilityView["ability"], boolean, string][] = [
  ["text", true, "The sentence below the title is shown."],
  ["actions", true, "A click opens the right page; buttons work."],
  ["replace", true, "An update replaces the notification, which closes when the alert is resolved."],
  ["sound", false, "Alerts make no sound."],
  ["persistence", true, "Notifications are kept until you close them."],
];

const SERVICE: DesktopServiceView = {
  name: "GNOME Shell 48.2",
  problem: null,
  abilities: ABILITIES.map(([ability, is_there, detail]) => ({ ability, is_there, detail })),
};

function channelsOf({ scenario, clients }: Doing["world"], now: number): AlertChannelView[] {
  const none = {
    from_severity: "high",
    waiting: 0,
    last_sent_at: null,
    failing_since: null,
    tested_at: null,
    test_failure: null,
    test_seen: null,
    service: null,
  } as const;
  const isUsed = clients.length > 0;
  const fails = scenario === "failing";
  return [
    {
      ...none,
      channel: "desktop",
      state: "untried",
      detail: "Nothing was sent yet. Send a test.",
      host: null,
      has_secret: true,
      from_severity: "medium",
      service: SERVICE,
    },
    {
      ...none,
      channel: "webhook",
      state: !isUsed ? "off" : fails ? "failing" : "working",
      detail: !isUsed ? "Nothing is sent." : fails ? "It answered with status 503." : "The last message was sent.",
      host: isUsed ? "https://hooks.example.com:443" : null,
      has_secret: isUsed,
      waiting: fails ? 1 : 0,
      last_sent_at: isUsed ? now - 47 * MINUTE_MS : null,
      failing_since: fails ? now - 6 * MINUTE_MS : null,
    },
    { ...none, channel: "mail", state: "off", detail: "Nothing is sent.", host: null, has_secret: false },
  ];
}

export function fakeAlertChannels({ world, now, answer, changed }: Doing): Pick<Host, ChannelOperation> {
  const all = channelsOf(world, now());
  const find = (name: AlertChannel) =>
    all.find(({ channel }) => channel === name) ?? raise(fault("not_found", `there is no channel ${name}`, null));
  return {
    alertChannels: () => answer(() => all.map((one) => ({ ...one }))),
    alertChannelSecret: ({ channel, secret }) =>
      answer(() => {
        if (channel === "webhook" && !secret.startsWith("https://"))
          throw fault(
            "invalid_input",
            "a webhook must begin with https:// (or http:// on this machine)",
            null,
            "secret",
          );
        if (channel === "mail") throw fault("invalid_input", "name the mail server first", null, "channel");
        const changes = { has_secret: true, host: new URL(secret).origin };
        changed("alerts", "keys", "settings");
        return { ...Object.assign(find(channel), changes) };
      }),
    alertChannelTest: ({ channel }) =>
      answer(() => {
        const found = find(channel);
        const failure = found.has_secret ? null : "no address is stored; run `gatehouse alerts secret webhook`";
        Object.assign(found, { tested_at: now(), test_failure: failure, test_seen: null });
        if (failure === null) Object.assign(found, { last_sent_at: now() });
        changed("alerts");
        return { ...found };
      }),
    alertTestAnswer: ({ channel, is_seen: isSeen }) =>
      answer(() => {
        changed("alerts");
        return { ...Object.assign(find(channel), { test_seen: isSeen }) };
      }),
  };
}
