/** The rules of alerts, as `alerts/src/rule.rs` has them. */
import type { AlertRuleView } from "@/ipc/bindings";

type RuleRow = Omit<AlertRuleView, "delivery" | "fired_last_week" | "last_fired_at">;

export const ALERT_RULES: RuleRow[] = [
  {
    rule: "backend-down",
    group: "backends",
    title: "Backend down",
    condition:
      "A backend failed three times in a row. Critical if something that clients ask for has no other backend, medium otherwise.",
    hold_secs: 0,
    keep_secs: 120,
  },
  {
    rule: "breaker-open",
    group: "backends",
    title: "Backend failing",
    condition:
      "The gateway sends a backend no requests, because too many of them failed, for two minutes. High if something that clients ask for has no other backend, low otherwise.",
    hold_secs: 120,
    keep_secs: 60,
  },
  {
    rule: "route-dead",
    group: "backends",
    title: "Route without a backend",
    condition: "No backend of a route can answer for ten seconds, and none of them has an alert of its own.",
    hold_secs: 10,
    keep_secs: 60,
  },
  {
    rule: "budget-mark",
    group: "money",
    title: "Budget mark reached",
    condition:
      "A budget reached one of its marks. Low below 80 %, medium from 80 %, high from 100 %, critical when requests are refused.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "budget-forecast",
    group: "money",
    title: "Budget will be used up early",
    condition: "At this pace a budget is used up before its period ends, for half an hour.",
    hold_secs: 1_800,
    keep_secs: 21_600,
  },
  {
    rule: "ledger-fault",
    group: "local-app",
    title: "Ledger fault",
    condition:
      "The ledger is behind, cannot be written, lacks records or could not be backed up. Critical if records are missing or requests are refused, medium otherwise.",
    hold_secs: 0,
    keep_secs: 600,
  },
  {
    rule: "key-blocked",
    group: "keys",
    title: "Key rejected",
    condition:
      "A key in use was rejected or is missing. Critical if something that clients ask for has no other backend, high otherwise.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "burn-fast",
    group: "backends",
    title: "Many requests fail",
    condition:
      "At this rate the failures that an objective allows are used up within days, for two minutes. High. Needs 20 requests and 5 failures.",
    hold_secs: 120,
    keep_secs: 300,
  },
  {
    rule: "burn-slow",
    group: "backends",
    title: "Requests fail steadily",
    condition:
      "At this rate the failures that an objective allows are used up before its period ends, for a quarter of an hour. Medium. Needs 20 requests and 5 failures.",
    hold_secs: 900,
    keep_secs: 1800,
  },
  {
    rule: "channel-fault",
    group: "local-app",
    title: "Alerts not sent",
    condition: "A webhook or a mail could not be sent. It ends when one was sent, or when the channel is switched off.",
    hold_secs: 0,
    keep_secs: 0,
  },
  {
    rule: "digest",
    group: "local-app",
    title: "Digest",
    condition:
      "A sum of the alerts, requests and cost of a day or a week. It is an entry of the inbox, and a mail if mail is switched on.",
    hold_secs: 0,
    keep_secs: 0,
  },
];
