// Vercel's `ai` with its providers: five surfaces with one API.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  AISDKError,
  Output,
  embedMany,
  generateText,
  jsonSchema,
  stepCountIs,
  streamText,
  tool,
} from "ai";

const finishes = { "tool-calls": "tools" };

const content = (turn) => {
  if (turn.role === "user") {
    const images = (turn.images ?? []).map((image) => ({
      type: "file",
      mediaType: image.media_type,
      data: image.data,
    }));
    return [{ type: "text", text: turn.text }, ...images];
  }
  if (turn.role === "tool") {
    return turn.results.map(({ id, name, text }) => ({
      type: "tool-result",
      toolCallId: id,
      toolName: name,
      output: { type: "text", value: text },
    }));
  }
  const calls = (turn.calls ?? []).map(({ id, name, arguments: input }) => ({
    type: "tool-call",
    toolCallId: id,
    toolName: name,
    input,
  }));
  return [...(turn.text ? [{ type: "text", text: turn.text }] : []), ...calls];
};

const thinking = {
  openai: {
    reasoningEffort: "low",
    reasoningSummary: "auto",
    forceReasoning: true,
    store: false,
  },
  anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } },
  google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } },
  compatible: { reasoningEffort: "low" },
};

const request = (model, question, seen) => {
  const messages = question.turns.map((turn) => ({ role: turn.role, content: content(turn) }));
  const onError = ({ error }) => {
    seen.error = error;
  };
  // The SDK's own retries would hide the number of requests to the gateway.
  const body = { model, messages, onError, maxRetries: 0 };
  if (question.system) body.instructions = question.system;
  if (question.tools) {
    const made = ({ name, schema }) => [name, tool({ inputSchema: jsonSchema(schema) })];
    body.tools = Object.fromEntries(question.tools.map(made));
  }
  if (question.choice) {
    const named = { type: "tool", toolName: question.choice };
    body.toolChoice = { any: "required", none: "none" }[question.choice] ?? named;
  }
  if (question.one_call) {
    const one = { parallelToolCalls: false };
    body.providerOptions = { openai: one, anthropic: { disableParallelToolUse: true } };
  }
  if (question.schema) {
    body.output = Output.object({ schema: jsonSchema(question.schema), name: "place" });
  }
  if (question.thinking) body.providerOptions = thinking;
  if (question.max_tokens) body.maxOutputTokens = question.max_tokens;
  return body;
};

// The SDK runs the tools itself with its default options: OpenAI's provider then assumes that items
// are stored, and refers to them.
const inLoop = (body, question) => {
  const run = ([name, made]) => [name, { ...made, execute: async () => question.results[name] }];
  const { store, ...openai } = body.providerOptions.openai;
  return {
    ...body,
    tools: Object.fromEntries(Object.entries(body.tools).map(run)),
    providerOptions: { ...body.providerOptions, openai },
    stopWhen: stepCountIs(4),
  };
};

const lastOf = (steps) => {
  if (steps.length !== 2) throw new Error(`${steps.length} steps`);
  return seenIn(steps[1]);
};

const seenIn = ({ text, finishReason, reasoningText, toolCalls, usage }) => ({
  text,
  finish: finishes[finishReason] ?? finishReason,
  thinking: reasoningText ?? "",
  calls: toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
  usage: {
    input: usage.inputTokens,
    output: usage.outputTokens,
    cached: usage.inputTokenDetails.cacheReadTokens ?? 0,
    reasoning: usage.outputTokenDetails.reasoningTokens ?? 0,
  },
});

const surface = (name, model, embedding) => ({
  name,
  errors: [AISDKError],

  async whole(root, token, question, seen) {
    return seenIn(await generateText(request(model(root, token, question.model), question, seen)));
  },

  // Sends the answer's messages back unchanged, with the results of its calls.
  async looped(root, token, question, seen) {
    const body = request(model(root, token, question.model), question, seen);
    const { response, toolCalls } = await generateText(body);
    const results = toolCalls.map(({ toolCallId, toolName }) => ({
      type: "tool-result",
      toolCallId,
      toolName,
      output: { type: "text", value: question.results[toolName] },
    }));
    const told = { role: "tool", content: results };
    const messages = [...body.messages, ...response.messages, told];
    return seenIn(await generateText({ ...body, messages }));
  },

  async agent(root, token, question, seen) {
    const body = request(model(root, token, question.model), question, seen);
    return lastOf((await generateText(inLoop(body, question))).steps);
  },

  async streamedAgent(root, token, question, seen) {
    seen.text = "";
    const noted = {};
    const body = request(model(root, token, question.model), question, noted);
    const result = streamText(inLoop(body, question));
    for await (const piece of result.textStream) seen.text += piece;
    if (noted.error) throw noted.error;
    return lastOf(await result.steps);
  },

  async streamed(root, token, question, seen) {
    seen.text = "";
    const noted = {};
    const result = streamText(request(model(root, token, question.model), question, noted));
    for await (const piece of result.textStream) seen.text += piece;
    if (noted.error) throw noted.error;
    const names = ["text", "finishReason", "reasoningText", "toolCalls", "usage"];
    const parts = await Promise.all(names.map(async (part) => [part, await result[part]]));
    return seenIn(Object.fromEntries(parts));
  },

  async embed(root, token, { model: asked, texts }) {
    const answer = await embedMany({ model: embedding(root, token, asked), values: texts, maxRetries: 0 });
    return { vectors: answer.embeddings };
  },
});

const openai = (root, token) => createOpenAI({ baseURL: `${root}/v1`, apiKey: token });
const google = (root, token) =>
  createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey: token });
const compatible = (root, token) =>
  createOpenAICompatible({
    name: "compatible",
    baseURL: `${root}/v1`,
    apiKey: token,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });

export const surfaces = {
  "ai-openai-chat": surface(
    "@ai-sdk/openai",
    (root, token, model) => openai(root, token).chat(model),
    (root, token, model) => openai(root, token).embedding(model),
  ),
  "ai-openai-responses": surface("@ai-sdk/openai", (root, token, model) =>
    openai(root, token).responses(model),
  ),
  "ai-anthropic": surface("@ai-sdk/anthropic", (root, token, model) =>
    createAnthropic({ baseURL: `${root}/v1`, apiKey: token })(model),
  ),
  "ai-google": surface(
    "@ai-sdk/google",
    (root, token, model) => google(root, token)(model),
    (root, token, model) => google(root, token).embedding(model),
  ),
  "ai-compatible": surface(
    "@ai-sdk/openai-compatible",
    (root, token, model) => compatible(root, token)(model),
    (root, token, model) => compatible(root, token).embeddingModel(model),
  ),
};
