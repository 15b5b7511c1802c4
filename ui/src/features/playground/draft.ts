/**
 * The current draft, kept while the panel is open so that switching screens loses nothing. Prompts are never written to
 * storage.
 */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { ReasoningEffort, PlaygroundSend } from "@/ipc/bindings";

export type Seat = "a" | "b";
export const SEATS: Seat[] = ["a", "b"];
export type Mode = "one" | "two";

export interface Draft {
  mode: Mode;
  models: Record<Seat, string>;
  /** The run shown on each side. */
  runs: Record<Seat, string | null>;
  prompt: string;
  /** `null` if there is no system prompt. */
  system: string | null;
  temperature: string;
  max_tokens: string;
  effort: ReasoningEffort | "";
}

/** Answers without network or cost, so that a first prompt works at once. */
const FIRST_MODEL = "mock/chat";
const SECOND_MODEL = "mock/slow";

const EMPTY: Draft = {
  mode: "one",
  models: { a: FIRST_MODEL, b: SECOND_MODEL },
  runs: { a: null, b: null },
  prompt: "",
  system: null,
  temperature: "",
  max_tokens: "",
  effort: "",
};

interface Store {
  draft: Draft;
  /** The model that the address asked for; taken over once. */
  asked: string | null;
  listeners: Set<() => void>;
}

const stores = new WeakMap<QueryClient, Store>();

function storeOf(cache: QueryClient): Store {
  const known = stores.get(cache) ?? { draft: EMPTY, asked: null, listeners: new Set() };
  stores.set(cache, known);
  return known;
}

export type ChangeDraft = (change: (draft: Draft) => Draft) => void;

/** `asked` is the model in the address, from a link to the playground. */
export function useDraft(asked: string | null): [Draft, ChangeDraft] {
  const store = storeOf(useQueryClient());
  if (store.asked !== asked) {
    store.asked = asked;
    if (asked !== null) store.draft = { ...store.draft, models: { ...store.draft.models, a: asked } };
  }
  const draft = useSyncExternalStore(
    (listener) => {
      store.listeners.add(listener);
      return () => store.listeners.delete(listener);
    },
    () => store.draft,
  );
  return [draft, (by) => write(store, by(store.draft))];
}

function write(store: Store, draft: Draft): void {
  store.draft = draft;
  for (const listener of store.listeners) listener();
}

export function seatsOf(draft: Draft): Seat[] {
  return draft.mode === "one" ? ["a"] : SEATS;
}

/**
 * An empty field leaves the choice to the backend. Text that is not a number becomes NaN, which the core refuses by
 * name.
 */
function numberOf(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}

export function requestOf(draft: Draft, seat: Seat): PlaygroundSend {
  return {
    model: draft.models[seat],
    system: draft.system,
    prompt: draft.prompt,
    temperature: numberOf(draft.temperature),
    max_tokens: numberOf(draft.max_tokens),
    effort: draft.effort === "" ? null : draft.effort,
  };
}
