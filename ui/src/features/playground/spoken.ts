/** What a screen reader announces of a streaming answer: blocks of whole sentences, not every piece. */
import type { PlaygroundRunView } from "@/ipc/bindings";

/** Minimum length of a block, so that it speaks occasionally and not at every sentence. */
const BLOCK_CHARS_MIN = 240;

/** The newest complete block; the whole rest when the answer has ended. */
export function spokenPart(run: Pick<PlaygroundRunView, "text" | "is_running" | "error">): string {
  const blocks: string[] = [];
  let block = "";
  for (const sentence of run.text.split(/(?<=[.!?]\s)/)) {
    block += sentence;
    if (block.length < BLOCK_CHARS_MIN || !/[.!?]\s$/.test(block)) continue;
    blocks.push(block);
    block = "";
  }
  if (run.is_running) return (blocks.at(-1) ?? "").trim();
  return run.error?.message ?? (block === "" ? (blocks.at(-1) ?? "") : block).trim();
}
