/**
 * What can be told of a key by looking at it once, while it is being typed or pasted. Only these findings are kept;
 * the key itself stays in its field.
 */
import type { PresetView } from "@/ipc/bindings";

export interface SecretFindings {
  /** The provider whose keys begin like this, when exactly known. */
  provider: PresetView | null;
  /** Spaces or line breaks inside: a key never has them. */
  hasInnerSpace: boolean;
  /** Spaces or line breaks around it, which are taken off. */
  hasOuterSpace: boolean;
  empty: boolean;
}

export const NOTHING_FOUND: SecretFindings = {
  provider: null,
  hasInnerSpace: false,
  hasOuterSpace: false,
  empty: true,
};

export function inspectSecret(text: string, presets: PresetView[]): SecretFindings {
  const trimmed = text.trim();
  return {
    provider: detectProvider(trimmed, presets),
    hasInnerSpace: /\s/.test(trimmed),
    hasOuterSpace: trimmed !== text,
    empty: trimmed === "",
  };
}

/** The longest matching prefix wins: `sk-or-` is OpenRouter's although `sk-` is OpenAI's. */
function detectProvider(secret: string, presets: PresetView[]): PresetView | null {
  let best: PresetView | null = null;
  for (const preset of presets) {
    const prefix = preset.key_prefix;
    if (prefix === null || prefix === "" || !secret.startsWith(prefix)) continue;
    if (best === null || prefix.length > (best.key_prefix?.length ?? 0)) best = preset;
  }
  return best;
}
