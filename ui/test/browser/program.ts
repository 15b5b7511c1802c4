/**
 * The real program for the pictures of the README: a ledger that the example `fill` wrote through the ledger's own API,
 * requests of this moment, and a server on this machine that stands for all backends.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const BUILT = join(process.env["CARGO_TARGET_DIR"] ?? join(import.meta.dirname, "../../../target"), "debug");
const GATEHOUSE = join(BUILT, "gatehouse");

/** Requests of the made-up year. */
const REQUESTS = "14000";

/** The backends that the example fills the ledger with, and a model of each. */
const MODELS = {
  anthropic: "claude-sonnet-4-5",
  openai: "gpt-5",
  google: "gemini-2.5-pro",
  openrouter: "claude-sonnet-4-5",
  groq: "llama-3.3-70b-versatile",
  local: "qwen3-coder",
};
const CLIENTS = ["editor", "agent", "shell", "review"];

/** A question as agents ask it, with files. */
const QUESTION = "Explain what this function does and what could go wrong. ";

interface Answer {
  model: string;
  messages: { content: string }[];
}

export interface Program {
  /** Opens the panel once. */
  panel: string;
  /** Makes one backend reject its key and another one fail, and lets a client notice both. */
  fail: () => Promise<void>;
  stop: () => void;
}

/** What the server answers instead, by the backend whose key is sent. */
type Faults = Map<string, number>;

/** A server with a Chat Completions API, which has every model. */
async function startBackends(faults: Faults): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      const name = /sk-(\w+)-/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      response.statusCode = faults.get(name) ?? 200;
      response.setHeader("content-type", "application/json");
      const isFaulty = response.statusCode !== 200;
      response.end(JSON.stringify(isFaulty ? { error: { message: "Not now." } } : reply(body)));
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, url: `http://127.0.0.1:${address.port}/v1` };
}

function reply(body: string) {
  return body === "" ? models() : answer(JSON.parse(body) as Answer);
}

function models() {
  return { object: "list", data: Object.values(MODELS).map((id) => ({ id, object: "model" })) };
}

function answer({ model, messages }: Answer) {
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
  const prompt_tokens = Math.ceil(characters / 4);
  const completion_tokens = 300 + (characters % 900);
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 0,
    model,
    choices: [{ index: 0, message: { role: "assistant", content: "It reads a file." }, finish_reason: "stop" }],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  };
}

function environment(home: string): Record<string, string> {
  const path = process.env["PATH"] ?? "";
  return { PATH: path, HOME: home, GATEHOUSE_HOME: home, GATEHOUSE_VAULT: "memory", TZ: "Europe/Berlin" };
}

/** Not the synchronous one: the server above has to answer meanwhile. */
async function call(home: string, args: string[], input = ""): Promise<string> {
  const ended = promisify(execFile)(GATEHOUSE, args, { env: environment(home) });
  ended.child.stdin?.end(input);
  return (await ended).stdout.trim();
}

/** Starts `gatehouse serve` and waits for the lines that say where. */
async function serve(home: string): Promise<{ child: ChildProcess; gateway: string; panel: string }> {
  const child = spawn(GATEHOUSE, ["serve", "--port", "0", "--panel"], { env: environment(home) });
  let said = "";
  return new Promise((resolve, reject) => {
    const read = (piece: Buffer) => {
      said += piece.toString();
      const [gateway] = /http:\/\/127\.0\.0\.1:\d+$/m.exec(said) ?? [];
      const [panel] = /http:\/\/127\.0\.0\.1:\d+\/#one-time=\S+/.exec(said) ?? [];
      if (gateway !== undefined && panel !== undefined) resolve({ child, gateway, panel });
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => reject(new Error(`gatehouse serve ended with ${code}: ${said}`)));
  });
}

/** What a user would type. */
async function configure(home: string, url: string): Promise<void> {
  for (const [name, model] of Object.entries(MODELS)) {
    const where = ["--kind", "openai-compatible", "--base-url", url, "--model", model];
    await call(home, ["backends", "add", name, ...where, "--stdin"], `sk-${name}-0123456789abcdef`);
    await call(home, ["prices", "set", name, model, "--input", "3", "--output", "15"]);
  }
  await call(home, ["routes", "add", "coder", "anthropic", "openrouter"]);
  await call(home, ["budgets", "set", "monthly", "--limit", "80"]);
}

async function ask(gateway: string, token: string, model: string, content: string): Promise<Response> {
  return fetch(`${gateway}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
  });
}

/** Real requests, so that backends are seen to answer. Returns the token of one client. */
async function work(home: string, gateway: string): Promise<string> {
  let token = "";
  for (const [index, client] of CLIENTS.entries()) {
    token = await call(home, ["clients", "add", client]);
    for (const [turn, [backend, model]] of Object.entries(MODELS).entries())
      for (const again of [1, 2]) {
        const content = `${again} ${QUESTION.repeat(120 * (1 + ((index * 3 + turn * again) % 7)))}`;
        const response = await ask(gateway, token, `${backend}/${model}`, content);
        if (!response.ok) throw new Error(`${backend}: ${response.status} ${await response.text()}`);
      }
  }
  return token;
}

/** Starts the program on a home of its own. */
export async function startProgram(): Promise<Program> {
  const home = mkdtempSync(join(tmpdir(), "gatehouse-pictures-"));
  mkdirSync(join(home, "data"), { mode: 0o700 });
  execFileSync(join(BUILT, "examples/fill"), [join(home, "data/ledger.sqlite"), REQUESTS]);
  const faults: Faults = new Map();
  const { server, url } = await startBackends(faults);
  const { child, gateway, panel } = await serve(home);
  await configure(home, url);
  const token = await work(home, gateway);
  await call(home, ["check"]);
  return {
    panel,
    fail: async () => {
      faults.set("openai", 401).set("groq", 503);
      for (const question of ["one", "two", "three"])
        for (const backend of ["openai", "groq"] as const)
          await ask(gateway, token, `${backend}/${MODELS[backend]}`, question);
    },
    stop: () => {
      child.kill();
      server.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
