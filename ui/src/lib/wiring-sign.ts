/** The sign of a tool's connection. One that has drifted is named after the cause. */
import type { DriftCause, WiringState } from "@/ipc/bindings";
import { DRIFT_CAUSE_WORD, WIRING, type Sign } from "@/lib/tables";

export function wiringSign({ state, cause }: { state: WiringState; cause: DriftCause | null }): Sign {
  const sign = WIRING[state];
  return state === "drifted" && cause !== null ? { ...sign, word: DRIFT_CAUSE_WORD[cause] } : sign;
}
