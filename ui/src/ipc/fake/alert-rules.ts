/** The rules of alerts, as `alerts/src/rule.rs` has them. */
import type { AlertRuleView } from "@/ipc/bindings";

type RuleRow = Omit<AlertRuleView, "delivery" | "fired_last_week" | "last_fired_at">;

export const ALERT_RULES: RuleRow[] = [
  {
    rule: "backend-down",
    group: "backends",
    title: "Backend down",
    condition:
      "Fires when a backend failed three times in a row. Ends when it answers again, for 2 minutes. Critical if something that clients ask for has no other backend, medium otherwise.",
    hold_secs: 0,
    keep_secs: 120,
  },
  {
    rule: "breaker-open",
    group: "backends",
    title: "Backend failing",
    condition:
      "Fires when the gateway sends a backend no requests, because too many of them failed, for 2 minutes. Ends when it gets requests again, for 1 minute. High if something that clients ask for has no other backend, low otherwise.",
    hold_secs: 120,
    keep_secs: 60,
  },
  {
    rule: "route-dead",
    group: "backends",
    title: "Route without a backend",
    condition:
      "Fires when no backend of a route can answer, and none of them has an alert of its own, for 10 seconds. Ends when one can answer, for 1 minute. Critical.",
    hold_secs: 10,
    keep_secs: 60,
  },
  {
    rule: "budget-mark",
    group: "money",
    title: "Budget mark reached",
    condition:
      "Fires when a budget reached one of its marks. Ends when its period is over or its limit is raised. Low below 80 %, medium from 80 %, high from 100 %, critical when requests are refused.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "budget-forecast",
    group: "money",
    title: "Budget will be used up early",
    condition:
      "Fires when a budget is used up before its period ends, at this pace, for 30 minutes. Ends when the pace is slow enough again, for 6 hours. Medium.",
    hold_secs: 1800,
    keep_secs: 21600,
  },
  {
    rule: "ledger-fault",
    group: "local-app",
    title: "Ledger fault",
    condition:
      "Fires when the ledger is behind, cannot be written, lacks records or could not be backed up. Ends when it works again, for 10 minutes. Critical if records are missing or requests are refused, medium otherwise.",
    hold_secs: 0,
    keep_secs: 600,
  },
  {
    rule: "key-blocked",
    group: "keys",
    title: "Key rejected",
    condition:
      "Fires when a key in use was rejected or is missing. Ends when it is accepted. Critical if something that clients ask for has no other backend, high otherwise.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "burn-fast",
    group: "backends",
    title: "Many requests fail",
    condition:
      "Fires when the failures that an objective allows are used up within days, at the rate of at least 20 requests and 5 failures, for 2 minutes. Ends when few enough fail, for 5 minutes. High.",
    hold_secs: 120,
    keep_secs: 300,
  },
  {
    rule: "burn-slow",
    group: "backends",
    title: "Requests fail steadily",
    condition:
      "Fires when the failures that an objective allows are used up before its period ends, at the rate of at least 20 requests and 5 failures, for 15 minutes. Ends when few enough fail, for 30 minutes. Medium.",
    hold_secs: 900,
    keep_secs: 1800,
  },
  {
    rule: "channel-fault",
    group: "local-app",
    title: "Alerts not sent",
    condition:
      "Fires when a webhook or a mail could not be sent. Ends when one was sent or its channel is switched off. Medium.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "digest",
    group: "local-app",
    title: "Digest",
    condition:
      "Fires when a day or a week of alerts, requests and cost is summed up. Ends when it is in the inbox. Info. It is also a mail if mail is switched on.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "error-rate",
    group: "backends",
    title: "Requests to a backend fail",
    condition:
      "Fires when 1 % or more of at least 20 requests to a backend failed in half an hour, and five of them or more, for 5 minutes. Ends when fewer fail, for 5 minutes. Medium from 10 %, low below.",
    hold_secs: 300,
    keep_secs: 300,
  },
  {
    rule: "slow-answers",
    group: "backends",
    title: "Slow answers",
    condition:
      "Fires when the slowest answers (95th percentile of the first token) of at least 10 requests in an hour took 200 % or more of the time that they took in the week before, and a second longer, for 5 minutes. Ends when they are faster, for 5 minutes. Low.",
    hold_secs: 300,
    keep_secs: 300,
  },
  {
    rule: "spend-anomaly",
    group: "money",
    title: "Unusual cost",
    condition:
      "Fires when this hour or the one before costs 150 % or more of what such hours usually cost and at least $1 more, and stands out from the last four weeks, for 5 minutes. Ends when an hour is as usual, for 30 minutes. High.",
    hold_secs: 300,
    keep_secs: 1800,
  },
  {
    rule: "unpriced-model",
    group: "money",
    title: "Unknown cost",
    condition:
      "Fires when the cost of 1 or more requests of the last 24 hours is not known. Ends when the cost of fewer is unknown. Low.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "bill-drift",
    group: "money",
    title: "Bill differs",
    condition:
      "Fires when a provider billed 2 % or more and at least $1 above or below what was computed for the last week. Ends when both agree. Low.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "cache-hits",
    group: "local-app",
    title: "Few cache hits",
    condition:
      "Fires when less than 50 % of at least 50 requests that looked into the response cache in 24 hours were answered from it, for 24 hours. Ends when more are, for 1 hour. Info.",
    hold_secs: 86400,
    keep_secs: 3600,
  },
  {
    rule: "disk-space",
    group: "local-app",
    title: "Disk almost full",
    condition:
      "Fires when less than 500 MB are free on the disk with the data, for 5 minutes. Ends when there is more space, for 5 minutes. Medium.",
    hold_secs: 300,
    keep_secs: 300,
  },
  {
    rule: "vault-fault",
    group: "keys",
    title: "Keys cannot be read",
    condition:
      "Fires when the vault is locked, hangs or cannot be read, for 30 seconds. Ends when keys can be read. High.",
    hold_secs: 30,
    keep_secs: 0,
  },
  {
    rule: "key-expiry",
    group: "keys",
    title: "Key expires",
    condition:
      "Fires when a key expires within 14 days, by the date that you gave. Ends when it is replaced. Low, medium from three days before.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "key-age",
    group: "keys",
    title: "Old key",
    condition: "Fires when a key has been in use for 90 days or more. Ends when it is replaced. Low.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "key-unused",
    group: "keys",
    title: "Unused key",
    condition: "Fires when no request used a key in 30 days. Ends when one uses it. Info.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "unusual-use",
    group: "keys",
    title: "Unusual use",
    condition:
      "Fires when this hour or the one before has 500 % or more of the requests of a usual busy hour, and at least 60, for 1 minute. Ends when an hour is as usual, for 30 minutes. High.",
    hold_secs: 60,
    keep_secs: 1800,
  },
];
