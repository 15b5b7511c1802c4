// Puts questions to the gateway through the vendors' Node SDKs, and prints what came of them.
//
// Standard input says where the gateway is and what to ask; the questions stand in tests/sdk, once for
// all SDKs and without any dialect. Each module here knows how one SDK is called, and brings what it
// answered into one form: text, finish, calls, thinking, usage, or what was raised.

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
// Some SDKs wait before they ask again; the others need not wait for them.
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
