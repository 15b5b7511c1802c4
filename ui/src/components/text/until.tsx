/** The remaining time of something as a countdown by the second, with the moment it ends. */
import { useSeconds } from "@/lib/clock";
import { formatClockSeconds, formatCountdown } from "@/lib/time";

export function Until({ at }: { at: number }) {
  const left = at - useSeconds();
  if (left <= 0) return <span className="whitespace-nowrap">any moment now</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={`until ${formatClockSeconds(at)}`} className="whitespace-nowrap">
      {formatCountdown(left)} left
    </time>
  );
}
