/** Applies events to the playground's runs. */
import type { PlaygroundDeltaView, PlaygroundRunView } from "@/ipc/bindings";

/** The same limit as the core's. */
const RUNS_KEPT_MAX = 4;

/** Replaces a run that began or ended, or adds it as the newest. */
export function withRun(runs: PlaygroundRunView[], run: PlaygroundRunView): PlaygroundRunView[] {
  if (runs.some((known) => known.id === run.id)) return runs.map((known) => (known.id === run.id ? run : known));
  return [...runs, run].slice(-RUNS_KEPT_MAX);
}

/**
 * Appends the next piece to its run; `null` if a piece before it was missed. A piece that was already applied changes
 * nothing.
 */
export function withPiece(runs: PlaygroundRunView[], piece: PlaygroundDeltaView): PlaygroundRunView[] | null {
  const run = runs.find((known) => known.id === piece.run);
  if (run === undefined || run.text.length < piece.text_at || run.thinking.length < piece.thinking_at) return null;
  if (run.text.length > piece.text_at || run.thinking.length > piece.thinking_at) return runs;
  return withRun(runs, {
    ...run,
    state: "streaming",
    text: run.text + piece.text,
    thinking: run.thinking + piece.thinking,
    first_token_ms: piece.first_token_ms,
    elapsed_ms: piece.elapsed_ms,
  });
}
