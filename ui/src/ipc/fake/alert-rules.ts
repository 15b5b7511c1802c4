/** The rules of alerts, as `alerts/src/rule/rows.rs` and the settings have them. */
import type { AlertRuleNumberView, AlertRuleSeverityView, AlertRuleView, AlertSeverity } from "@/ipc/bindings";
import { LOCAL_RULES } from "@/ipc/fake/local-rules";

export type RuleRow = Omit<AlertRuleView, "fired_last_week" | "last_fired_at" | "noise">;

function number(value: number, [min, max]: [number, number], unit: string, meaning: string): AlertRuleNumberView {
  return { value, default: value, min, max, unit, meaning };
}

function hold(secs: number): AlertRuleNumberView {
  return number(secs, [0, 604_800], "s", "How long it must hold before an alert fires.");
}

function severity(word: AlertSeverity): AlertRuleSeverityView {
  return { value: word, default: word };
}

const NO_NUMBERS = { threshold: null, minimum: null, severity: null };

export const ALERT_RULES: RuleRow[] = [
  {
    ...NO_NUMBERS,
    rule: "backend-down",
    group: "backends",
    title: "Backend down",
    condition:
      "Fires when a backend failed three times in a row. Ends when it answers again, for 2 minutes. Critical if something that clients ask for has no other backend, medium otherwise.",
    delivery: "notification",
    hold: hold(0),
    keep_secs: 120,
  },
  {
    ...NO_NUMBERS,
    rule: "breaker-open",
    group: "backends",
    title: "Backend failing",
    condition:
      "Fires when the gateway sends a backend no requests, because too many of them failed, for 2 minutes. Ends when it gets requests again, for 1 minute. High if something that clients ask for has no other backend, low otherwise.",
    delivery: "notification",
    hold: hold(120),
    keep_secs: 60,
  },
  {
    ...NO_NUMBERS,
    rule: "route-dead",
    group: "backends",
    title: "Route without a backend",
    condition:
      "Fires when no backend of a route can answer, and none of them has an alert of its own, for 10 seconds. Ends when one can answer, for 1 minute. Critical.",
    delivery: "notification",
    hold: hold(10),
    keep_secs: 60,
  },
  {
    ...NO_NUMBERS,
    rule: "budget-mark",
    group: "money",
    title: "Budget mark reached",
    condition:
      "Fires when a budget reached one of its marks. Ends when its period is over or its limit is raised. Low below 80 %, medium from 80 %, high from 100 %, critical when requests are refused.",
    delivery: "notification",
    hold: hold(0),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "budget-forecast",
    group: "money",
    title: "Budget will be used up early",
    condition:
      "Fires when a budget is used up before its period ends, at this pace, for 30 minutes. Ends when the pace is slow enough again, for 6 hours. Medium.",
    delivery: "notification",
    hold: hold(1800),
    severity: severity("medium"),
    keep_secs: 21600,
  },
  {
    ...NO_NUMBERS,
    rule: "gateway-fault",
    group: "local-app",
    title: "Gateway fault",
    condition:
      "Fires when the gateway cannot open its port, or answers no request of its own twice in a row. Ends when it answers. Critical.",
    delivery: "notification",
    hold: hold(0),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "ledger-fault",
    group: "local-app",
    title: "Ledger fault",
    condition:
      "Fires when the ledger is behind, cannot be written, lacks records or could not be backed up. Ends when it works again, for 10 minutes. Critical if records are missing or requests are refused, medium otherwise.",
    delivery: "notification",
    hold: hold(0),
    keep_secs: 600,
  },
  {
    ...NO_NUMBERS,
    rule: "key-blocked",
    group: "keys",
    title: "Key rejected",
    condition:
      "Fires when a key in use was rejected or is missing, has no credit left or no permission, or reached its spend limit. Ends when it is accepted, its block is lifted or it is no longer in use. Critical if something that clients ask for has no other backend, high otherwise.",
    delivery: "notification",
    hold: hold(0),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "burn-fast",
    group: "backends",
    title: "Many requests fail",
    condition:
      "Fires when the failures that an objective allows are used up within days, at the rate of at least 20 requests and 5 failures, for 2 minutes. Ends when few enough fail, for 5 minutes. High.",
    delivery: "notification",
    hold: hold(120),
    severity: severity("high"),
    keep_secs: 300,
  },
  {
    ...NO_NUMBERS,
    rule: "burn-slow",
    group: "backends",
    title: "Requests fail steadily",
    condition:
      "Fires when the failures that an objective allows are used up before its period ends, at the rate of at least 20 requests and 5 failures, for 15 minutes. Ends when few enough fail, for 30 minutes. Medium.",
    delivery: "inbox",
    hold: hold(900),
    severity: severity("medium"),
    keep_secs: 1800,
  },
  {
    ...NO_NUMBERS,
    rule: "channel-fault",
    group: "local-app",
    title: "Alerts not sent",
    condition:
      "Fires when a webhook or a mail could not be sent. Ends when one was sent or its channel is switched off. Medium.",
    delivery: "notification",
    hold: hold(0),
    severity: severity("medium"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "digest",
    group: "local-app",
    title: "Digest",
    condition:
      "Fires when a day or a week of alerts, requests and cost is summed up. Ends when it is in the inbox. Info. It is also a mail if mail is switched on.",
    delivery: "notification",
    hold: null,
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "error-rate",
    group: "backends",
    title: "Requests to a backend fail",
    condition:
      "Fires when 1 % or more of at least 20 requests to a backend failed in half an hour, and five of them or more, for 5 minutes. Ends when fewer fail, for 5 minutes. Medium from 10 %, low below.",
    delivery: "notification",
    hold: hold(300),
    threshold: number(1, [1, 100], "%", "Share of failed requests to a backend in half an hour."),
    minimum: number(20, [5, 10000], "requests", "Fewer requests say nothing."),
    keep_secs: 300,
  },
  {
    ...NO_NUMBERS,
    rule: "slow-answers",
    group: "backends",
    title: "Slow answers",
    condition:
      "Fires when the slowest answers (95th percentile of the first token) of at least 10 requests in an hour took 200 % or more of the time that they took in the week before, and a second longer, for 5 minutes. Ends when they are faster, for 5 minutes. Low.",
    delivery: "inbox",
    hold: hold(300),
    threshold: number(
      200,
      [110, 10000],
      "%",
      "The 95th percentile of the first token as a share of that of the week before.",
    ),
    minimum: number(10, [5, 10000], "requests", "Fewer requests in an hour say nothing."),
    severity: severity("low"),
    keep_secs: 300,
  },
  {
    ...NO_NUMBERS,
    rule: "spend-anomaly",
    group: "money",
    title: "Unusual cost",
    condition:
      "Fires when this hour or the previous one costs at least 150 % of the usual amount and at least $1 more, and stands out from the last four weeks, for 5 minutes. Ends when an hour is as usual, for 30 minutes. High.",
    delivery: "notification",
    hold: hold(300),
    threshold: number(150, [110, 10000], "%", "Cost of an hour as a share of what it usually is."),
    severity: severity("high"),
    keep_secs: 1800,
  },
  {
    ...NO_NUMBERS,
    rule: "unpriced-model",
    group: "money",
    title: "Unknown cost",
    condition:
      "Fires when the cost of 1 or more requests of the last 24 hours is not known. Ends when the cost of fewer is unknown. Low.",
    delivery: "inbox",
    hold: hold(0),
    threshold: number(1, [1, 1000000], "requests", "Requests of unknown cost in 24 hours."),
    severity: severity("low"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "bill-drift",
    group: "money",
    title: "Bill differs",
    condition:
      "Fires when a provider billed 2 % or more and at least $1 above or below what was computed for the last week. Ends when both agree. Low.",
    delivery: "inbox",
    hold: hold(0),
    threshold: number(2, [1, 100], "%", "Difference between a bill and what was computed."),
    severity: severity("low"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "cache-hits",
    group: "local-app",
    title: "Few cache hits",
    condition:
      "Fires when less than 50 % of at least 50 requests that looked into the response cache in 24 hours were answered from it, for 24 hours. Ends when more are, for 1 hour. Info.",
    delivery: "inbox",
    hold: hold(86400),
    threshold: number(50, [1, 100], "%", "Share of answers from the cache in 24 hours."),
    minimum: number(50, [10, 100000], "requests", "Fewer requests that looked into the cache say nothing."),
    severity: severity("info"),
    keep_secs: 3600,
  },
  {
    ...NO_NUMBERS,
    rule: "disk-space",
    group: "local-app",
    title: "Disk almost full",
    condition:
      "Fires when less than 500 MB are free on the disk with the data, for 5 minutes. Ends when there is more space, for 5 minutes. Medium.",
    delivery: "notification",
    hold: hold(300),
    threshold: number(500, [50, 100000], "MB", "Free space on the disk with the data."),
    severity: severity("medium"),
    keep_secs: 300,
  },
  {
    ...NO_NUMBERS,
    rule: "vault-fault",
    group: "keys",
    title: "Keys cannot be read",
    condition:
      "Fires when the vault is locked, hangs or cannot be read, for 30 seconds. Ends when keys can be read. High.",
    delivery: "notification",
    hold: hold(30),
    severity: severity("high"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "key-expiry",
    group: "keys",
    title: "Key expires",
    condition:
      "Fires when a key expires within 14 days, by the date that you gave or its service told. Ends when it is replaced. Low, medium from three days before.",
    delivery: "notification",
    hold: hold(0),
    threshold: number(14, [1, 90], "days", "Days before the end of a key."),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "key-age",
    group: "keys",
    title: "Old key",
    condition: "Fires when a key has been in use for 90 days or more. Ends when it is replaced. Low.",
    delivery: "inbox",
    hold: hold(0),
    threshold: number(90, [1, 3650], "days", "Days since a key was made or replaced."),
    severity: severity("low"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "key-unused",
    group: "keys",
    title: "Unused key",
    condition: "Fires when no request used a key in 30 days. Ends when one uses it. Info.",
    delivery: "inbox",
    hold: hold(0),
    severity: severity("info"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "unusual-use",
    group: "keys",
    title: "Unusual use",
    condition:
      "Fires when this hour or the one before has 500 % or more of the requests of a usual busy hour, and at least 60, for 1 minute. Ends when an hour is as usual, for 30 minutes. High.",
    delivery: "notification",
    hold: hold(60),
    threshold: number(500, [500, 10000], "%", "Requests of an hour as a share of those of a usual busy hour."),
    severity: severity("high"),
    keep_secs: 1800,
  },
  {
    ...NO_NUMBERS,
    rule: "first-use",
    group: "keys",
    title: "First use",
    condition:
      "Fires when a client or a model is used for the first time, once a week of requests is known. Ends when it was a day ago. Low.",
    delivery: "inbox",
    hold: hold(0),
    severity: severity("low"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "stopped-loop",
    group: "keys",
    title: "Stopped loop",
    condition:
      "Fires when a client sends one conversation again and again with hardly an answer, and is stopped. Ends when it was half an hour ago. High.",
    delivery: "notification",
    hold: hold(0),
    severity: severity("high"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "plain-key",
    group: "keys",
    title: "Keys in plain text",
    condition:
      "Fires when 1 or more keys lie in plain text in shell profiles and files of coding tools, which are read every six hours. Ends when fewer do. Low.",
    delivery: "inbox",
    hold: hold(0),
    threshold: number(1, [1, 1000], "keys", "Keys in plain text in known files."),
    severity: severity("low"),
    keep_secs: 0,
  },
  {
    ...NO_NUMBERS,
    rule: "quota-low",
    group: "money",
    title: "Near a provider's limit",
    condition:
      "Fires when less than 10 % is left of a limit that a provider names in its answers, by every key of a backend, for 2 minutes. Ends when more is left or it renewed, for 10 minutes. Medium.",
    delivery: "notification",
    hold: hold(120),
    threshold: number(10, [1, 90], "%", "Share that is left of a provider's limit."),
    severity: severity("medium"),
    keep_secs: 600,
  },
  {
    ...NO_NUMBERS,
    rule: "service-down",
    group: "services",
    title: "Service down",
    condition:
      "Fires when the check of a service failed three times in a row or its key was rejected. Ends when it passes, for 2 minutes. High if the service is required, low otherwise.",
    delivery: "notification",
    hold: hold(0),
    keep_secs: 120,
  },
  ...LOCAL_RULES,
];
