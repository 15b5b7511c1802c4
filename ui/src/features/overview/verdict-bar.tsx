/** The verdict in one sentence, the facts behind it, and the most useful action; of a setup, the first steps offer it. */
import { ActionButton, RunChecksButton } from "@/connected/action-button";
import { Moment } from "@/components/text/moment";
import { StateMark } from "@/components/state/state-mark";
import type { StatusIssueView, StatusView, VerdictLevel } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatCounted } from "@/lib/quantity";
import { VAULT, VERDICT } from "@/lib/tables";

const EDGE: Record<VerdictLevel, string> = {
  ok: "border-line",
  unknown: "border-line",
  not_set_up: "border-line",
  attention: "border-warn/45",
  problem: "border-bad/45",
};

export function VerdictBar({ status }: { status: StatusView }) {
  const { verdict, backends, gateway, vault } = status;
  const inUse = backends.total - backends.disabled;
  return (
    <section
      aria-label="Verdict"
      className={classNames(
        "flex min-h-[68px] items-center gap-4 rounded-card border bg-surface-1 px-4 py-3",
        EDGE[verdict.level],
      )}
    >
      <StateMark sign={VERDICT[verdict.level]} size={24} />
      <div className="min-w-0 flex-1">
        <h1 className="truncate text-18 leading-6 font-semibold tracking-[-0.01em] text-ink-1">{verdict.sentence}</h1>
        <p className="flex flex-wrap gap-x-1.5 text-12 text-ink-2">
          <span>{gateway.state === "listening" ? "Gateway running" : (gateway.reason ?? "Gateway not running")}</span>
          <Dot />
          <span>
            {backends.up} of {formatCounted(inUse, "backend", "backends")} up
            {backends.degraded > 0 && `, ${backends.degraded} degraded`}
            {backends.unknown > 0 && `, ${backends.unknown} not confirmed yet`}
          </span>
          <Dot />
          <span>Vault {VAULT[vault.state].word.toLowerCase()}</span>
          <Dot />
          <span>
            Updated <Moment at={status.now} focusable />
          </span>
        </p>
      </div>
      {verdict.level !== "not_set_up" && <NextStep need={verdict.needs[0]} />}
    </section>
  );
}

function NextStep({ need }: { need: StatusIssueView | undefined }) {
  if (need === undefined) return <RunChecksButton look="plain" size="medium" set="quick" />;
  return <ActionButton action={need.action} need={need.id} look="primary" size="medium" />;
}

function Dot() {
  return (
    <span aria-hidden className="text-ink-3">
      ·
    </span>
  );
}
