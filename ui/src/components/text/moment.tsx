/** A point in time: relative in the text, exact on hover and, if `focusable`, on focus. */
import { Hint } from "@/components/overlay/hint";
import { useNow } from "@/lib/clock";
import { formatExact, formatRelative } from "@/lib/time";

export function Moment({ at, focusable = false }: { at: number; focusable?: boolean }) {
  const now = useNow();
  const exact = formatExact(at);
  const text = formatRelative(at, now);
  const time = { dateTime: new Date(at).toISOString(), className: "whitespace-nowrap" };
  if (!focusable) {
    return (
      <time {...time} title={exact}>
        {text}
      </time>
    );
  }
  return (
    <Hint text={exact}>
      <button type="button" className="rounded-mark">
        <time {...time}>{text}</time>
      </button>
    </Hint>
  );
}
