// Sends requests to the gateway through the vendors' Node SDKs, and prints the results.
//
// Standard input has the gateway's address and the requests; tests/sdk defines them once for all SDKs
// in a dialect-independent form. Each module here calls one SDK and converts its results into a common
// form: text, finish, calls, thinking, usage, or the raised error.

import { readFileSync } from "node:fs";

import * as anthropic from "./anthropic_messages.mjs";
import * as gemini from "./google_gemini.mjs";
import * as chat from "./openai_chat.mjs";
import * as responses from "./openai_responses.mjs";
import * as vercel from "./vercel.mjs";

const surfaces = {
  "openai-chat": chat,
  "openai-responses": responses,
  "anthropic-messages": anthropic,
  gemini,
  ...vercel.surfaces,
};

const put = async ({ root, token }, question) => {
  const surface = surfaces[question.surface];
  const seen = {};
  try {
    return await surface[question.way](root, token, question, seen);
  } catch (error) {
    const status = error.status ?? error.statusCode ?? error.lastError?.statusCode;
    const raised = { class: error.constructor.name, message: String(error.message) };
    raised.vendors = surface.errors.some((kind) => error instanceof kind);
    raised.status = typeof status === "number" ? status : null;
    return { ...seen, raised };
  }
};

const asked = JSON.parse(readFileSync(0, "utf8"));
const answers = {};
// Several at once, so that an SDK that waits before a retry does not delay the others.
const atOnce = 8;
const waiting = [...asked.questions];
const work = async () => {
  for (let question = waiting.shift(); question; question = waiting.shift()) {
    answers[question.name] = await put(asked, question);
  }
};
await Promise.all(Array.from({ length: atOnce }, work));
const packaged = (surface) => {
  const file = new URL(`../node_modules/${surface.name}/package.json`, import.meta.url);
  return [surface.name, JSON.parse(readFileSync(file, "utf8")).version];
};
const versions = Object.fromEntries(Object.values(surfaces).map(packaged));
process.stdout.write(JSON.stringify({ versions, answers }));
