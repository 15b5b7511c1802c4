// Google's Gemini: content, token counts, embeddings and models.

import { ApiError, GoogleGenAI } from "@google/genai";

export const name = "@google/genai";
export const errors = [ApiError];
const finishes = { STOP: "stop", MAX_TOKENS: "length" };

const client = (root, token) => new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: root } });

// Unlike the Python requests, these give each call and its result an id.
const content = (turn) => {
  if (turn.role === "user") {
    const images = (turn.images ?? []).map((image) => ({
      inlineData: { mimeType: image.media_type, data: image.data },
    }));
    return { role: "user", parts: [{ text: turn.text }, ...images] };
  }
  if (turn.role === "tool") {
    const result = ({ id, name, text }) => ({
      functionResponse: { id, name, response: { output: text } },
    });
    return { role: "user", parts: turn.results.map(result) };
  }
  const said = turn.text ? [{ text: turn.text }] : [];
  const call = ({ id, name, arguments: args }) => ({ functionCall: { id, name, args } });
  return { role: "model", parts: [...said, ...(turn.calls ?? []).map(call)] };
};

const calling = (choice) => {
  const named = { mode: "ANY", allowedFunctionNames: [choice] };
  return { any: { mode: "ANY" }, none: { mode: "NONE" } }[choice] ?? named;
};

const request = (question) => {
  const config = {};
  if (question.system) config.systemInstruction = question.system;
  if (question.tools) {
    const declared = ({ name, schema }) => ({ name, parametersJsonSchema: schema });
    config.tools = [{ functionDeclarations: question.tools.map(declared) }];
  }
  if (question.choice) config.toolConfig = { functionCallingConfig: calling(question.choice) };
  if (question.schema) {
    config.responseMimeType = "application/json";
    config.responseJsonSchema = question.schema;
  }
  if (question.thinking) config.thinkingConfig = { includeThoughts: true, thinkingBudget: 1024 };
  if (question.max_tokens) config.maxOutputTokens = question.max_tokens;
  return { model: question.model, contents: question.turns.map(content), config };
};

const begin = (seen) =>
  Object.assign(seen, { text: "", thinking: "", finish: null, calls: [], usage: null });

const takePart = ({ functionCall: call, text = "", thought }, seen) => {
  if (call) seen.calls.push({ name: call.name, arguments: call.args ?? {} });
  else if (thought) seen.thinking += text;
  else seen.text += text;
};

const take = ({ candidates = [], usageMetadata: usage }, seen) => {
  for (const candidate of candidates) {
    for (const part of candidate.content?.parts ?? []) takePart(part, seen);
    const reason = candidate.finishReason;
    if (reason) seen.finish = finishes[reason] ?? reason;
  }
  if (usage?.candidatesTokenCount === undefined) return;
  const reasoning = usage.thoughtsTokenCount ?? 0;
  seen.usage = {
    input: usage.promptTokenCount,
    output: usage.candidatesTokenCount + reasoning,
    cached: usage.cachedContentTokenCount ?? 0,
    reasoning,
  };
};

// Gemini also reports STOP when it makes calls.
const finished = (seen) => {
  if (seen.calls.length && seen.finish === "stop") seen.finish = "tools";
  return seen;
};

export const whole = async (root, token, question, seen) => {
  begin(seen);
  take(await client(root, token).models.generateContent(request(question)), seen);
  return finished(seen);
};

// Sends the answer's content back unchanged, signatures included, with the results of its calls.
export const looped = async (root, token, question, seen) => {
  const body = request(question);
  const { candidates } = await client(root, token).models.generateContent(body);
  const answer = candidates[0].content;
  const parts = answer.parts
    .filter((part) => part.functionCall)
    .map(({ functionCall: { id, name } }) => ({
      functionResponse: { id, name, response: { output: question.results[name] } },
    }));
  const again = { ...body, contents: [...body.contents, answer, { role: "user", parts }] };
  begin(seen);
  take(await client(root, token).models.generateContent(again), seen);
  return finished(seen);
};

export const streamed = async (root, token, question, seen) => {
  begin(seen);
  const stream = await client(root, token).models.generateContentStream(request(question));
  for await (const chunk of stream) take(chunk, seen);
  return finished(seen);
};

export const count = async (root, token, question) => {
  const { model, contents } = request(question);
  return { count: (await client(root, token).models.countTokens({ model, contents })).totalTokens };
};

export const models = async (root, token) => {
  const names = [];
  for await (const model of await client(root, token).models.list()) names.push(model.name);
  return { models: names.sort() };
};

export const embed = async (root, token, { model, texts, dimensions }) => {
  const config = dimensions ? { outputDimensionality: dimensions } : {};
  const answer = await client(root, token).models.embedContent({ model, contents: texts, config });
  return { vectors: answer.embeddings.map((item) => item.values) };
};
