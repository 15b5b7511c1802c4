/**
 * Findings about a key from one look at it, while it is typed or pasted. Only these findings are kept; the key itself
 * stays in its field.
 */
import type { BackendPresetView } from "@/ipc/bindings";

export interface SecretFindings {
  /** The providers whose keys have this prefix: one if it is unique, several if it is shared. */
  providers: BackendPresetView[];
  /** Spaces or line breaks inside, which a key never has. */
  hasInnerSpace: boolean;
  /** Spaces or line breaks around it, which are trimmed. */
  hasOuterSpace: boolean;
  empty: boolean;
}

export const NOTHING_FOUND: SecretFindings = {
  providers: [],
  hasInnerSpace: false,
  hasOuterSpace: false,
  empty: true,
};

export function inspectSecret(text: string, presets: BackendPresetView[]): SecretFindings {
  const trimmed = text.trim();
  return {
    providers: detectProviders(trimmed, presets),
    hasInnerSpace: /\s/.test(trimmed),
    hasOuterSpace: trimmed !== text,
    empty: trimmed === "",
  };
}

/** The longest matching prefix wins: `sk-or-` is OpenRouter's although `sk-` is DeepSeek's and others'. */
function detectProviders(secret: string, presets: BackendPresetView[]): BackendPresetView[] {
  let best: BackendPresetView[] = [];
  for (const preset of presets) {
    const prefix = preset.key_prefix;
    if (prefix === null || prefix === "" || !secret.startsWith(prefix)) continue;
    const length = best[0]?.key_prefix?.length ?? 0;
    if (prefix.length > length) best = [preset];
    else if (prefix.length === length) best.push(preset);
  }
  return best;
}
