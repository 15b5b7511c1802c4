/** The protocols of backends and how servers differ from them, in words for people. */
import type { BackendKindView, BackendView, CrossingView, LackView, OfferView } from "@/ipc/bindings";

/** The kinds that can be added; the mock is built in. */
type AddedKind = Exclude<BackendKindView, "mock">;

interface Word<Value> {
  value: Value;
  label: string;
  note: string;
}

interface KindWord extends Word<AddedKind> {
  /** What may be typed as its address. */
  address: string;
}

export const KINDS: readonly KindWord[] = [
  {
    value: "openai",
    label: "OpenAI",
    note: "OpenAI's own API: Chat, Responses, Embeddings.",
    address: "With or without /v1.",
  },
  {
    value: "anthropic",
    label: "Anthropic",
    note: "Anthropic's Messages, which other providers speak too.",
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
    note: "Any other server with OpenAI's Chat Completions.",
    address: "As its documentation has it, mostly with /v1.",
  },
  {
    value: "ollama",
    label: "Ollama",
    note: "Ollama's own chat, on this machine or in its cloud.",
    address: "With or without /api or /v1.",
  },
];

export const LACKS: readonly Word<LackView>[] = [
  { value: "stream-usage", label: "Usage in streams", note: "Not asked for; tokens are estimated." },
  { value: "developer-role", label: "Role developer", note: "Such messages are sent as system." },
  { value: "max-completion-tokens", label: "max_completion_tokens", note: "The older max_tokens is sent." },
  { value: "parallel-tool-calls", label: "parallel_tool_calls", note: "The field is not sent." },
  { value: "reasoning-effort", label: "reasoning_effort", note: "The field is not sent." },
  { value: "json-schema", label: "JSON schema", note: "No answer in a given schema." },
  { value: "tools", label: "Tools", note: "No tool can be offered to a model." },
  { value: "images", label: "Images", note: "No image can be sent." },
];

export const OFFERS: readonly Word<OfferView>[] = [
  { value: "responses", label: "Responses", note: "POST /responses passes through untranslated." },
  { value: "messages", label: "Messages", note: "POST /messages, as Anthropic has it, passes through untranslated." },
];

export const CROSSINGS: readonly Word<CrossingView>[] = [
  {
    value: "strict",
    label: "Strict",
    note: "What changes the answer is refused by name; the rest is dropped and named in the answer's headers.",
  },
  { value: "lenient", label: "Lenient", note: "All of it is dropped and named in the answer's headers." },
];

export function kindLabel(kind: BackendKindView): string {
  return KINDS.find(({ value }) => value === kind)?.label ?? "Mock";
}

export type Differing = Pick<BackendView, "lacks" | "offers" | "crossing">;

/** How it differs, in a few words; null where it does not. */
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
 * What is sent of the switches. Only a compatible server has any; of another kind the file's own stay, unless the kind
 * itself changes.
 */
export function differingOf(
  kind: BackendKindView,
  { lacks, offers, crossing }: Differing,
  known?: Differing & Pick<BackendView, "kind">,
): Differing {
  if (kind === "openai-compatible") return { lacks, offers, crossing };
  if (known?.kind === kind) return { lacks: known.lacks, offers: known.offers, crossing };
  return { lacks: [], offers: [], crossing };
}
