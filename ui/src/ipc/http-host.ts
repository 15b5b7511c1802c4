/**
 * The panel in a browser on loopback, over `/control/v1`. The session is a cookie the page cannot read; the extra
 * header is what a form on another site cannot send.
 */
import { isApiError, offlineError, toApiError } from "@/ipc/api-error";
import type { PanelEvent, Tag } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { buildOperations } from "@/ipc/operations";
import { snakeCase } from "@/lib/names";

const RECONNECT_DELAY_MS = 3_000;
const ONE_TIME_PREFIX = "#one-time=";
const EVERY_TAG: Tag[] = [
  "status",
  "backends",
  "keys",
  "clients",
  "usage",
  "readiness",
  "settings",
  "playground",
  "routes",
  "accesses",
  "cache",
];

async function post(path: string, body: unknown): Promise<Response> {
  try {
    return await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
      headers: { "content-type": "application/json", "x-gatehouse-panel": "1" },
      body: JSON.stringify(body),
    });
  } catch {
    throw offlineError();
  }
}

async function operation(name: string, req: unknown): Promise<unknown> {
  const response = await post(`/control/v1/${snakeCase(name)}`, req);
  const body: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return body;
  throw isApiError(body) ? toApiError(body) : toApiError(`Gatehouse answered with status ${response.status}.`);
}

/** Listens until stopped. After a gap everything may have changed, so a new connection says so. */
function follow(listener: (event: PanelEvent) => void): () => void {
  let source: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let wasLost = false;
  const connect = () => {
    source = new EventSource("/control/v1/events");
    source.addEventListener("open", () => {
      if (wasLost) listener({ kind: "changed", tags: EVERY_TAG });
      wasLost = false;
    });
    source.addEventListener("message", (message: MessageEvent<string>) =>
      listener(JSON.parse(message.data) as PanelEvent),
    );
    source.addEventListener("error", () => {
      if (!wasLost) listener({ kind: "changed", tags: ["status"] });
      wasLost = true;
      // A refused connection is closed for good by the browser; a dropped one reconnects by itself.
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, RECONNECT_DELAY_MS);
    });
  };
  connect();
  return () => {
    clearTimeout(retry);
    source.close();
  };
}

export function httpHost(): Host {
  return {
    ...buildOperations(operation),
    openUrl: (url) => {
      window.open(url, "_blank", "noopener,noreferrer");
      return Promise.resolve(null);
    },
    painted: () => Promise.resolve(null),
    subscribe: follow,
  };
}

/**
 * Trades the one-time token of the address for the session cookie and takes it out of the address and the history.
 * Without one it does nothing: the cookie may still be good.
 */
export async function exchangeOneTimeToken(): Promise<void> {
  const { hash } = window.location;
  if (!hash.startsWith(ONE_TIME_PREFIX)) return;
  const oneTime = decodeURIComponent(hash.slice(ONE_TIME_PREFIX.length));
  window.history.replaceState(null, "", `${window.location.pathname}#/`);
  await post("/panel/exchange", { one_time: oneTime });
}
