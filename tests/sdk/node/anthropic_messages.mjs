// Anthropic's Messages, token counts and models.

import Anthropic from "@anthropic-ai/sdk";

export const name = "@anthropic-ai/sdk";
export const errors = [Anthropic.AnthropicError];
const finishes = { end_turn: "stop", max_tokens: "length", tool_use: "tools" };

const client = (root, token) => new Anthropic({ baseURL: root, apiKey: token });

const content = ({ text, images = [] }) => {
  if (!images.length) return text;
  const sources = images.map((image) => ({ type: "base64", ...image }));
  return [{ type: "text", text }, ...sources.map((source) => ({ type: "image", source }))];
};

const message = (turn) => {
  if (turn.role === "user") return { role: "user", content: content(turn) };
  if (turn.role === "tool") {
    const result = ({ id, text }) => ({ type: "tool_result", tool_use_id: id, content: text });
    return { role: "user", content: turn.results.map(result) };
  }
  const said = turn.text ? [{ type: "text", text: turn.text }] : [];
  const call = ({ id, name, arguments: input }) => ({ type: "tool_use", id, name, input });
  return { role: "assistant", content: [...said, ...(turn.calls ?? []).map(call)] };
};

const prompt = (question) => {
  const body = { model: question.model, messages: question.turns.map(message) };
  if (question.system) body.system = question.system;
  if (question.tools) {
    body.tools = question.tools.map(({ name, schema }) => ({ name, input_schema: schema }));
  }
  if (question.choice) {
    const named = { type: "tool", name: question.choice };
    body.tool_choice = { any: { type: "any" }, none: { type: "none" } }[question.choice] ?? named;
  }
  if (question.one_call) body.tool_choice = { type: "auto", disable_parallel_tool_use: true };
  if (question.schema) {
    body.output_config = { format: { type: "json_schema", schema: question.schema } };
  }
  if (question.thinking) body.thinking = { type: "enabled", budget_tokens: 1024 };
  return body;
};

const request = (question) => ({ ...prompt(question), max_tokens: question.max_tokens ?? 2048 });

const seenIn = ({ content: blocks, stop_reason: finish, usage }) => {
  const of = (type) => blocks.filter((block) => block.type === type);
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    text: of("text").map((block) => block.text).join(""),
    finish: finishes[finish] ?? finish,
    thinking: of("thinking").map((block) => block.thinking).join(""),
    calls: of("tool_use").map(({ name, input }) => ({ name, arguments: input })),
    usage: {
      input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached,
      reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
    },
  };
};

export const whole = async (root, token, question) =>
  seenIn(await client(root, token).messages.create(request(question)));

// Sends the answer's blocks back unchanged, signatures included, with the results of its calls.
export const looped = async (root, token, question) => {
  const body = request(question);
  const { content: blocks } = await client(root, token).messages.create(body);
  const results = blocks
    .filter((block) => block.type === "tool_use")
    .map((block) => ({
      type: "tool_result",
      tool_use_id: block.id,
      content: question.results[block.name],
    }));
  const answer = [
    { role: "assistant", content: blocks },
    { role: "user", content: results },
  ];
  const again = { ...body, messages: [...body.messages, ...answer] };
  return seenIn(await client(root, token).messages.create(again));
};

// Compares the SDK's own accumulator with the events that it was built from.
export const streamed = async (root, token, question, seen) => {
  Object.assign(seen, { text: "", finish: null });
  const stream = client(root, token).messages.stream(request(question));
  let blocks = 0;
  for await (const event of stream) {
    if (event.type === "content_block_start" && event.index !== blocks++) {
      throw new Error(`block ${event.index} came after ${blocks - 1}`);
    }
    if (event.delta?.type === "text_delta") seen.text += event.delta.text;
  }
  const final = seenIn(await stream.finalMessage());
  if (final.text !== seen.text) throw new Error(`${seen.text} came, ${final.text} at the end`);
  return final;
};

export const count = async (root, token, question) => ({
  count: (await client(root, token).messages.countTokens(prompt(question))).input_tokens,
});

export const models = async (root, token) => {
  const names = [];
  for await (const model of client(root, token).models.list()) names.push(model.id);
  return { models: names.sort() };
};
