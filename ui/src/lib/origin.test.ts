import { expect, test } from "vitest";
import { originOf } from "@/lib/origin";

test.each([
  ["https://api.groq.com/openai/v1", "https://api.groq.com:443"],
  ["https://API.groq.com:443", "https://api.groq.com:443"],
  ["http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"],
  ["http://[::1]/v1", "http://[::1]:80"],
  ["api.groq.com", null],
  ["", null],
])("%s belongs to %s", (address, origin) => {
  expect(originOf(address)).toBe(origin);
});
