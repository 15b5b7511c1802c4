/** Simulates one request many times, optionally with backends assumed to be down: shares as bars or as a table. */
import { ChartBar, Table2 } from "lucide-react";
import { useState } from "react";
import { IconButton } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { Notice } from "@/components/notice/notice";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { useRouteExplain, useRouteSimulate } from "@/ipc/route-queries";
import type { HypotheticalRequest, CandidateShareView, RouteSimulationView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatCount } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

const DRAWS = [
  { value: "100", label: "100" },
  { value: "1000", label: "1,000" },
  { value: "10000", label: "10,000" },
] as const;

export function Simulation({ ask }: { ask: HypotheticalRequest }) {
  const [draws, setDraws] = useState<(typeof DRAWS)[number]["value"]>("1000");
  const [closed, setClosed] = useState<string[]>([]);
  const reading = useRouteSimulate({ ask, draws: Number(draws), closed });
  const candidates = useRouteExplain(ask).data?.candidates ?? [];
  const backends = [...new Set(candidates.map((candidate) => candidate.backend))];
  const toggle = (id: string) =>
    setClosed((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before, id]));
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-12">
        <Choice label="Requests to simulate" options={DRAWS} value={draws} onChange={setDraws} />
        {backends.length > 0 && (
          <fieldset className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <legend className="float-left mr-3 text-ink-3">What if this backend were down?</legend>
            {backends.map((id) => (
              <label key={id} className="flex items-center gap-1.5 text-ink-2">
                <input
                  type="checkbox"
                  checked={closed.includes(id)}
                  onChange={() => toggle(id)}
                  className="size-3.5 accent-[var(--accent)]"
                />
                {id}
              </label>
            ))}
          </fieldset>
        )}
      </div>
      <Reading of={reading} skeleton={<SimulationSkeleton />}>
        {(simulation) => <Shares simulation={simulation} isOld={reading.isPlaceholderData} />}
      </Reading>
    </div>
  );
}

function Shares({ simulation, isOld }: { simulation: RouteSimulationView; isOld: boolean }) {
  const [view, setView] = useState<"bars" | "table">("bars");
  return (
    <figure
      aria-label={simulation.sentence}
      aria-busy={isOld}
      className={classNames("flex flex-col gap-2", isOld && "opacity-60")}
    >
      <figcaption className="flex items-start gap-2">
        <span role="status" className="min-w-0 flex-1 text-15 leading-5 font-medium text-pretty">
          {simulation.sentence}
        </span>
        <IconButton
          label={view === "bars" ? "Show as table" : "Show as bars"}
          icon={view === "bars" ? Table2 : ChartBar}
          onClick={() => setView(view === "bars" ? "table" : "bars")}
        />
      </figcaption>
      {view === "bars" ? <ShareBars shares={simulation.shares} /> : <SharesTable simulation={simulation} />}
      {simulation.failures > 0 && (
        <Notice tone="bad" title={`${formatCount(simulation.failures)} would fail.`}>
          {simulation.failure}
        </Notice>
      )}
    </figure>
  );
}

/** Bars from zero, with a tick at the share expected from the weights. */
function ShareBars({ shares }: { shares: CandidateShareView[] }) {
  return (
    <ul className="flex flex-col gap-2.5">
      {shares.map((share) => (
        <li key={`${share.backend}/${share.model}`}>
          <span className="flex items-baseline gap-2">
            <span className="font-medium">{share.backend}</span>
            <code className="min-w-0 flex-1 truncate font-mono text-12 text-ink-2">{share.model}</code>
            <span className="font-medium">{formatPercent(share.percent)}</span>
          </span>
          <span aria-hidden className="relative mt-1 block h-2 rounded-full bg-surface-3">
            <span data-mark className="block h-full rounded-full bg-series-1" style={{ width: `${share.percent}%` }} />
            {share.expected_percent !== null && (
              <span
                data-mark
                title={`${formatPercent(share.expected_percent)} by weight`}
                className="absolute -inset-y-0.5 w-0.5 bg-ink-1"
                style={{ left: `${Math.min(share.expected_percent, 99.5)}%` }}
              />
            )}
          </span>
          {share.expected_percent !== null && (
            <span className="text-12 text-ink-3">{formatPercent(share.expected_percent)} by weight</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function SharesTable({ simulation }: { simulation: RouteSimulationView }) {
  const head = "border-b border-line pb-1.5 font-medium";
  const cell = "numeric border-b border-line py-1.5 pl-3";
  return (
    <table className="w-full border-separate border-spacing-0 text-12">
      <thead className="text-ink-3">
        <tr>
          <th scope="col" className={classNames(head, "text-left")}>
            First choice
          </th>
          <th scope="col" className={classNames(head, "numeric")}>
            Requests
          </th>
          <th scope="col" className={classNames(head, "numeric")}>
            Share
          </th>
          <th scope="col" className={classNames(head, "numeric")}>
            By weight
          </th>
        </tr>
      </thead>
      <tbody>
        {simulation.shares.map((share) => (
          <tr key={`${share.backend}/${share.model}`}>
            <th scope="row" className="border-b border-line py-1.5 text-left font-normal [overflow-wrap:anywhere]">
              {share.backend} <code className="font-mono text-ink-2">{share.model}</code>
            </th>
            <td className={cell}>{formatCount(share.draws)}</td>
            <td className={cell}>{formatPercent(share.percent)}</td>
            <td className={cell}>{share.expected_percent === null ? "–" : formatPercent(share.expected_percent)}</td>
          </tr>
        ))}
        <tr>
          <th scope="row" className="py-1.5 text-left font-normal">
            None
          </th>
          <td className="numeric py-1.5 pl-3">{formatCount(simulation.failures)}</td>
          <td colSpan={2} className={cell}>
            –
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function SimulationSkeleton() {
  return (
    <div role="status" aria-label="Loading simulation" className="flex flex-col gap-3">
      <Skeleton className="h-4 w-3/5" />
      <Skeleton className="h-8" />
      <Skeleton className="h-8" />
    </div>
  );
}
