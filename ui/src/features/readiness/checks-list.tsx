/** The checks, live during a run, problems first after it; each expands to its evidence, cause and fix. */
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { ActionButton } from "@/connected/action-button";
import { StateMark, TONE_TEXT } from "@/components/state/state-mark";
import type { CheckView, ReadinessRunView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { groupBy } from "@/lib/group";
import { formatCounted, formatDuration } from "@/lib/quantity";
import { CHECK, SEVERITY_WORD } from "@/lib/tables";

/** Minimum number of equal results that are folded into one row. */
const FOLDED_FROM = 4;

/** The end of the title of a check that runs once per backend: "Key accepted by OpenAI". */
const BACKEND_IN_TITLE = / (?:by|on|of|at) .*$/;

export function ChecksList({ run }: { run: ReadinessRunView }) {
  const settled = run.checks.filter((check) => check.state !== "waiting" && check.state !== "running").length;
  return (
    <section
      aria-label="Checks"
      aria-busy={run.state === "running"}
      className="overflow-hidden rounded-card border border-line bg-surface-1"
    >
      {run.state === "running" && (
        <div className="border-b border-line px-4 py-2.5">
          <div className="mb-1.5 flex justify-between text-12 text-ink-2">
            <span role="status">{run.sentence}</span>
            <span>{run.set === "quick" ? "quick checks" : "all checks"}</span>
          </div>
          <div
            role="progressbar"
            aria-label="Checks done"
            aria-valuemin={0}
            aria-valuemax={run.checks.length}
            aria-valuenow={settled}
            className="h-1 overflow-hidden rounded-full bg-surface-3"
          >
            <div
              data-mark
              className="h-full bg-accent transition-[width] duration-150 ease-out"
              style={{ width: `${(settled / Math.max(run.checks.length, 1)) * 100}%` }}
            />
          </div>
        </div>
      )}
      {sectionsOf(run).map(([title, checks]) => (
        <div key={title} className="border-b border-line last:border-b-0">
          <h2 className="flex h-8 items-center bg-surface-2/60 px-4 text-12 font-medium text-ink-2">{title}</h2>
          {familiesOf(checks).map((family) => (
            <Family key={family[0].id} checks={family} />
          ))}
        </div>
      ))}
    </section>
  );
}

function isProblem({ state }: CheckView): boolean {
  return state === "fail" || state === "warn" || state === "crashed";
}

const SEVERITIES: readonly CheckView["severity"][] = ["blocker", "setup", "major", "minor", "info"];

function byCategory(checks: CheckView[]): [string, CheckView[]][] {
  return [...groupBy(checks, (check) => check.category)];
}

/** The sort key, most severe first. */
function rankOf(check: CheckView): number {
  return SEVERITIES.indexOf(check.severity) * 2 + (check.state === "warn" ? 1 : 0);
}

/** During a run every check keeps its position; afterwards problems come first, most severe on top. */
function sectionsOf(run: ReadinessRunView): [string, CheckView[]][] {
  if (run.state === "running") return byCategory(run.checks);
  const problems = run.checks.filter(isProblem).toSorted((left, right) => rankOf(left) - rankOf(right));
  const rest = byCategory(run.checks.filter((check) => !isProblem(check)));
  return problems.length === 0 ? rest : [["Needs attention", problems], ...rest];
}

function familyOf(check: CheckView): string {
  return check.id.includes("/") ? `${check.id.split("/")[0]} ${check.state} ${check.severity}` : check.id;
}

/** Groups per-backend checks with the same result; every other check is alone. */
function familiesOf(checks: CheckView[]): [CheckView, ...CheckView[]][] {
  return [...groupBy(checks, familyOf)].flatMap(([, [first, ...more]]): [CheckView, ...CheckView[]][] => {
    if (first === undefined) return [];
    return more.length < FOLDED_FROM - 1 ? [first, ...more].map((one) => [one]) : [[first, ...more]];
  });
}

function Family({ checks }: { checks: [CheckView, ...CheckView[]] }) {
  const [first, ...more] = checks;
  if (more.length === 0) return <Check check={first} isOpen={isProblem(first)} />;
  const name = first.title.replace(BACKEND_IN_TITLE, "");
  return (
    <details className="border-t border-line first-of-type:border-t-0">
      <Summary check={first} duration={null}>
        {name} <span className="text-ink-3">on {formatCounted(checks.length, "backend", "backends")}</span>
      </Summary>
      <div className="border-t border-line pl-5">
        {checks.map((check) => (
          <Check key={check.id} check={check} isOpen={false} />
        ))}
      </div>
    </details>
  );
}

function Check({ check, isOpen }: { check: CheckView; isOpen: boolean }) {
  return (
    <details key={isOpen ? "open" : "closed"} open={isOpen} className="border-t border-line first-of-type:border-t-0">
      <Summary check={check} duration={check.duration_ms}>
        {check.title}
      </Summary>
      <div className="flex items-start gap-4 px-4 pt-0.5 pb-3 pl-10">
        <div className="flex min-w-0 flex-1 flex-col gap-1 [overflow-wrap:anywhere]">
          {check.cause !== null && <p className="text-ink-1">{check.cause}</p>}
          {check.fix !== null && <p className="text-ink-2">{check.fix}</p>}
          {check.evidence.length > 0 && (
            <ul aria-label="Evidence" className="flex flex-col gap-0.5 font-mono text-11 leading-4 text-ink-3">
              {check.evidence.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
          <p className="text-11 text-ink-3">
            {check.id}
            {check.depends_on.length > 0 && `, after ${check.depends_on.join(", ")}`}
          </p>
        </div>
        {check.action !== null && <ActionButton action={check.action} />}
      </div>
    </details>
  );
}

interface SummaryProps {
  /** The check whose result is shown, one of several with the same. */
  check: CheckView;
  duration: number | null;
  children: ReactNode;
}

/** The row that is always shown. */
function Summary({ check, duration, children }: SummaryProps) {
  const sign = CHECK[check.state];
  return (
    <summary className="focus-inset flex min-h-10 list-none items-center gap-3 px-4 py-1.5 hover:bg-surface-2 [&::-webkit-details-marker]:hidden">
      <StateMark sign={sign} />
      <span className="min-w-0 flex-1 text-ink-1">{children}</span>
      <span className={classNames("text-12 whitespace-nowrap", isProblem(check) ? TONE_TEXT[sign.tone] : "text-ink-2")}>
        {sign.word}
      </span>
      <span className="hidden w-14 text-12 text-ink-3 @min-[640px]:inline">{SEVERITY_WORD[check.severity]}</span>
      <span className="numeric hidden w-14 text-12 text-ink-3 @min-[640px]:inline">
        {duration === null ? "" : formatDuration(duration)}
      </span>
      <ChevronRight
        size={14}
        strokeWidth={1.5}
        aria-hidden
        className="shrink-0 text-ink-3 transition-transform duration-150 [[open]>summary>&]:rotate-90"
      />
    </summary>
  );
}
