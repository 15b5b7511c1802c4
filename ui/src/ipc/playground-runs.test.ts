import { expect, test } from "vitest";
import type { PlaygroundDeltaView, PlaygroundRunView } from "@/ipc/bindings";
import { withPiece, withRun } from "@/ipc/playground-runs";

const run = (id: string, text = "") => ({ id, text, thinking: "", state: "waiting" }) as PlaygroundRunView;

function piece(text_at: number, text: string): PlaygroundDeltaView {
  return { run: "a", text_at, text, thinking_at: 0, thinking: "", first_token_ms: 5, elapsed_ms: 9 };
}

test("pieces put an answer together; one that is there already changes nothing", () => {
  const runs = withPiece([run("a")], piece(0, "one ")) ?? [];
  const whole = withPiece(runs, piece(4, "two")) ?? [];
  expect(whole[0]).toMatchObject({ text: "one two", state: "streaming", elapsed_ms: 9, first_token_ms: 5 });
  expect(withPiece(whole, piece(4, "two"))).toBe(whole);
});

test("a gap and an unknown run are seen, so that the runs are read again", () => {
  expect(withPiece([run("a", "one ")], piece(9, "three"))).toBeNull();
  expect(withPiece([run("b")], piece(0, "one"))).toBeNull();
});

test("as many runs are kept as the core keeps, in their places", () => {
  const five = ["a", "b", "c", "d", "e"].reduce<PlaygroundRunView[]>((runs, id) => withRun(runs, run(id)), []);
  expect(five.map(({ id }) => id)).toEqual(["b", "c", "d", "e"]);
  expect(withRun(five, run("c", "new")).map(({ id, text }) => id + text)).toEqual(["b", "cnew", "d", "e"]);
});
