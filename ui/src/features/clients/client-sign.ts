/** How the state of a client's token is shown. */
import type { ClientView } from "@/ipc/bindings";
import type { Sign } from "@/lib/tables";

/** A client that asked nothing for longer is not active. */
const ACTIVE_FOR_MS = 5 * 60_000;

export function signOfClient(client: ClientView, now: number): Sign {
  if (client.blocked) return { word: "Blocked", shape: "square", tone: "bad" };
  if (client.expired) return { word: "Expired", shape: "square", tone: "warn" };
  if (client.seen_at === null) return { word: "Never used", shape: "ring", tone: "muted" };
  return now - client.seen_at <= ACTIVE_FOR_MS
    ? { word: "Active", shape: "disc", tone: "ok" }
    : { word: "Inactive", shape: "ring", tone: "muted" };
}
