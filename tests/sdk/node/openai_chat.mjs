// OpenAI's Chat Completions, embeddings and models.

import OpenAI from "openai";

export const name = "openai";
export const errors = [OpenAI.OpenAIError];
const finishes = { stop: "stop", length: "length", tool_calls: "tools" };

export const client = (root, token) => new OpenAI({ baseURL: `${root}/v1`, apiKey: token });

const content = ({ text, images = [] }) => {
  if (!images.length) return text;
  const urls = images.map((image) => `data:${image.media_type};base64,${image.data}`);
  return [{ type: "text", text }, ...urls.map((url) => ({ type: "image_url", image_url: { url } }))];
};

const callOf = ({ id, name, arguments: args }) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(args) },
});

const messages = ({ system, turns }) => {
  const list = system ? [{ role: "system", content: system }] : [];
  for (const turn of turns) {
    if (turn.role === "user") {
      list.push({ role: "user", content: content(turn) });
    } else if (turn.role === "assistant") {
      const calls = turn.calls ? { tool_calls: turn.calls.map(callOf) } : {};
      list.push({ role: "assistant", content: turn.text ?? null, ...calls });
    } else {
      for (const { id, text } of turn.results) {
        list.push({ role: "tool", tool_call_id: id, content: text });
      }
    }
  }
  return list;
};

const choices = { any: "required", none: "none" };

const request = (question) => {
  const body = { model: question.model, messages: messages(question) };
  if (question.tools) {
    body.tools = question.tools.map(({ name, schema }) => ({
      type: "function",
      function: { name, parameters: schema },
    }));
  }
  if (question.choice) {
    const named = { type: "function", function: { name: question.choice } };
    body.tool_choice = choices[question.choice] ?? named;
  }
  if (question.one_call) body.parallel_tool_calls = false;
  if (question.schema) {
    const named = { name: "place", strict: true, schema: question.schema };
    body.response_format = { type: "json_schema", json_schema: named };
  }
  if (question.thinking) body.reasoning_effort = "low";
  if (question.max_tokens) body.max_completion_tokens = question.max_tokens;
  return body;
};

const usageOf = (usage) =>
  usage && {
    input: usage.prompt_tokens,
    output: usage.completion_tokens,
    cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
    reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };

const seenIn = ({ choices: [{ message, finish_reason: finish }], usage }) => ({
  text: message.content ?? "",
  finish: finishes[finish] ?? finish,
  thinking: message.reasoning_content ?? "",
  calls: (message.tool_calls ?? []).map((call) => ({
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments),
  })),
  usage: usageOf(usage),
});

export const whole = async (root, token, question) =>
  seenIn(await client(root, token).chat.completions.create(request(question)));

// Sends the answer back unchanged, with the results of its calls.
export const looped = async (root, token, question) => {
  const body = request(question);
  const completion = await client(root, token).chat.completions.create(body);
  const { content: text, tool_calls: calls } = completion.choices[0].message;
  const results = calls.map((call) => ({
    role: "tool",
    tool_call_id: call.id,
    content: question.results[call.function.name],
  }));
  const answer = { role: "assistant", content: text, tool_calls: calls };
  const again = { ...body, messages: [...body.messages, answer, ...results] };
  return seenIn(await client(root, token).chat.completions.create(again));
};

// Compares the SDK's own accumulator with the events that it was built from.
export const streamed = async (root, token, question, seen) => {
  Object.assign(seen, { text: "", thinking: "", finish: null });
  const options = { stream_options: { include_usage: true } };
  const stream = client(root, token).chat.completions.stream({ ...request(question), ...options });
  for await (const chunk of stream) {
    for (const { delta } of chunk.choices) {
      seen.text += delta.content ?? "";
      seen.thinking += delta.reasoning_content ?? "";
    }
  }
  const final = seenIn(await stream.finalChatCompletion());
  if (final.text !== seen.text) throw new Error(`${seen.text} came, ${final.text} at the end`);
  return { ...final, thinking: seen.thinking };
};

export const models = async (root, token) => {
  const names = [];
  for await (const model of client(root, token).models.list()) names.push(model.id);
  return { models: names.sort() };
};

export const embed = async (root, token, { model, texts, dimensions, encoding_format }) => {
  const more = { ...(dimensions && { dimensions }), ...(encoding_format && { encoding_format }) };
  const answer = await client(root, token).embeddings.create({ model, input: texts, ...more });
  return { vectors: answer.data.map((item) => [...item.embedding]) };
};
