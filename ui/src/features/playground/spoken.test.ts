import { expect, test } from "vitest";
import { spokenPart } from "@/features/playground/spoken";

const sentence = "This sentence has about fifty characters in it. ";

function said(text: string, state: "streaming" | "complete" | "failed" = "streaming"): string {
  const is_running = state === "streaming";
  return spokenPart({ text, is_running, error: state === "failed" ? { message: "It broke.", code: null } : null });
}

test("while it streams only whole blocks are told, so that it does not speak at every piece", () => {
  expect(said(sentence.repeat(4))).toBe("");
  const block = sentence.repeat(5).trim();
  expect(said(`${sentence.repeat(5)}And mo`)).toBe(block);
  expect(said(`${sentence.repeat(5)}And more of the`)).toBe(block);
  expect(said(sentence.repeat(11))).toBe(block);
});

test("at the end the rest is told, and a failure instead of it", () => {
  expect(said(`${sentence.repeat(5)}The end`, "complete")).toBe("The end");
  expect(said("Short.", "complete")).toBe("Short.");
  expect(said("Half of", "failed")).toBe("It broke.");
});
