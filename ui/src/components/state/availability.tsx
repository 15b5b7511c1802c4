/** Whether something may be used now, as a word; reason and end appear on hover or focus. */
import { Hint } from "@/components/overlay/hint";
import { Moment } from "@/components/text/moment";
import { StateBadge, StateMark } from "@/components/state/state-mark";
import { Until } from "@/components/text/until";
import type { AvailabilityView } from "@/ipc/bindings";
import { AVAILABILITY } from "@/lib/tables";
import type { ReactNode } from "react";
import { formatPercent } from "@/lib/percent";

/** Mark, word, and the share of traffic while it recovers. */
export function AvailabilityBadge({ of: { state, percent } }: { of: AvailabilityView }) {
  const sign = AVAILABILITY[state];
  return <StateBadge sign={sign} word={percent === null ? sign.word : `${sign.word}, ${formatPercent(percent)}`} />;
}

/** Reason, start and end as sentences. */
export function AvailabilityWhy({ of: { why, since, until } }: { of: AvailabilityView }) {
  return (
    <>
      {why}
      {since !== null && (
        <>
          {" "}
          Began <Moment at={since} />
        </>
      )}
      {until !== null && (
        <>
          {since === null ? " " : ", "}
          <Until at={until} />
        </>
      )}
      {(since !== null || until !== null) && "."}
    </>
  );
}

/** A mark around any content; word and reason appear on hover and on focus. */
export function AvailabilityHint({
  of: view,
  about,
  children,
}: {
  of: AvailabilityView;
  /** The name shown above the word. */
  about: string;
  children: ReactNode;
}) {
  return (
    <Hint
      text={
        <span className="block">
          <span className="block text-ink-2">{about}</span>
          <span className="block font-medium">{AVAILABILITY[view.state].word}</span>
          <AvailabilityWhy of={view} />
        </span>
      }
    >
      {children}
    </Hint>
  );
}

export function AvailabilityMark({ of: { state } }: { of: AvailabilityView }) {
  return <StateMark sign={AVAILABILITY[state]} />;
}
