/** What a latency measures: from when until when. */
import type { LatencyGroupBy, LatencyPart } from "@/ipc/bindings";

const SPANS: Record<LatencyPart, string> = {
  queue: "waiting for a free slot",
  connect: "until the backend's first byte, without the queue",
  first_token: "from the request to the first token",
  total: "from the request to the end of the answer",
};

/** What was waited for before a backend or a model was asked is not its time. */
export function latencySpan(part: LatencyPart, by: LatencyGroupBy): string {
  if (by !== "backend" && by !== "model") return SPANS[part];
  if (part === "connect") return "from the attempt to the first byte";
  return part === "first_token" ? "from the attempt to the first token" : SPANS[part];
}
