import { afterEach, expect, test, vi } from "vitest";
import { exchangeOneTimeToken, httpHost } from "@/ipc/http-host";

const fetching = vi.fn<typeof fetch>();
vi.stubGlobal("fetch", fetching);
afterEach(() => fetching.mockReset());

function lastCall(): { path: unknown; init: RequestInit | undefined } {
  const [path, init] = fetching.mock.lastCall ?? [];
  return { path, init };
}

test("an operation is a POST in snake case with the panel's header", async () => {
  fetching.mockResolvedValue(Response.json({ id: "openai" }));
  await expect(httpHost().backendSwitch({ id: "openai", enabled: false })).resolves.toEqual({ id: "openai" });
  const { path, init } = lastCall();
  expect(path).toBe("/control/v1/backend_switch");
  expect(init).toMatchObject({
    method: "POST",
    credentials: "same-origin",
    headers: { "x-gatehouse-panel": "1" },
    body: '{"id":"openai","enabled":false}',
  });
});

test("an operation without a request sends null", async () => {
  fetching.mockResolvedValue(Response.json([]));
  await httpHost().backends();
  expect(lastCall().init?.body).toBe("null");
});

test("a refusal is the core's own ApiError", async () => {
  const error = { code: "invalid_input", message: "Taken.", hint: null, field: "id" };
  fetching.mockResolvedValue(Response.json(error, { status: 422 }));
  await expect(httpHost().keyVerify({ id: "x" })).rejects.toEqual(error);
});

test("an answer that is no ApiError says its status, and no answer is offline", async () => {
  fetching.mockResolvedValue(new Response("<html>", { status: 502 }));
  await expect(httpHost().status()).rejects.toMatchObject({ code: "failed", message: expect.stringContaining("502") });
  fetching.mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(httpHost().status()).rejects.toMatchObject({ code: "offline" });
});

test("the one-time token leaves the address before it is exchanged", async () => {
  window.history.replaceState(null, "", "/#one-time=a%2Fb");
  fetching.mockImplementation(() => {
    expect(window.location.hash).toBe("#/");
    return Promise.resolve(new Response(null, { status: 204 }));
  });
  await exchangeOneTimeToken();
  expect(lastCall()).toMatchObject({ path: "/panel/exchange", init: { body: '{"one_time":"a/b"}' } });
  await exchangeOneTimeToken();
  expect(fetching).toHaveBeenCalledTimes(1);
});
