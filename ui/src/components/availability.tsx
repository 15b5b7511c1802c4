/** Whether something may be used now: the word, and on hover or focus why and until when. */
import { Hint } from "@/components/hint";
import { Moment } from "@/components/moment";
import { StateBadge, StateMark } from "@/components/state-mark";
import { Until } from "@/components/until";
import type { AvailabilityView } from "@/ipc/bindings";
import { AVAILABILITY } from "@/lib/states";
import type { ReactNode } from "react";

/** Mark, word, and the share while it recovers. */
export function AvailabilityBadge({ of: { state, percent } }: { of: AvailabilityView }) {
  const sign = AVAILABILITY[state];
  return <StateBadge sign={sign} word={percent === null ? sign.word : `${sign.word}, ${percent} %`} />;
}

/** Why, since when and until when, as sentences. */
export function AvailabilityWhy({ of: { why, since, until } }: { of: AvailabilityView }) {
  return (
    <>
      {why}
      {since !== null && (
        <>
          {" "}
          Since <Moment at={since} />
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

/** The mark around whatever names the thing; word and reason come on hover and on focus. */
export function AvailabilityHint({
  of: view,
  about,
  children,
}: {
  of: AvailabilityView;
  /** What it is about, above the word. */
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
