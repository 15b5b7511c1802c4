import { expect, test } from "vitest";
import { signOfClient } from "@/features/clients/client-sign";
import { makeClient } from "@/ipc/fake/world";

const NOW = Date.UTC(2026, 7, 1);
const FIVE_MINUTES_MS = 300_000;

const wordSeen = (ago: number | null, expired = false) => {
  const seen_at = ago === null ? null : NOW - ago;
  return signOfClient({ ...makeClient("codex", NOW, 4283), seen_at, expired }, NOW).word;
};

test("a client is active for five minutes after its last request", () => {
  expect(wordSeen(null)).toBe("Never used");
  expect(wordSeen(0)).toBe("Active");
  expect(wordSeen(FIVE_MINUTES_MS)).toBe("Active");
  expect(wordSeen(FIVE_MINUTES_MS + 1)).toBe("Inactive");
  expect(wordSeen(0, true)).toBe("Expired");
});
