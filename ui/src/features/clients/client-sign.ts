/** How the state of a client's token is shown. */
import type { ClientView } from "@/ipc/bindings";
import type { Sign } from "@/lib/tables";

export function signOfClient(client: ClientView): Sign {
  if (client.expired) return { word: "Expired", shape: "square", tone: "warn" };
  return client.seen_at === null
    ? { word: "Never used", shape: "ring", tone: "muted" }
    : { word: "Active", shape: "disc", tone: "ok" };
}
