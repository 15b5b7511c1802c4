/** Display texts for the protocols of backends. */
import type { BackendKind, BackendView } from "@/ipc/bindings";
import { EXTRA_DIALECTS, UNSUPPORTED_FEATURES, type FormChoice } from "@/lib/form-tables";

/** The kinds that a user can add; the mock is built in. */
type AddedKind = Exclude<BackendKind, "mock">;

interface KindWord extends FormChoice<AddedKind> {
  /** Help text of the address field. */
  address: string;
}

export const KINDS: readonly KindWord[] = [
  {
    value: "openai",
    label: "OpenAI",
    note: "OpenAI's API: Chat Completions, Responses, Embeddings.",
    address: "With or without /v1.",
  },
  {
    value: "anthropic",
    label: "Anthropic",
    note: "Anthropic's Messages API, also offered by other providers.",
    address: "With or without /v1.",
  },
  {
    value: "gemini",
    label: "Gemini",
    note: "Google's Gemini API.",
    address: "With or without /v1beta.",
  },
  {
    value: "openai-compatible",
    label: "OpenAI-compatible",
    note: "Any other server with a Chat Completions API.",
    address: "Copy it from the provider's docs; it usually ends in /v1.",
  },
  {
    value: "ollama",
    label: "Ollama",
    note: "Ollama's chat API, local or cloud.",
    address: "With or without /api or /v1.",
  },
];

export function kindLabel(kind: BackendKind): string {
  return KINDS.find(({ value }) => value === kind)?.label ?? "Mock";
}

export type Differing = Pick<BackendView, "lacks" | "offers" | "crossing">;

/** The deviations in a few words; null if there are none. */
export function sayDiffering({ lacks, offers, crossing }: Differing): string | null {
  const parts = [
    lacks.length > 0 ? `lacks ${labels(UNSUPPORTED_FEATURES, lacks)}` : null,
    offers.length > 0 ? `offers ${labels(EXTRA_DIALECTS, offers)}` : null,
    crossing === "lenient" ? "lenient" : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? parts.join("; ") : null;
}

function labels<Value extends string>(words: readonly FormChoice<Value>[], chosen: Value[]): string {
  return words
    .filter(({ value }) => chosen.includes(value))
    .map(({ label }) => label)
    .join(", ");
}

/**
 * The deviations to send. Only a compatible server has any. For another kind the values of the settings file stay,
 * unless the kind itself changes.
 */
export function differingOf(
  kind: BackendKind,
  { lacks, offers, crossing }: Differing,
  known?: Differing & Pick<BackendView, "kind">,
): Differing {
  if (kind === "openai-compatible") return { lacks, offers, crossing };
  if (known?.kind === kind) return { lacks: known.lacks, offers: known.offers, crossing };
  return { lacks: [], offers: [], crossing };
}
