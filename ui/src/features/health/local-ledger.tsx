/** How fast the ledger answers: its log, reads that waited, and statements that were slow, each with its plan. */
import { durationText } from "@/features/health/duration-text";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Facts, type Fact } from "@/components/text/facts";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import type { LedgerPerformanceView } from "@/ipc/bindings";
import { formatBytes, formatCount, formatCounted } from "@/lib/quantity";

export function LocalLedger({ ledger }: { ledger: LedgerPerformanceView }) {
  return (
    <div className="flex flex-col gap-3">
      <Facts facts={factsOf(ledger)} />
      {ledger.slow_statements.length > 0 && (
        <ul aria-label="Slow statements" className="border-t border-line">
          {ledger.slow_statements.map(({ text, count, worst_ms: worst, plan }) => (
            <li key={text} className="border-b border-line py-2 last:border-b-0">
              <details className="group">
                <DisclosureSummary className="cursor-pointer rounded-mark">
                  <code className="min-w-0 flex-1 truncate font-mono text-12 text-ink-1" title={text}>
                    {text}
                  </code>
                  <span className="numeric shrink-0 text-12 text-ink-3">{formatCounted(count, "time", "times")}</span>
                  <span className="numeric w-16 shrink-0 text-warn">{durationText(worst)}</span>
                </DisclosureSummary>
                <div className="flex flex-col gap-2 pt-2 pl-6 text-12">
                  <code className="font-mono [overflow-wrap:anywhere] text-ink-2">{text}</code>
                  <pre className="overflow-x-auto rounded-control bg-surface-2 p-2 font-mono text-ink-2">
                    {plan.length === 0 ? "SQLite has no plan for it." : plan.join("\n")}
                  </pre>
                </div>
              </details>
            </li>
          ))}
        </ul>
      )}
      <p className="text-12 text-ink-3">
        Backups, restore and repair are in <PanelLink path="/settings?part=Ledger">Settings, Ledger</PanelLink>.
      </p>
    </div>
  );
}

function factsOf(ledger: LedgerPerformanceView): Fact[] {
  const { check, last_backup: backup, waited_reads: waited } = ledger;
  return [
    {
      name: "Slow statements",
      value:
        ledger.slow_count === 0
          ? `None of ${durationText(ledger.slow_limit_ms)} or more since the start`
          : `${formatCount(ledger.slow_count)} of ${durationText(ledger.slow_limit_ms)} or more since the start`,
    },
    {
      name: "Reads",
      value:
        waited === 0
          ? `${formatCount(ledger.reads)} since the start, none waited for a connection`
          : `${formatCount(ledger.reads)} since the start, ${formatCount(waited)} waited for a connection, at most ${durationText(ledger.longest_wait_ms)}`,
    },
    { name: "Log", value: formatBytes(ledger.log_bytes) },
    {
      name: "Last check",
      value:
        check === null ? (
          "The first one runs"
        ) : (
          <>
            {check.is_sound ? "Sound" : "Damaged"}, <Moment at={check.at} />
          </>
        ),
    },
    { name: "Last backup", value: backup === null ? "None yet" : <Moment at={backup} /> },
  ];
}
