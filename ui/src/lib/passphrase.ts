/** A rough estimate of a passphrase's strength: a hint while typing, not a rule. The core has its own minimum. */
export const PASSPHRASE_CHARS_MIN = 8;
const FAIR_CHARS = 12;
const GOOD_CHARS = 16;
const DISTINCT_CHARS_MIN = 6;

export function passphraseHint(text: string): string {
  if (text === "") return "Several random words work well. It cannot be recovered.";
  if (text.length < PASSPHRASE_CHARS_MIN) return `Too short: use at least ${PASSPHRASE_CHARS_MIN} characters.`;
  if (text.length < FAIR_CHARS || new Set(text).size < DISTINCT_CHARS_MIN) return "Weak: a program could guess it.";
  return text.length < GOOD_CHARS ? "Fair. A longer one is safer." : "Good.";
}
