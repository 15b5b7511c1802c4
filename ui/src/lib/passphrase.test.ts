import { expect, test } from "vitest";
import { passphraseHint } from "@/lib/passphrase";

test.each([
  ["", /cannot be recovered/],
  ["1234567", /at least 8/],
  ["12345678", /^Weak/],
  ["aaaaaaaaaaaaaaaaaaaa", /^Weak/],
  ["correct-horse", /^Fair/],
  ["correct-horse-bat", /^Good/],
])("%j", (text, hint) => {
  expect(passphraseHint(text)).toMatch(hint);
});
