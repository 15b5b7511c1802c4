/** A duration, or a dash where it is not known. */
import { formatDuration } from "@/lib/quantity";

export function durationText(ms: number | null): string {
  return ms === null ? "–" : formatDuration(ms);
}
