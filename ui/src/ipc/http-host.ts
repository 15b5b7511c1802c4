/** The host for a browser on loopback, over `/control/v1`. */
import { EventSourceParserStream } from "eventsource-parser/stream";
import { isApiError, toApiError } from "@/ipc/api-error";
import type { ApiError, PanelEvent } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { buildOperations } from "@/ipc/operations";
import type { BrowserSession } from "@/ipc/session";
import { EVERY_TAG } from "@/ipc/tags";
import { snakeCase } from "@/lib/names";

const RECONNECT_DELAY_MS = 3_000;

async function operation(session: BrowserSession, name: string, req: unknown): Promise<unknown> {
  const response = await session.fetch(`/control/v1/${snakeCase(name)}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(req),
  });
  const body: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return body;
  throw isApiError(body) ? toApiError(body) : toApiError(`Gatehouse answered with status ${response.status}.`);
}

/**
 * Listens until stopped. Reads the stream with `fetch`, because `EventSource` cannot send a header. Everything may have
 * changed before a connection, so each reports that.
 */
function follow(session: BrowserSession, listener: (event: PanelEvent) => void): () => void {
  const stopping = new AbortController();
  let retry: ReturnType<typeof setTimeout> | undefined;
  let wasLost = false;
  const isOver = () => stopping.signal.aborted || session.state() !== "open";
  const opened = () => {
    wasLost = false;
    listener({ kind: "changed", tags: EVERY_TAG });
  };
  const connect = async () => {
    await readEvents(session, stopping.signal, opened, listener).catch(() => undefined);
    if (isOver()) return;
    if (!wasLost) listener({ kind: "changed", tags: ["status"] });
    wasLost = true;
    retry = setTimeout(() => void connect(), RECONNECT_DELAY_MS);
  };
  void connect();
  return () => {
    clearTimeout(retry);
    stopping.abort();
  };
}

/** Reads one connection until it ends. */
async function readEvents(
  session: BrowserSession,
  signal: AbortSignal,
  onOpen: () => void,
  listener: (event: PanelEvent) => void,
): Promise<void> {
  const response = await session.fetch("/control/v1/events", { signal });
  if (!response.ok || response.body === null) return;
  onOpen();
  const text = response.body.pipeThrough(new TextDecoderStream());
  const reader = text.pipeThrough(new EventSourceParserStream()).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read())
    listener(JSON.parse(read.value.data) as PanelEvent);
}

/** The page of a browser starts no programs. */
const NOT_IN_BROWSER: ApiError = {
  code: "failed",
  message: "This works in the Gatehouse window only.",
  hint: null,
  field: null,
};

export function httpHost(session: BrowserSession): Host {
  return {
    ...buildOperations((name, req) => operation(session, name, req)),
    session,
    openUrl: (url) => {
      window.open(url, "_blank", "noopener,noreferrer");
      return Promise.resolve(null);
    },
    chooseFolder: () => Promise.reject(NOT_IN_BROWSER),
    launchTool: () => Promise.reject(NOT_IN_BROWSER),
    painted: () => Promise.resolve(null),
    subscribe: (listener) => follow(session, listener),
  };
}
