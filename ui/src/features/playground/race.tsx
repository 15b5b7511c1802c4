/** One row per model with its timings, tokens and cost on a common scale, for comparison. */
import type { Seat } from "@/features/playground/draft";
import { ModelPicker } from "@/features/playground/model-picker";
import { SeatBadge } from "@/features/playground/seat-badge";
import { StateBadge } from "@/components/state/state-mark";
import { Unpriced } from "@/components/text/unpriced";
import type { PlaygroundRunView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatMoneyFine } from "@/lib/money";
import { formatCount, formatDuration } from "@/lib/quantity";
import { PLAYGROUND } from "@/lib/tables";

export interface Runner {
  seat: Seat;
  /** The model of the next request. */
  model: string;
  run: PlaygroundRunView | undefined;
  sending: boolean;
}

interface RaceProps {
  runners: Runner[];
  /** Models cannot be changed while a run is in progress. */
  locked: boolean;
  onModel: (seat: Seat, model: string) => void;
}

interface Figure {
  name: string;
  /** The minimum width of the page at which it is shown; always shown without one. */
  from?: string;
  of: (run: PlaygroundRunView) => number | null;
  spell: (value: number) => string;
  better?: "lower" | "higher";
}

const WIDE = "hidden @min-[920px]:table-cell";
const ROOMY = "hidden @min-[620px]:table-cell";

const FIGURES: Figure[] = [
  { name: "First token", of: (run) => run.first_token_ms, spell: formatDuration, better: "lower" },
  {
    name: "Total",
    of: (run) => (run.state === "waiting" ? null : run.elapsed_ms),
    spell: formatDuration,
    better: "lower",
  },
  {
    name: "Tokens/s",
    from: ROOMY,
    of: (run) => run.record?.tokens_per_second ?? null,
    spell: formatCount,
    better: "higher",
  },
  { name: "Tokens in", from: WIDE, of: (run) => run.record?.usage?.input ?? null, spell: formatCount },
  { name: "Tokens out", from: WIDE, of: (run) => run.record?.usage?.output ?? null, spell: formatCount },
  { name: "Cost", of: (run) => run.record?.cost_nano_usd ?? null, spell: formatMoneyFine, better: "lower" },
];

const HEAD = "h-7 px-3 first:pl-4 last:pr-4 text-11 font-medium text-ink-3";
const CELL = "h-10 px-3 first:pl-4 last:pr-4";

export function Race({ runners, locked, onModel }: RaceProps) {
  const scale = Math.max(...runners.map(({ run }) => run?.elapsed_ms ?? 0));
  const areDone = runners.length > 1 && runners.every(({ run }) => run?.state === "complete");
  return (
    <section aria-label="Figures" className="shrink-0 rounded-card border border-line bg-surface-1">
      <table className="w-full table-fixed border-collapse">
        <thead>
          <tr className="border-b border-line">
            <th scope="col" className={classNames(HEAD, "w-40 text-left @min-[620px]:w-52 @min-[920px]:w-64")}>
              Model
            </th>
            <th scope="col" className={classNames(HEAD, "w-28 text-left")}>
              State
            </th>
            <th scope="col" className={classNames(HEAD, ROOMY, "text-left")}>
              <Legend />
            </th>
            {FIGURES.map((figure) => (
              <th
                key={figure.name}
                scope="col"
                className={classNames(HEAD, figure.name === "Cost" ? "w-24" : "w-20", "pl-0 text-right", figure.from)}
              >
                {figure.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runners.map((runner) => (
            <tr key={runner.seat} className="border-b border-line last:border-b-0">
              <th scope="row" className={classNames(CELL, "text-left font-normal")}>
                <span className="flex min-w-0 items-center gap-2">
                  {runners.length > 1 && <SeatBadge seat={runner.seat} />}
                  <ModelPicker
                    label={runners.length > 1 ? `Model ${runner.seat.toUpperCase()}` : "Model"}
                    value={runner.model}
                    disabled={locked}
                    onChange={(model) => onModel(runner.seat, model)}
                  />
                </span>
              </th>
              <td className={classNames(CELL, "text-12")}>
                <State runner={runner} />
              </td>
              <td className={classNames(CELL, ROOMY)}>
                <TimeBar run={runner.run} scale={scale} />
              </td>
              {FIGURES.map((figure) => (
                <td
                  key={figure.name}
                  className={classNames(
                    "numeric",
                    CELL,
                    "pl-0",
                    figure.from,
                    areDone && isBest(figure, runner, runners) ? "font-semibold text-ink-1" : "text-ink-1",
                    areDone && figure.better && !isBest(figure, runner, runners) && "text-ink-2",
                  )}
                >
                  <Value figure={figure} run={runner.run} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Legend() {
  const swatch = "inline-block size-2 rounded-full";
  return (
    <span className="flex items-center gap-3">
      <span className="flex items-center gap-1.5">
        <span data-mark aria-hidden className={classNames(swatch, "bg-line-strong")} />
        waiting
      </span>
      <span className="flex items-center gap-1.5">
        <span data-mark aria-hidden className={classNames(swatch, "bg-accent")} />
        streaming
      </span>
    </span>
  );
}

function State({ runner: { run, sending } }: { runner: Runner }) {
  if (run !== undefined) return <StateBadge sign={PLAYGROUND[run.state]} />;
  return sending ? <StateBadge sign={PLAYGROUND.waiting} /> : <span className="text-ink-3">Not sent</span>;
}

function Value({ figure, run }: { figure: Figure; run: PlaygroundRunView | undefined }) {
  const value = run === undefined ? null : figure.of(run);
  if (figure.name === "Cost" && run?.record?.cost_basis === "not_billed") return "not billed";
  if (value !== null) return figure.spell(value);
  if (figure.name === "Cost" && run?.record?.cost_basis === "unpriced") return <Unpriced />;
  return (
    <span className="text-ink-3">
      <span aria-hidden>–</span>
      <span className="sr-only">unknown</span>
    </span>
  );
}

/** True if it is better than every other, and all of them are known. */
function isBest(figure: Figure, runner: Runner, runners: Runner[]): boolean {
  if (figure.better === undefined) return false;
  const sign = figure.better === "lower" ? 1 : -1;
  const read = ({ run }: Runner) => (run === undefined ? null : figure.of(run));
  const own = read(runner);
  const others = runners.filter((other) => other.seat !== runner.seat).map(read);
  return own !== null && others.every((other) => other !== null && (own - other) * sign < 0);
}

/** Waiting, then streaming, on the scale of the slower one. */
function TimeBar({ run, scale }: { run: PlaygroundRunView | undefined; scale: number }) {
  const total = run?.elapsed_ms ?? 0;
  const waited = Math.min(run?.first_token_ms ?? total, total);
  const share = (ms: number) => `${scale === 0 ? 0 : (ms / scale) * 100}%`;
  const spelled = `${formatDuration(waited)} waiting, ${formatDuration(total - waited)} streaming`;
  return (
    <div
      role="img"
      aria-label={total === 0 ? "No response yet" : spelled}
      title={total === 0 ? undefined : spelled}
      className="flex h-2 overflow-hidden rounded-full bg-surface-3"
    >
      <span data-mark className="bg-line-strong" style={{ width: share(waited) }} />
      <span data-mark className="bg-accent" style={{ width: share(total - waited) }} />
    </div>
  );
}
