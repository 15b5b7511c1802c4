/** One row per objective: how it stands, what is left of what it allows, and when that is used up. Each can be edited. */
import { Pencil } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/button/button";
import { ObjectiveDialog, type EditedObjective } from "@/features/health/objective-dialog";
import { formatPercent } from "@/lib/percent";
import { classNames } from "@/lib/class-names";
import { Moment } from "@/components/text/moment";
import { StateBadge } from "@/components/state/state-mark";
import type { BurnPaceView, ServiceLevelView } from "@/ipc/bindings";
import { formatCount, formatCounted } from "@/lib/quantity";
import { SERVICE_LEVEL, type Tone } from "@/lib/tables";
import { formatSpan } from "@/lib/time";

const FILLS: Record<Tone, string> = {
  ok: "bg-ok",
  muted: "bg-line-strong",
  info: "bg-info",
  warn: "bg-warn",
  bad: "bg-bad",
};

const HEAD = "px-4 py-2 text-12 font-medium text-ink-3";
const CELL = "border-t border-line px-4 py-2 align-top";

/** So many that cannot be told yet are listed; more are folded. */
const UNKNOWN_SHOWN_MAX = 3;

export function LevelRows({ levels }: { levels: ServiceLevelView[] }) {
  const [isAll, setAll] = useState(false);
  const [edited, setEdited] = useState<EditedObjective | null>(null);
  const unknown = levels.filter(({ state }) => state === "not_enough_data");
  const known = levels.filter(({ state }) => state !== "not_enough_data");
  const isFolded = !isAll && unknown.length > UNKNOWN_SHOWN_MAX;
  return (
    <div role="region" aria-label="Service levels" tabIndex={0} className="focus-inset relative overflow-x-auto">
      <table className="w-full border-separate border-spacing-0">
        <thead>
          <tr>
            <th scope="col" className={classNames(HEAD, "min-w-44 text-left")}>
              Objective
            </th>
            <th scope="col" className={classNames(HEAD, "text-left")}>
              State
            </th>
            <th scope="col" className={classNames(HEAD, "w-32 text-left whitespace-nowrap")}>
              Budget left
            </th>
            <th scope="col" className={classNames(HEAD, "text-right")}>
              Good
            </th>
            <th scope="col" className={classNames(HEAD, "text-right")}>
              Burn rate
            </th>
            <th scope="col" className={classNames(HEAD, "text-left whitespace-nowrap")}>
              Used up
            </th>
            <th scope="col" className="w-0">
              <span className="sr-only">Edit</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {[...known, ...(isFolded ? [] : unknown)].map((level) => (
            <LevelRow key={`${level.kind} ${level.id} ${level.indicator}`} level={level} onEdit={setEdited} />
          ))}
          {isFolded && (
            <tr>
              <td colSpan={7} className="border-t border-line px-4 py-1.5">
                <Button size="small" look="quiet" className="-ml-2.5" onClick={() => setAll(true)}>
                  Show {formatCounted(unknown.length, "objective", "objectives")} without enough data
                </Button>
              </td>
            </tr>
          )}
        </tbody>
      </table>
      {edited && <ObjectiveDialog edited={edited} onClose={() => setEdited(null)} />}
    </div>
  );
}

const KIND_WORDS = { gateway: "", route: "Route ", backend: "", service: "Service " } as const;

function nameOf({ kind, label }: ServiceLevelView): string {
  return `${KIND_WORDS[kind]}${label}`;
}

function editedOf(level: ServiceLevelView): EditedObjective {
  const { target, name, goal, period, max_ms: maxMs, is_own: isOwn, default_objective: defaultObjective } = level.terms;
  const suffix = target === "first-token" ? ", first tokens" : "";
  const own = name === null ? null : { isOwn, defaultObjective };
  return { target, name, label: `${nameOf(level)}${suffix}`, goal, period, maxMs, own };
}

interface LevelRowProps {
  level: ServiceLevelView;
  onEdit: (edited: EditedObjective) => void;
}

function LevelRow({ level, onEdit }: LevelRowProps) {
  const { state, objective, good_percent: good } = level;
  const name = nameOf(level);
  const edited = editedOf(level);
  return (
    <tr>
      <th scope="row" className={classNames(CELL, "text-left font-normal")}>
        <span className="font-medium text-ink-1">{name}</span>
        {level.terms.is_own && <OwnMark defaultObjective={level.terms.default_objective} />}
        <span className="block text-12 text-pretty text-ink-3">
          {level.indicator === "first-token" ? `First token: ${objective}` : objective}
        </span>
      </th>
      <td className={CELL}>
        <StateBadge sign={SERVICE_LEVEL[state]} />
        {level.advice !== "" && <span className="block text-12 text-pretty text-ink-3">{level.advice}</span>}
      </td>
      <td className={CELL}>
        <BudgetLeft level={level} name={name} />
      </td>
      <td className={classNames(CELL, "numeric")}>
        {formatPercent(good)}
        <span className="block text-12 whitespace-nowrap text-ink-3">{badText(level)}</span>
      </td>
      <td className={classNames(CELL, "numeric")}>
        <BurnRate pace={level.pace} />
      </td>
      <td className={CELL}>{level.exhausted_at === null ? "–" : <Moment at={level.exhausted_at} />}</td>
      <td className="border-t border-line py-1 pr-3 align-top">
        <IconButton icon={Pencil} label={`Edit the objective of ${edited.label}`} onClick={() => onEdit(edited)} />
      </td>
    </tr>
  );
}

function OwnMark({ defaultObjective }: { defaultObjective: string }) {
  return (
    <span
      title={`Its own objective; the default is ${defaultObjective}`}
      className="ml-2 rounded-[4px] border border-line px-1 text-11 text-ink-2"
    >
      own
    </span>
  );
}

function BudgetLeft({ level, name }: { level: ServiceLevelView; name: string }) {
  const { time, budget_left_percent: left } = level;
  if (left === null)
    return (
      <span className="text-12 text-ink-3">
        {time === null
          ? `${formatCount(level.valid)} of 20 requests`
          : `${spell(time.observed_secs)} of ${spell(time.needed_secs)} observed`}
      </span>
    );
  return (
    <>
      <span
        role="meter"
        aria-label={`${name}: ${time === null ? "allowed failures" : "allowed downtime"} left`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={left}
        aria-valuetext={formatPercent(left)}
        className="mt-1.5 mb-[5px] block h-2 rounded-full bg-surface-3 forced-colors:border"
      >
        <span
          data-mark
          className={classNames("block h-full rounded-full", FILLS[SERVICE_LEVEL[level.state].tone])}
          style={{ width: `${left}%` }}
        />
      </span>
      <span className="text-12 text-ink-2">
        {formatPercent(left)}
        {time !== null && `, ${spell(time.left_secs)}`}
      </span>
    </>
  );
}

/** What failed of the requests, or how long it was down. */
function badText({ time, bad, valid }: ServiceLevelView): string {
  if (time === null) return `${formatCount(bad)} of ${formatCount(valid)} failed`;
  return `${spell(time.down_secs)} of ${spell(time.observed_secs)} down`;
}

/** Up to three days in hours, since "1 day" would hide nearly half of the observed time. */
function spell(secs: number): string {
  const hours = Math.floor(secs / 3_600);
  return hours >= 24 && hours < 72 ? `${hours} h` : formatSpan(secs * 1_000);
}

/** How many times as fast as allowed: the longer time over the shorter. */
function BurnRate({ pace }: { pace: BurnPaceView | null }) {
  if (pace === null) return "–";
  const { long, short, factor } = pace;
  return (
    <span title={`Too fast from ${formatRate(factor)} on in both`}>
      <span className={factor !== null && long.rate !== null && long.rate >= factor ? "text-bad" : "text-ink-1"}>
        {formatRate(long.rate)}
      </span>{" "}
      <span className="text-12 text-ink-3">in {long.window}</span>
      <span className="block text-12 whitespace-nowrap text-ink-3">
        {formatRate(short.rate)} in {short.window}
      </span>
    </span>
  );
}

function formatRate(rate: number | null): string {
  return rate === null ? "–" : `${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)}×`;
}
