/**
 * The browser's session with the core. Its token is in this tab's session storage, which only this origin can read, and
 * is sent in a header. A cookie would be sent to every port of 127.0.0.1, and so to any other local server.
 */
import { offlineError } from "@/ipc/api-error";
import type { ApiError } from "@/ipc/bindings";

/** `none`: opened without a link. `refused`: the link was used before or is too old. */
export type SessionState = "open" | "none" | "refused" | "ended" | "signed_out";

/** What the page shows of the session. */
export interface Session {
  state(): SessionState;
  /** Calls `listener` when the state changes, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** Ends the session in the core and in this tab. */
  signOut(): Promise<void>;
}

/** What a transport needs of the session. */
export interface BrowserSession extends Session {
  /** `fetch` with the session's header. A response that the session is unknown ends it here. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

const STORED_UNDER = "gatehouse.session";
const ONE_TIME_PREFIX = "#one-time=";

function signedOutError(): ApiError {
  return {
    code: "failed",
    message: "You are signed out.",
    hint: "Run `gatehouse panel` for a new link.",
    field: null,
  };
}

export async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", ...init });
  } catch {
    throw offlineError();
  }
}

/** Removes the one-time token from the address and the history and returns it. `null` if there is none. */
function takeOneTimeToken(): string | null {
  const { hash, pathname } = window.location;
  if (!hash.startsWith(ONE_TIME_PREFIX)) return null;
  window.history.replaceState(null, "", `${pathname}#/`);
  return decodeURIComponent(hash.slice(ONE_TIME_PREFIX.length));
}

/** Exchanges a one-time token for a session; `null` if the core rejects it. */
async function exchange(oneTime: string): Promise<string | null> {
  const headers = { "content-type": "application/json" };
  const response = await send("/panel/exchange", {
    method: "POST",
    headers,
    body: JSON.stringify({ one_time: oneTime }),
  });
  if (!response.ok) return null;
  const { session } = (await response.json()) as { session: string };
  return session;
}

/** Opens the session with the one-time token of the address, else with the token stored in this tab. */
export async function openSession(): Promise<BrowserSession> {
  const oneTime = takeOneTimeToken();
  const opened = oneTime === null ? null : await exchange(oneTime).catch(() => null);
  if (opened !== null) sessionStorage.setItem(STORED_UNDER, opened);
  return sessionOf(sessionStorage.getItem(STORED_UNDER), oneTime === null ? "none" : "refused");
}

function sessionOf(stored: string | null, without: "none" | "refused"): BrowserSession {
  const listeners = new Set<() => void>();
  let token = stored;
  let state: SessionState = token === null ? without : "open";
  const end = (as: "ended" | "signed_out") => {
    token = null;
    state = as;
    sessionStorage.removeItem(STORED_UNDER);
    for (const listener of listeners) listener();
  };
  const fetchAs = async (path: string, init: RequestInit = {}) => {
    if (token === null) throw signedOutError();
    const shown = token;
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${shown}`);
    const response = await send(path, { ...init, headers });
    if (response.status === 401 && token === shown) end("ended");
    return response;
  };
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    fetch: fetchAs,
    async signOut() {
      const response = await fetchAs("/panel/sign-out", { method: "POST" });
      if (response.ok) end("signed_out");
    },
  };
}

/**
 * Lets a new link be pasted into a tab that shows the panel. Only the fragment of its address changes, so the browser
 * does not reload by itself. Must be registered before the router's listener.
 */
export function openNewLinks(): void {
  window.addEventListener("popstate", reloadForLink);
  window.addEventListener("hashchange", reloadForLink);
}

function reloadForLink(event: Event): void {
  if (!window.location.hash.startsWith(ONE_TIME_PREFIX)) return;
  event.stopImmediatePropagation();
  window.location.reload();
}
