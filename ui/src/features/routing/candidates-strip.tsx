/**
 * The candidates of a route at a glance. The layout shows the policy: a queue with positions, weights side by side, or
 * a choice with the candidate first that served most of the day's requests.
 */
import { ChevronRight } from "lucide-react";
import { AvailabilityHint, AvailabilityMark } from "@/components/state/availability";
import { PanelLink } from "@/components/layout/panel-link";
import { TONE_TEXT } from "@/components/state/state-mark";
import { policyOf } from "@/features/routing/policies";
import type { RouteCandidateView, RouteView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { AVAILABILITY } from "@/lib/tables";
import { formatPercent } from "@/lib/percent";

export function CandidatesStrip({ route }: { route: RouteView }) {
  const { shape } = policyOf(route.policy);
  return (
    <ol aria-label={`Candidates of ${route.id}`} className="flex flex-wrap items-center gap-1.5">
      {route.candidates.map((candidate, index) => (
        <li key={`${candidate.backend}/${candidate.model ?? ""}`} className="flex min-w-0 items-center gap-1.5">
          {index > 0 && shape === "queue" && (
            <ChevronRight size={12} strokeWidth={1.75} aria-hidden className="shrink-0 text-ink-3" />
          )}
          <Candidate
            candidate={candidate}
            lead={shape === "queue" ? String(index + 1) : shape === "shares" ? `×${candidate.weight}` : null}
          />
        </li>
      ))}
    </ol>
  );
}

/** The model while the candidate is healthy, else the word of its state. Both appear on hover and on focus. */
function Candidate({ candidate, lead }: { candidate: RouteCandidateView; lead: string | null }) {
  const { availability, model } = candidate;
  const { word, tone } = AVAILABILITY[availability.state];
  const isReady = availability.state === "ready";
  return (
    <AvailabilityHint of={availability} about={model ?? "The requested model"}>
      <PanelLink
        look="none"
        path={`/backends/${encodeURIComponent(candidate.backend)}`}
        aria-label={`${candidate.backend_label}, ${model ?? "the requested model"}: ${word}`}
        className={classNames(
          "flex h-7 min-w-0 items-center gap-1.5 rounded-control border bg-surface-0 px-2 text-12 transition-colors duration-150 hover:border-line-strong",
          tone === "bad" ? "border-bad/50" : "border-line",
        )}
      >
        {lead !== null && <span className="text-11 text-ink-3">{lead}</span>}
        <AvailabilityMark of={availability} />
        <span className="font-medium whitespace-nowrap text-ink-1">{candidate.backend_label}</span>
        {isReady && model !== null && (
          <span className="hidden max-w-36 truncate font-mono text-11 text-ink-3 @min-[480px]:inline">{model}</span>
        )}
        {!isReady && (
          <span className={classNames("whitespace-nowrap", TONE_TEXT[tone])}>
            {word}
            {availability.percent !== null && ` ${formatPercent(availability.percent)}`}
          </span>
        )}
      </PanelLink>
    </AvailabilityHint>
  );
}
