/** The playground of the fake data: answers arrive word by word, at the speed of the requested backend. */
import type {
  PanelEvent,
  PlaygroundRawExchangeView,
  PlaygroundRunView,
  PlaygroundSend,
  PlaygroundSnippetsView,
} from "@/ipc/bindings";
import { fault, raise } from "@/ipc/fake/rules";
import type { World } from "@/ipc/fake/world";

const TELL_MS = 50;
const RUNS_AT_ONCE_MAX = 2;
const RUNS_KEPT_MAX = 4;
const TOKEN_WORDS = 0.75;

interface Pace {
  first_ms: number;
  words: number;
}

/** Delay until the first word, and words per event. */
const PACES: Record<string, Pace> = {
  groq: { first_ms: 180, words: 12 },
  openai: { first_ms: 420, words: 4 },
  openrouter: { first_ms: 640, words: 3 },
  ollama: { first_ms: 300, words: 2 },
  mock: { first_ms: 60, words: 8 },
  slow: { first_ms: 160, words: 1 },
};

const ANSWER = `A circuit breaker watches the calls to a service and stops sending them once too many have failed, so that the caller fails fast instead of waiting and the service gets room to recover. After a pause it lets a single call through; if that one succeeds the traffic returns, and if not the pause begins again.

Three details decide whether it helps or hurts:

1. Count failures over a window of time, not in a row. A service that fails every second call never fails five times in a row, and is still down for half of its users.
2. Let exactly one probe through when the pause ends. If all waiting callers rush in together, the breaker becomes the load that keeps the service down.
3. Keep rate limits out of it. A 429 says "later", not "broken": it calls for a cooldown with the time the server named, or the breaker will open on a healthy service.

In practice the pause matters less than the honesty of the state: a caller who is told "closed until 14:32, because 7 of the last 10 calls timed out" can do something with it.`;

const SHORT_ANSWER = `The gate keeps its watch,
keys asleep behind the stone;
one token goes through.`;

const THINKING =
  "The user wants it short. Start with what it does, then when it closes again, then the three traps that people fall into: the window, the probe, and rate limits.";

export interface FakePlayground {
  runs: () => PlaygroundRunView[];
  send: (req: PlaygroundSend) => PlaygroundRunView;
  cancel: (id: string) => null;
  raw: (id: string) => PlaygroundRawExchangeView;
  snippets: (req: PlaygroundSend) => PlaygroundSnippetsView;
}

interface FakePlaygroundParts {
  world: World;
  now: () => number;
  later: (ms: number, run: () => void) => void;
  announce: (event: PanelEvent) => void;
}

export function fakePlayground({ world, now, later, announce }: FakePlaygroundParts): FakePlayground {
  let runs: PlaygroundRunView[] = [];
  const requests = new Map<string, PlaygroundSend>();
  let made = 0;

  const find = (id: string) =>
    runs.find((run) => run.id === id) ?? raise(fault("not_found", "This run is no longer in memory.", null));
  const end = (run: PlaygroundRunView, last: Partial<PlaygroundRunView>) => {
    Object.assign(run, last, { is_running: false });
    announce({ kind: "playground_run", run: structuredClone(run) });
    announce({ kind: "changed", tags: ["usage", "status", "backends"] });
  };

  function stream(run: PlaygroundRunView, words: string[], pace: Pace): void {
    if (!run.is_running) return;
    const text = words.splice(0, pace.words).join("");
    const piece = { run: run.id, text_at: run.text.length, text, thinking_at: run.thinking.length, thinking: "" };
    run.first_token_ms ??= run.elapsed_ms;
    Object.assign(run, { state: "streaming", text: run.text + text });
    const { elapsed_ms, first_token_ms } = run;
    announce({ kind: "playground_text", piece: { ...piece, elapsed_ms, first_token_ms } });
    if (words.length === 0) return end(run, { state: "complete", finish_reason: "stop", record: recordOf(world, run) });
    run.elapsed_ms += TELL_MS;
    later(TELL_MS, () => stream(run, words, pace));
  }

  function begin(run: PlaygroundRunView, req: PlaygroundSend): void {
    if (!run.is_running) return;
    const failure = failureOf(world, run.model);
    if (failure !== null) return end(run, { ...failure, state: "failed", elapsed_ms: 84 });
    const pace = paceOf(run.model);
    run.backend = run.model.split("/")[0] ?? null;
    run.http_status = 200;
    run.elapsed_ms = pace.first_ms;
    if (req.effort !== null) {
      run.thinking = THINKING;
      const piece = { run: run.id, text_at: 0, text: "", thinking_at: 0, thinking: THINKING };
      run.first_token_ms = run.elapsed_ms;
      announce({
        kind: "playground_text",
        piece: { ...piece, elapsed_ms: run.elapsed_ms, first_token_ms: run.first_token_ms },
      });
    }
    const answer = /haiku|short/i.test(req.prompt) ? SHORT_ANSWER : ANSWER;
    stream(run, answer.match(/\S+\s*/g) ?? [], pace);
  }

  return {
    runs: () => runs,
    send: (req) => {
      if (req.prompt.trim() === "")
        throw fault("invalid_input", "The prompt is empty; write a prompt.", null, "prompt");
      if (req.temperature !== null && (req.temperature < 0 || req.temperature > 2))
        throw fault("invalid_input", "The temperature must be from 0 to 2.", null, "temperature");
      if (runs.filter((run) => run.is_running).length >= RUNS_AT_ONCE_MAX)
        throw fault("failed", "2 prompts are already running; wait for one to finish, or cancel it.", null);
      made += 1;
      const run: PlaygroundRunView = {
        id: `run_${made.toString(16).padStart(32, "0")}`,
        model: req.model,
        started_at: now(),
        state: "waiting",
        is_running: true,
        text: "",
        thinking: "",
        first_token_ms: null,
        elapsed_ms: 0,
        http_status: null,
        error: null,
        backend: null,
        dropped: req.effort !== null && req.model.startsWith("groq/") ? ["reasoning_effort"] : [],
        finish_reason: null,
        request: `req_${(0x2c4400 + made).toString(16)}`,
        record: null,
      };
      runs = [...runs, run].slice(-RUNS_KEPT_MAX);
      requests.set(run.id, req);
      announce({ kind: "playground_run", run: structuredClone(run) });
      later(paceOf(req.model).first_ms, () => begin(run, req));
      return run;
    },
    cancel: (id) => {
      const run = runs.find((known) => known.id === id);
      if (run?.is_running) end(run, { state: "cancelled" });
      return null;
    },
    raw: (id) => rawOf(find(id), requests.get(id), world.settings.values.gateway_port),
    snippets: (req) => {
      const client = world.clients[0]?.id;
      const address = `http://127.0.0.1:${world.settings.values.gateway_port}`;
      return {
        client: client ?? "my-tool",
        connected: client !== undefined,
        snippets: snippetsOf(address, client ?? "my-tool", req),
      };
    },
  };
}

export function paceOf(model: string): Pace {
  const [backend = "", name = ""] = model.split("/");
  return PACES[name] ?? PACES[backend] ?? { first_ms: 300, words: 4 };
}

export function failureOf(world: World, model: string): Partial<PlaygroundRunView> | null {
  const [id = "", name = ""] = model.split("/");
  const backend = world.backends.find((known) => known.id === id);
  if (backend === undefined)
    return {
      http_status: 404,
      error: { message: `No backend has a model named ${model}.`, code: "model_not_found" },
    };
  if (name === "fault-401")
    return {
      http_status: 502,
      backend: id,
      error: { message: "mock rejected its key: the mock rejects this key. Replace the key.", code: "key_rejected" },
    };
  if (backend.health.state !== "down") return null;
  return {
    http_status: 502,
    backend: id,
    error: { message: `${backend.label} could not be reached: ${backend.health.reason}`, code: "connect" },
  };
}

function recordOf(world: World, run: PlaygroundRunView): PlaygroundRunView["record"] {
  const [id = "", name = ""] = run.model.split("/");
  const price = world.backends.find((known) => known.id === id)?.models.find((model) => model.id === name)?.price;
  const output = Math.round(run.text.split(/\s+/).length / TOKEN_WORDS);
  const input = 24;
  const writing = run.elapsed_ms - (run.first_token_ms ?? 0);
  const cost = price
    ? Math.round((input * (price.input_nano_usd ?? 0) + output * (price.output_nano_usd ?? 0)) / 1_000_000)
    : null;
  return {
    model_billed: name,
    explanation: `The name ${run.model} names the backend ${id}, which was up and switched on.`,
    usage: {
      input,
      output,
      input_uncached: input,
      cache_read: 0,
      cache_write: 0,
      output_visible: output,
      reasoning: run.thinking === "" ? 0 : 38,
    },
    cost_nano_usd: id === "mock" ? 0 : cost,
    cost_basis: id === "mock" ? "not_billed" : cost === null ? "unpriced" : "computed",
    tokens_per_second: writing > 0 ? (output / writing) * 1_000 : null,
    attempts: [{ backend: id, model: name, duration_ms: run.elapsed_ms, http_status: 200, error: null }],
  };
}

function bodyOf(req: PlaygroundSend): string {
  const system = req.system ? [{ role: "system", content: req.system }] : [];
  const chosen = {
    ...(req.temperature === null ? {} : { temperature: req.temperature }),
    ...(req.max_tokens === null ? {} : { max_tokens: req.max_tokens }),
    ...(req.effort === null ? {} : { reasoning_effort: req.effort }),
  };
  const messages = [...system, { role: "user", content: req.prompt }];
  return JSON.stringify({ model: req.model, messages, ...chosen, stream: true }, null, 2);
}

function rawOf(run: PlaygroundRunView, req: PlaygroundSend | undefined, port: number): PlaygroundRawExchangeView {
  const chunk = (content: string) =>
    `data: {"id":"chatcmpl-4f1","object":"chat.completion.chunk","model":"${run.model}","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
  const words = (run.text.match(/\S+\s*/g) ?? []).slice(0, 12);
  return {
    request_head: `POST /v1/chat/completions HTTP/1.1\nhost: 127.0.0.1:${port}\ncontent-type: application/json\nauthorization: Bearer (the playground's own token, not shown)`,
    request_body: req === undefined ? "" : bodyOf(req),
    answer_head:
      run.http_status === null
        ? ""
        : `HTTP/1.1 ${run.http_status}\ncontent-type: text/event-stream\nx-gatehouse-request-id: ${run.request}\nx-gatehouse-backend: ${run.backend}\nx-gatehouse-attempts: 1`,
    answer_body:
      run.error === null
        ? `${words.map(chunk).join("")}data: [DONE]\n\n`
        : JSON.stringify({ error: { message: run.error.message, type: "api_error", code: run.error.code } }, null, 2),
    answer_bytes_cut: 0,
  };
}

function snippetsOf(address: string, client: string, req: PlaygroundSend) {
  const quoted = JSON.stringify(req.prompt);
  const model = JSON.stringify(req.model);
  const python = `# export GATEHOUSE_TOKEN="$(gatehouse token ${client})"\nimport os\n\n`;
  return [
    {
      title: "curl",
      code: `curl -N ${address}/v1/chat/completions \\\n  -H "authorization: Bearer $(gatehouse token ${client})" \\\n  -H 'content-type: application/json' \\\n  -d '${bodyOf(req).replaceAll("'", "'\\''")}'`,
    },
    {
      title: "Python, openai",
      code: `${python}from openai import OpenAI\n\nclient = OpenAI(base_url="${address}/v1", api_key=os.environ["GATEHOUSE_TOKEN"])\nstream = client.chat.completions.create(\n    model=${model},\n    messages=[\n        {"role": "user", "content": ${quoted}},\n    ],\n    stream=True,\n)\nfor chunk in stream:\n    if chunk.choices:\n        print(chunk.choices[0].delta.content or "", end="", flush=True)`,
    },
    {
      title: "Node, openai",
      code: `// export GATEHOUSE_TOKEN="$(gatehouse token ${client})"\nimport OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${address}/v1", apiKey: process.env.GATEHOUSE_TOKEN });\nconst stream = await client.chat.completions.create({\n  model: ${model},\n  messages: [\n    { role: "user", content: ${quoted} },\n  ],\n  stream: true,\n});\nfor await (const chunk of stream) {\n  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");\n}`,
    },
  ];
}
