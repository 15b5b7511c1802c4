/** Words of the panel's own. The signs of states come from the core, in `tables`. */
import type { BreakerOverrideView, CheckSeverityView, HealthView, VaultKindView } from "@/ipc/bindings";
import { HEALTH, type Sign } from "@/lib/tables";

/** An unconfirmed state shows the last known one, marked as such. */
export function healthSign({ state, last_known }: HealthView): Sign {
  if (state !== "unknown" || last_known === null) return HEALTH[state];
  return { ...HEALTH.unknown, word: `Last known: ${HEALTH[last_known].word.toLowerCase()}` };
}

export const FORCED_WORD: Record<BreakerOverrideView, string> = {
  open: "Traffic blocked",
  closed: "Traffic allowed",
  monitor_only: "Monitor only",
  disabled: "Breaker disabled",
};

export const SEVERITY_WORD: Record<CheckSeverityView, string> = {
  blocker: "Blocker",
  major: "Major",
  minor: "Minor",
  info: "Info",
};

export const VAULT_KIND_WORD: Record<VaultKindView, string> = {
  keychain: "System keychain",
  file: "Encrypted file",
  env: "Environment (read-only)",
  memory: "Memory (lost on exit)",
};
