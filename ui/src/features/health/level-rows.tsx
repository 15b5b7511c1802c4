/** One row per objective: how it stands, what is left of the failures that it allows, and when that is used up. */
import { useState } from "react";
import { Button } from "@/components/button";
import { formatPercent } from "@/lib/percent";
import { classNames } from "@/lib/class-names";
import { Moment } from "@/components/moment";
import { StateBadge } from "@/components/state-mark";
import type { BurnPaceView, ServiceLevelView } from "@/ipc/bindings";
import { formatCount, formatCounted } from "@/lib/quantity";
import { SERVICE_LEVEL, type Tone } from "@/lib/tables";

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
  const unknown = levels.filter(({ state }) => state === "not_enough_data");
  const known = levels.filter(({ state }) => state !== "not_enough_data");
  const isFolded = !isAll && unknown.length > UNKNOWN_SHOWN_MAX;
  return (
    <div role="region" aria-label="Service levels" tabIndex={0} className="focus-inset overflow-x-auto">
      <table className="w-full border-separate border-spacing-0">
        <thead>
          <tr>
            <th scope="col" className={classNames(HEAD, "text-left")}>
              Objective
            </th>
            <th scope="col" className={classNames(HEAD, "text-left")}>
              State
            </th>
            <th scope="col" className={classNames(HEAD, "w-36 text-left whitespace-nowrap")}>
              Allowed failures left
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
          </tr>
        </thead>
        <tbody>
          {[...known, ...(isFolded ? [] : unknown)].map((level) => (
            <LevelRow key={`${level.kind} ${level.id} ${level.indicator}`} level={level} />
          ))}
          {isFolded && (
            <tr>
              <td colSpan={6} className="border-t border-line px-4 py-1.5">
                <Button size="small" look="quiet" onClick={() => setAll(true)}>
                  Show {formatCounted(unknown.length, "objective", "objectives")} without enough requests
                </Button>
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

const KIND_WORDS = { gateway: "", route: "Route ", backend: "" } as const;

function LevelRow({ level }: { level: ServiceLevelView }) {
  const { state, label, objective, budget_left_percent: left, good_percent: good } = level;
  const name = `${KIND_WORDS[level.kind]}${label}`;
  const sign = SERVICE_LEVEL[state];
  return (
    <tr>
      <th scope="row" className={classNames(CELL, "text-left font-normal")}>
        <span className="font-medium text-ink-1">{name}</span>
        <span className="block text-12 text-ink-3">
          {level.indicator === "first-token" ? `First token: ${objective}` : objective}
        </span>
      </th>
      <td className={CELL}>
        <StateBadge sign={sign} />
        {level.advice !== "" && <span className="block text-12 text-pretty text-ink-3">{level.advice}</span>}
      </td>
      <td className={CELL}>
        {left === null ? (
          <span className="text-12 text-ink-3">{formatCount(level.valid)} of 20 requests</span>
        ) : (
          <>
            <span
              role="meter"
              aria-label={`${name}: allowed failures left`}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={left}
              aria-valuetext={`${left.toFixed(0)} %`}
              className="mt-1.5 block h-2 rounded-full bg-surface-3 forced-colors:border"
            >
              <span
                data-mark
                className={classNames("block h-full rounded-full", FILLS[sign.tone])}
                style={{ width: `${left}%` }}
              />
            </span>
            <span className="text-12 text-ink-2">{left.toFixed(0)} %</span>
          </>
        )}
      </td>
      <td className={classNames(CELL, "numeric")}>
        {good === null ? "–" : formatPercent(good)}
        <span className="block text-12 whitespace-nowrap text-ink-3">
          {formatCount(level.bad)} of {formatCount(level.valid)} failed
        </span>
      </td>
      <td className={classNames(CELL, "numeric")}>
        <BurnRate pace={level.pace} />
      </td>
      <td className={CELL}>{level.exhausted_at === null ? "–" : <Moment at={level.exhausted_at} />}</td>
    </tr>
  );
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
