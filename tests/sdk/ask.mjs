// Sends the requests on standard input to the gateway with OpenAI's Node SDK, and prints the results.
//
// sdk.rs defines the requests once for both SDKs; this file only calls the SDK.

import { readFileSync } from "node:fs";

import OpenAI from "openai";
import { VERSION } from "openai/version";

const callOf = (call) => ({
  id: call.id,
  name: call.function.name,
  arguments: call.function.arguments,
});

const usageOf = (usage) => (usage ? [usage.prompt_tokens, usage.completion_tokens] : null);

const seenIn = (completion) => ({
  text: completion.choices[0].message.content,
  finish: completion.choices[0].finish_reason,
  calls: (completion.choices[0].message.tool_calls ?? []).map(callOf),
  usage: usageOf(completion.usage),
  model: completion.model,
});

const gatehouse = (headers) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-gatehouse-")));

const ways = {
  async whole(client, request) {
    const { data, response } = await client.chat.completions.create(request).withResponse();
    return { ...seenIn(data), headers: gatehouse(response.headers) };
  },

  async streamed(client, request, seen) {
    const { data, response } = await client.chat.completions.create(request).withResponse();
    Object.assign(seen, { text: "", finish: null, calls: [], usage: null, pieces: 0 });
    seen.headers = gatehouse(response.headers);
    for await (const chunk of data) {
      seen.model = chunk.model;
      seen.usage = usageOf(chunk.usage) ?? seen.usage;
      for (const { delta, finish_reason: finish } of chunk.choices) {
        seen.pieces += 1;
        seen.text += delta.content ?? "";
        seen.finish = finish ?? seen.finish;
        for (const call of delta.tool_calls ?? []) {
          if (call.index === seen.calls.length) seen.calls.push(callOf(call));
          else seen.calls[call.index].arguments += call.function.arguments;
        }
      }
    }
    return seen;
  },

  async helped(client, request) {
    return seenIn(await client.chat.completions.stream(request).finalChatCompletion());
  },

  async models(client) {
    const models = [];
    for await (const model of client.models.list()) models.push(model.id);
    return { models: models.sort() };
  },
};

const ask = async (client, { way, request }) => {
  const seen = {};
  try {
    return await ways[way](client, request, seen);
  } catch (error) {
    const raised = { class: error.constructor.name, message: error.message };
    raised.is_openai_error = error instanceof OpenAI.OpenAIError;
    raised.status = error.status ?? null;
    raised.code = error.code ?? null;
    return { ...seen, raised };
  }
};

const asked = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL: asked.base_url, apiKey: asked.token });
const answers = {};
for (const question of asked.questions) answers[question.name] = await ask(client, question);
console.log(JSON.stringify({ version: VERSION, answers }));
