/** Display texts for the protocols of backends and for servers' deviations from them. */
import type { BackendKind, BackendView, TranslationMode, UnsupportedFeature, ExtraDialect } from "@/ipc/bindings";

/** The kinds that a user can add; the mock is built in. */
type AddedKind = Exclude<BackendKind, "mock">;

interface Word<Value> {
  value: Value;
  label: string;
  note: string;
}

interface KindWord extends Word<AddedKind> {
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

export const LACKS: readonly Word<UnsupportedFeature>[] = [
  { value: "stream-usage", label: "Usage in streams", note: "Not requested; tokens are estimated." },
  { value: "developer-role", label: "developer role", note: "Sent as system messages instead." },
  { value: "max-completion-tokens", label: "max_completion_tokens", note: "max_tokens is sent instead." },
  { value: "parallel-tool-calls", label: "parallel_tool_calls", note: "The field is not sent." },
  { value: "reasoning-effort", label: "reasoning_effort", note: "The field is not sent." },
  { value: "json-schema", label: "JSON schema", note: "Structured output is not supported." },
  { value: "tools", label: "Tools", note: "Tool calls are not supported." },
  { value: "images", label: "Images", note: "Image input is not supported." },
];

export const OFFERS: readonly Word<ExtraDialect>[] = [
  { value: "responses", label: "Responses", note: "POST /responses is passed through unchanged." },
  { value: "messages", label: "Messages", note: "POST /messages (Anthropic's format) is passed through unchanged." },
];

export const CROSSINGS: readonly Word<TranslationMode>[] = [
  {
    value: "strict",
    label: "Strict",
    note: "Fields that would change the response are refused; others are dropped and named in a response header.",
  },
  { value: "lenient", label: "Lenient", note: "All are dropped and named in a response header." },
];

export function kindLabel(kind: BackendKind): string {
  return KINDS.find(({ value }) => value === kind)?.label ?? "Mock";
}

export type Differing = Pick<BackendView, "lacks" | "offers" | "crossing">;

/** The deviations in a few words; null if there are none. */
export function sayDiffering({ lacks, offers, crossing }: Differing): string | null {
  const parts = [
    lacks.length > 0 ? `lacks ${labels(LACKS, lacks)}` : null,
    offers.length > 0 ? `offers ${labels(OFFERS, offers)}` : null,
    crossing === "lenient" ? "lenient" : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? parts.join("; ") : null;
}

function labels<Value extends string>(words: readonly Word<Value>[], chosen: Value[]): string {
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
