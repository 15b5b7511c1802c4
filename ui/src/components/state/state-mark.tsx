/** A state as shape and colour, with its word beside it or in its label: never by colour alone. */
import type { Shape, Sign, Tone } from "@/lib/tables";
import { classNames } from "@/lib/class-names";

export const TONE_TEXT: Record<Tone, string> = {
  ok: "text-ok",
  warn: "text-warn",
  bad: "text-bad",
  info: "text-info",
  muted: "text-ink-3",
};

function shapeOf(shape: Shape) {
  switch (shape) {
    case "disc":
      return <circle cx="6" cy="6" r="4.5" fill="currentColor" />;
    case "half":
      return (
        <>
          <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <path d="M6 2a4 4 0 0 0 0 8z" fill="currentColor" />
        </>
      );
    case "ring":
      return <circle cx="6" cy="6" r="3.9" fill="none" stroke="currentColor" strokeWidth="1.5" />;
    case "triangle":
      return (
        <path
          d="M6 1.2 11.3 10.6H.7z"
          fill="currentColor"
          stroke="currentColor"
          strokeLinejoin="round"
          strokeWidth=".6"
        />
      );
    case "square":
      return <rect x="2.2" y="2.2" width="7.6" height="7.6" rx="1.4" fill="currentColor" />;
    case "barred":
      return (
        <path fillRule="evenodd" fill="currentColor" d="M6 .9a5.1 5.1 0 1 0 0 10.2A5.1 5.1 0 0 0 6 .9M3 5.1h6v1.8H3z" />
      );
    case "dash":
      return <rect x="2" y="5.2" width="8" height="1.6" rx=".8" fill="currentColor" />;
    case "turning":
      return (
        <path
          d="M6 2a4 4 0 1 1-4 4"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.6"
          strokeLinecap="round"
          className="origin-center animate-spin"
        />
      );
  }
}

export function StateMark({ sign, size = 12 }: { sign: Sign; size?: number }) {
  return (
    <svg
      data-mark
      width={size}
      height={size}
      viewBox="0 0 12 12"
      aria-hidden="true"
      className={classNames("shrink-0", TONE_TEXT[sign.tone])}
    >
      {shapeOf(sign.shape)}
    </svg>
  );
}

/** Mark and word. Words of bad and warning states have their colour too. */
export function StateBadge({ sign, word }: { sign: Sign; word?: string }) {
  const loud = sign.tone === "bad" || sign.tone === "warn";
  return (
    <span
      className={classNames(
        "marked gap-1.5",
        loud ? TONE_TEXT[sign.tone] : sign.tone === "muted" ? "text-ink-2" : "text-ink-1",
      )}
    >
      <StateMark sign={sign} />
      {word ?? sign.word}
    </span>
  );
}
