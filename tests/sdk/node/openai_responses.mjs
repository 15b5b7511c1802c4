// OpenAI's Responses.

import { client } from "./openai_chat.mjs";

export { errors, name } from "./openai_chat.mjs";

const content = ({ text, images = [] }) => {
  if (!images.length) return text;
  const parts = images.map((image) => ({
    type: "input_image",
    detail: "auto",
    image_url: `data:${image.media_type};base64,${image.data}`,
  }));
  return [{ type: "input_text", text }, ...parts];
};

const items = (turn) => {
  if (turn.role === "user") return [{ role: "user", content: content(turn) }];
  if (turn.role === "tool") {
    const output = ({ id, text }) => ({ type: "function_call_output", call_id: id, output: text });
    return turn.results.map(output);
  }
  const said = turn.text ? [{ role: "assistant", content: turn.text }] : [];
  const call = ({ id, name, arguments: args }) => ({
    type: "function_call",
    call_id: id,
    name,
    arguments: JSON.stringify(args),
  });
  return [...said, ...(turn.calls ?? []).map(call)];
};

const request = (question) => {
  const body = { model: question.model, input: question.turns.flatMap(items), store: false };
  if (question.system) body.instructions = question.system;
  if (question.tools) {
    body.tools = question.tools.map(({ name, schema }) => ({
      type: "function",
      name,
      parameters: schema,
      strict: false,
    }));
  }
  if (question.choice) {
    const named = { type: "function", name: question.choice };
    body.tool_choice = { any: "required", none: "none" }[question.choice] ?? named;
  }
  if (question.one_call) body.parallel_tool_calls = false;
  if (question.schema) {
    const named = { type: "json_schema", name: "place", strict: true, schema: question.schema };
    body.text = { format: named };
  }
  if (question.thinking) body.reasoning = { effort: "low", summary: "auto" };
  if (question.max_tokens) body.max_output_tokens = question.max_tokens;
  return body;
};

const finishOf = ({ status, incomplete_details: details }, calls) => {
  if (status === "incomplete") {
    return details.reason === "max_output_tokens" ? "length" : details.reason;
  }
  if (status !== "completed") return status;
  return calls.length ? "tools" : "stop";
};

const seenIn = (response) => {
  const of = (type) => response.output.filter((item) => item.type === type);
  const calls = of("function_call").map((item) => ({
    name: item.name,
    arguments: JSON.parse(item.arguments),
  }));
  const summaries = of("reasoning").flatMap((item) => item.summary);
  return {
    text: response.output_text,
    finish: finishOf(response, calls),
    thinking: summaries.map((part) => part.text).join(""),
    calls,
    usage: response.usage && {
      input: response.usage.input_tokens,
      output: response.usage.output_tokens,
      cached: response.usage.input_tokens_details.cached_tokens,
      reasoning: response.usage.output_tokens_details.reasoning_tokens,
    },
  };
};

export const whole = async (root, token, question) =>
  seenIn(await client(root, token).responses.create(request(question)));

// Sends the answer's items back unchanged, with the results of its calls.
export const looped = async (root, token, question) => {
  const body = request(question);
  const { output } = await client(root, token).responses.create(body);
  const results = output
    .filter((item) => item.type === "function_call")
    .map((item) => ({
      type: "function_call_output",
      call_id: item.call_id,
      output: question.results[item.name],
    }));
  const again = { ...body, input: [...body.input, ...output, ...results] };
  return seenIn(await client(root, token).responses.create(again));
};

// Compares the SDK's own accumulator with the events that it was built from.
export const streamed = async (root, token, question, seen) => {
  Object.assign(seen, { text: "", finish: null });
  const stream = client(root, token).responses.stream(request(question));
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") seen.text += event.delta;
  }
  const final = seenIn(await stream.finalResponse());
  if (final.text !== seen.text) throw new Error(`${seen.text} came, ${final.text} at the end`);
  return final;
};

// Reads the raw events: the SDK itself has to raise an incomplete answer.
export const raw = async (root, token, question, seen) => {
  seen.text = "";
  const stream = await client(root, token).responses.create({ ...request(question), stream: true });
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") seen.text += event.delta;
  }
  return seen;
};
