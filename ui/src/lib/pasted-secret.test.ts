import { expect, test } from "vitest";
import { PRESETS } from "@/ipc/fake/catalogue";
import { inspectSecret } from "@/lib/pasted-secret";

test.each([
  ["sk-or-v1-abc", "openrouter"],
  ["sk-proj-abc", "openai"],
  ["gsk_abc", "groq"],
  ["whatever", undefined],
  ["", undefined],
])("%s is a key of %s", (secret, id) => {
  expect(inspectSecret(secret, PRESETS).provider?.id).toBe(id);
});

test("spaces around are told from spaces inside", () => {
  expect(inspectSecret(" sk-a\n", PRESETS)).toMatchObject({ hasOuterSpace: true, hasInnerSpace: false, empty: false });
  expect(inspectSecret("sk-a\nb", PRESETS)).toMatchObject({ hasOuterSpace: false, hasInnerSpace: true });
  expect(inspectSecret("  ", PRESETS).empty).toBe(true);
});
