/**
 * Results of the user's own actions, with an undo where possible, and what the core tells at once, with a link. Shown
 * for a few seconds. A store, so that any code can add one.
 */
import * as Radix from "@radix-ui/react-toast";
import { X } from "lucide-react";
import { useLayoutEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { IconButton } from "@/components/button";
import { PanelLink } from "@/components/panel-link";
import { StateMark } from "@/components/state-mark";
import { WithCode } from "@/components/with-code";
import type { Sign } from "@/lib/tables";

const SHOWN_MAX = 3;
const PLAIN_MS = 6_000;
/** With something to press. */
const ACTION_MS = 10_000;

const SIGNS: Record<NonNullable<Toast["tone"]>, Sign> = {
  ok: { word: "Done", shape: "disc", tone: "ok" },
  warn: { word: "Attention", shape: "triangle", tone: "warn" },
  bad: { word: "Failed", shape: "barred", tone: "bad" },
};

export interface Toast {
  title: string;
  detail?: string | null;
  tone?: "ok" | "warn" | "bad";
  undo?: () => void;
  /** Where to look at it. */
  link?: { label: string; path: string };
}

interface Shown extends Toast {
  id: number;
}

let shown: Shown[] = [];
let lastId = 0;
/** The toast containers of the open dialogs, newest last. */
let places: HTMLElement[] = [];
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function replace(next: Shown[]): void {
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

function dismiss(id: number): void {
  replace(shown.filter((toast) => toast.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const toasts = useSyncExternalStore(subscribe, () => shown);
  const place = useSyncExternalStore(subscribe, () => places.at(-1));
  // One element that is moved between containers: a toast mounted again would restart its timer.
  const [frame] = useState(() => document.createElement("div"));
  const [home, setHome] = useState<HTMLElement | null>(null);
  useLayoutEffect(() => {
    (place ?? home)?.append(frame);
  }, [place, home, frame]);
  return (
    <Radix.Provider swipeDirection="right" label="Result">
      {children}
      {toasts.map((toast) => (
        <Radix.Root
          key={toast.id}
          duration={toast.undo || toast.link ? ACTION_MS : PLAIN_MS}
          onOpenChange={(open) => !open && dismiss(toast.id)}
          className="flex animate-rise items-start gap-3 rounded-card border border-line bg-surface-1 py-2.5 pr-2 pl-3.5 shadow-float"
        >
          <span className="pt-1">
            <StateMark sign={SIGNS[toast.tone ?? "ok"]} />
          </span>
          <div className="min-w-0 flex-1">
            <Radix.Title className="font-medium text-ink-1 [overflow-wrap:anywhere]">{toast.title}</Radix.Title>
            {toast.detail && (
              <Radix.Description className="text-12 text-ink-2 [overflow-wrap:anywhere]">
                <WithCode>{toast.detail}</WithCode>
              </Radix.Description>
            )}
          </div>
          {toast.undo && (
            <Radix.Action
              altText="Undo"
              onClick={toast.undo}
              className="h-7 rounded-control px-2 text-12 font-medium text-accent hover:bg-surface-2"
            >
              Undo
            </Radix.Action>
          )}
          {toast.link && (
            <Radix.Action asChild altText={toast.link.label}>
              <PanelLink
                look="none"
                path={toast.link.path}
                className="flex h-7 items-center rounded-control px-2 text-12 font-medium whitespace-nowrap text-accent hover:bg-surface-2"
              >
                {toast.link.label}
              </PanelLink>
            </Radix.Action>
          )}
          <Radix.Close asChild>
            <IconButton label="Dismiss" icon={X} />
          </Radix.Close>
        </Radix.Root>
      ))}
      <div ref={setHome} />
      {createPortal(
        <Radix.Viewport className="fixed right-4 bottom-10 z-50 flex w-[340px] max-w-[calc(100vw-32px)] flex-col gap-2 outline-none" />,
        frame,
      )}
    </Radix.Provider>
  );
}
