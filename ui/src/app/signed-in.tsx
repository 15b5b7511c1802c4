/** Shows the panel while the session is open; otherwise explains how to get a new link. */
import { useSyncExternalStore, type ReactNode } from "react";
import { CodeBlock } from "@/components/button/copy-button";
import { Mark } from "@/components/layout/mark";
import type { Session, SessionState } from "@/ipc/session";

const WORDS: Record<Exclude<SessionState, "open">, { title: string; detail: string }> = {
  none: { title: "Sign in to Gatehouse", detail: "Each browser tab signs in with its own link." },
  refused: { title: "This link was already used or has expired", detail: "A link works once, for ten minutes." },
  ended: {
    title: "Your session has ended",
    detail: "Sessions end after 12 hours without use, after 7 days, and when Gatehouse stops.",
  },
  signed_out: { title: "You are signed out", detail: "This tab can no longer reach Gatehouse." },
};

const ALWAYS_OPEN: Pick<Session, "state" | "subscribe"> = { state: () => "open", subscribe: () => () => {} };

export function SignedIn({ session, children }: { session: Session | null; children: ReactNode }) {
  const { state: read, subscribe } = session ?? ALWAYS_OPEN;
  const state = useSyncExternalStore(subscribe, read);
  if (state === "open") return children;
  const { title, detail } = WORDS[state];
  return (
    <main className="flex h-full items-center justify-center p-6">
      <section
        aria-label="Sign in"
        className="flex w-full max-w-96 flex-col gap-4 rounded-card border border-line bg-surface-1 p-6"
      >
        <Mark size={28} />
        <div role="status">
          <h1 className="text-15 font-semibold text-ink-1">{title}</h1>
          <p className="mt-1 text-ink-2">{detail} Run this for a new link:</p>
        </div>
        <CodeBlock title="command" code="gatehouse panel" />
      </section>
    </main>
  );
}
