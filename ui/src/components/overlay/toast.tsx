/**
 * Results of the user's own actions, with an undo where possible, and what the core tells at once, with a link. Shown
 * for a few seconds. A store, so that any code can add one.
 */
import { useEffect, useSyncExternalStore } from "react";
import { lazyOverlay } from "@/components/overlay/lazy";

const SHOWN_MAX = 3;

export interface Toast {
  title: string;
  detail?: string | null;
  tone?: "ok" | "warn" | "bad";
  undo?: () => void;
  /** Where to look at it. */
  link?: { label: string; path: string };
}

export interface ShownToast extends Toast {
  id: number;
}

let shown: ShownToast[] = [];
let lastId = 0;
/** The toast containers of the open dialogs, newest last. */
let places: HTMLElement[] = [];
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function replace(next: ShownToast[]): void {
  shown = next;
  tell();
}

function offer(place: HTMLElement | null): (() => void) | undefined {
  if (place === null) return undefined;
  places = [...places, place];
  tell();
  return () => {
    places = places.filter((other) => other !== place);
    tell();
  };
}

/**
 * Shows toasts inside the newest open dialog. A modal dialog keeps pointer, focus and screen readers inside, so an
 * "Undo" outside of it would be visible but unreachable.
 */
export function ToastPlace() {
  return <div ref={offer} />;
}

export function notify(toast: Toast): void {
  lastId += 1;
  replace([...shown, { ...toast, id: lastId }].slice(-SHOWN_MAX));
}

/** Why an action of the user's was not done, in the core's words. */
export function notifyError(error: { message: string; hint: string | null }): void {
  notify({ tone: "bad", title: error.message, detail: error.hint });
}

/** Copies a text to the clipboard, and tells whether it did. `what` as inside a sentence: `the gateway address`. */
export function copyText(text: string, what: string): void {
  navigator.clipboard.writeText(text).then(
    () => notify({ title: `Copied ${what}` }),
    () => notify({ tone: "bad", title: `Could not copy ${what}` }),
  );
}

function dismiss(id: number): void {
  replace(shown.filter((toast) => toast.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const ToastStack = lazyOverlay(
  async () => (await import("@/components/overlay/toast-stack")).ToastStack,
  ({ toasts }) => toasts.length > 0,
);

/** The toasts of the whole panel, and gone with it. */
export function Toasts() {
  useEffect(() => () => replace([]), []);
  const toasts = useSyncExternalStore(subscribe, () => shown);
  const place = useSyncExternalStore(subscribe, () => places.at(-1));
  return <ToastStack toasts={toasts} place={place} onDismiss={dismiss} onClose={() => replace([])} />;
}
