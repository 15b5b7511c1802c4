/** Words of the panel's own. The signs of states come from the core, in `tables`. */
import type { HealthView } from "@/ipc/bindings";
import { HEALTH, type Sign } from "@/lib/tables";

/** An unconfirmed state shows the last known one, marked as such. */
export function healthSign({ state, last_known }: HealthView): Sign {
  if (state !== "unknown" || last_known === null) return HEALTH[state];
  return { ...HEALTH.unknown, word: `Last known: ${HEALTH[last_known].word.toLowerCase()}` };
}
