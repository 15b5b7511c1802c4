/** What a screen reader is told of an answer that grows: whole sentences in blocks, not every piece. */
import type { PlaygroundRunView } from "@/ipc/bindings";

/** Shortest block, so that it speaks once in a while and not at every sentence. */
const BLOCK_CHARS_MIN = 240;

/** The newest finished block; all that is left when the answer has ended. */
export function spokenPart(run: Pick<PlaygroundRunView, "text" | "state" | "error">): string {
  const blocks: string[] = [];
  let block = "";
  for (const sentence of run.text.split(/(?<=[.!?]\s)/)) {
    block += sentence;
    if (block.length < BLOCK_CHARS_MIN || !/[.!?]\s$/.test(block)) continue;
    blocks.push(block);
    block = "";
  }
  const isGoing = run.state === "waiting" || run.state === "streaming";
  if (isGoing) return (blocks.at(-1) ?? "").trim();
  return run.error?.message ?? (block === "" ? (blocks.at(-1) ?? "") : block).trim();
}
