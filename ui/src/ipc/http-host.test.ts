import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PanelEvent } from "@/ipc/bindings";
import { EVERY_TAG } from "@/ipc/tags";
import { httpHost } from "@/ipc/http-host";
import { openSession, type BrowserSession } from "@/ipc/session";

const fetching = vi.fn<typeof fetch>();
vi.stubGlobal("fetch", fetching);
beforeEach(() => sessionStorage.setItem("gatehouse.session", "ghc_session"));
afterEach(() => {
  fetching.mockReset();
  sessionStorage.clear();
  window.history.replaceState(null, "", "/");
  vi.useRealTimers();
});

function lastCall(): { path: unknown; init: RequestInit | undefined; headers: Headers } {
  const [path, init] = fetching.mock.lastCall ?? [];
  return { path, init, headers: new Headers(init?.headers) };
}

async function host() {
  return httpHost(await openSession());
}

test("an operation is a POST in snake case with the session's header and no cookie", async () => {
  fetching.mockResolvedValue(Response.json({ id: "openai" }));
  const { backendSwitch } = await host();
  await expect(backendSwitch({ id: "openai", enabled: false })).resolves.toEqual({ id: "openai" });
  const { path, init, headers } = lastCall();
  expect(path).toBe("/control/v1/backend_switch");
  expect(init).toMatchObject({ method: "POST", credentials: "omit", body: '{"id":"openai","enabled":false}' });
  expect(headers.get("authorization")).toBe("Bearer ghc_session");
  expect(headers.get("content-type")).toBe("application/json");
});

test("an operation without a request sends null", async () => {
  fetching.mockResolvedValue(Response.json([]));
  await (await host()).backends();
  expect(lastCall().init?.body).toBe("null");
});

test("a refusal is the core's own ApiError", async () => {
  const error = { code: "invalid_input", message: "Taken.", hint: null, field: "id" };
  fetching.mockResolvedValue(Response.json(error, { status: 422 }));
  await expect((await host()).keyVerify({ id: "x" })).rejects.toEqual(error);
});

test("an answer that is no ApiError says its status, and no answer is offline", async () => {
  const { status } = await host();
  fetching.mockResolvedValue(new Response("<html>", { status: 502 }));
  await expect(status()).rejects.toMatchObject({ code: "failed", message: expect.stringContaining("502") });
  fetching.mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(status()).rejects.toMatchObject({ code: "offline" });
});

test("the one-time token leaves the address before it is exchanged, and a reload keeps the session", async () => {
  sessionStorage.clear();
  window.history.replaceState(null, "", "/#one-time=a%2Fb");
  fetching.mockImplementation(() => {
    expect(window.location.hash).toBe("#/");
    return Promise.resolve(Response.json({ session: "ghc_new" }));
  });
  expect((await openSession()).state()).toBe("open");
  expect(lastCall()).toMatchObject({ path: "/panel/exchange", init: { body: '{"one_time":"a/b"}' } });
  // Opened again, as after a reload: no token is exchanged.
  expect((await openSession()).state()).toBe("open");
  expect(fetching).toHaveBeenCalledTimes(1);
  fetching.mockResolvedValue(Response.json([]));
  await (await host()).backends();
  expect(lastCall().headers.get("authorization")).toBe("Bearer ghc_new");
});

test("without a link or with a used one nothing is asked, and a used link leaves an open session alone", async () => {
  window.history.replaceState(null, "", "/#one-time=used");
  fetching.mockImplementation(() => Promise.resolve(Response.json({ message: "used" }, { status: 403 })));
  expect((await openSession()).state()).toBe("open");
  sessionStorage.clear();
  expect((await openSession()).state()).toBe("none");
  window.history.replaceState(null, "", "/#one-time=used");
  const session = await openSession();
  expect(session.state()).toBe("refused");
  fetching.mockClear();
  await expect(httpHost(session).status()).rejects.toMatchObject({ message: "You are signed out." });
  expect(fetching).not.toHaveBeenCalled();
});

test("a session that the core no longer knows ends here too", async () => {
  const session = await openSession();
  const changed = vi.fn<() => void>();
  session.subscribe(changed);
  fetching.mockResolvedValue(Response.json({ code: "failed", message: "No." }, { status: 401 }));
  await expect(httpHost(session).status()).rejects.toMatchObject({ message: "No." });
  expect(session.state()).toBe("ended");
  expect(changed).toHaveBeenCalledTimes(1);
  expect(sessionStorage.length).toBe(0);
});

test("signing out ends it in the core; while that does not answer, the session stays", async () => {
  const session = await openSession();
  fetching.mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(session.signOut()).rejects.toMatchObject({ code: "offline" });
  expect(session.state()).toBe("open");
  fetching.mockResolvedValue(new Response(null, { status: 204 }));
  await session.signOut();
  expect(lastCall()).toMatchObject({ path: "/panel/sign-out", init: { method: "POST" } });
  expect(lastCall().headers.get("authorization")).toBe("Bearer ghc_session");
  expect(session.state()).toBe("signed_out");
  expect(sessionStorage.length).toBe(0);
});

/** Responds to one connection with these chunks of an event stream. */
function streamOf(...pieces: string[]): Response {
  const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of bytes) controller.enqueue(piece);
        controller.close();
      },
    }),
  );
}

async function heard(session: BrowserSession): Promise<{ events: PanelEvent[]; stop: () => void }> {
  const events: PanelEvent[] = [];
  const stop = httpHost(session).subscribe((event) => events.push(event));
  await vi.waitFor(() => expect(fetching).toHaveBeenCalled());
  return { events, stop };
}

test("events come in any cut; each connection tells that everything may have changed, and a gap is told", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: false });
  const navigate = { kind: "navigate", path: "/keys" };
  const everything = { kind: "changed", tags: EVERY_TAG };
  const text = `: here\n\ndata: ${JSON.stringify(navigate)}\n\n`;
  fetching.mockResolvedValueOnce(streamOf(text.slice(0, 14), text.slice(14, 30), text.slice(30)));
  const { events, stop } = await heard(await openSession());
  await vi.waitFor(() => expect(events).toEqual([everything, navigate, { kind: "changed", tags: ["status"] }]));
  expect(lastCall().headers.get("authorization")).toBe("Bearer ghc_session");
  fetching.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(events).toHaveLength(3);
  fetching.mockResolvedValueOnce(new Response(new ReadableStream()));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(events[3]).toEqual(everything);
  stop();
  expect(lastCall().init?.signal?.aborted).toBe(true);
});

test("a stream that the core refuses is not tried again", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: false });
  fetching.mockResolvedValue(new Response(null, { status: 401 }));
  const session = await openSession();
  const { events } = await heard(session);
  await vi.waitFor(() => expect(session.state()).toBe("ended"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(fetching).toHaveBeenCalledTimes(1);
  expect(events).toEqual([]);
});
