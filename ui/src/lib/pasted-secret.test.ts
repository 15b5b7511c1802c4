import { expect, test } from "vitest";
import { PRESETS } from "@/ipc/fake/presets";
import { inspectSecret } from "@/lib/pasted-secret";

test.each([
  ["sk-or-v1-abc", ["openrouter"]],
  ["sk-proj-abc", ["openai"]],
  ["sk-ant-abc", ["anthropic"]],
  ["sk-abc", ["deepseek", "moonshot", "alibaba", "siliconflow"]],
  ["gsk_abc", ["groq"]],
  ["whatever", []],
  ["", []],
])("%s is a key of %s", (secret, ids) => {
  expect(inspectSecret(secret, PRESETS).providers.map(({ id }) => id)).toEqual(ids);
});

test("spaces around are told from spaces inside", () => {
  expect(inspectSecret(" sk-a\n", PRESETS)).toMatchObject({ hasOuterSpace: true, hasInnerSpace: false, empty: false });
  expect(inspectSecret("sk-a\nb", PRESETS)).toMatchObject({ hasOuterSpace: false, hasInnerSpace: true });
  expect(inspectSecret("  ", PRESETS).empty).toBe(true);
});
