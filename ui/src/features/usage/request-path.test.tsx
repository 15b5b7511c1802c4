import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { RequestPath } from "@/features/usage/request-path";
import { makeHost, renderWith } from "../../../test/render-panel";

async function requestWhere(matches: (request: { attempts: number; state: string; id: string }) => boolean) {
  const page = await makeHost("busy").host.requests({ before: null, limit: 500, backend: null, client: null });
  const found = page.requests.find(matches);
  if (found === undefined) throw new Error("the made-up world has no such request");
  return found.id;
}

test("each attempt says its wait, what failed, what caused it, and what it cost", async () => {
  const id = await requestWhere((request) => request.attempts > 1 && request.state === "complete");
  renderWith("busy", <RequestPath id={id} />);
  const attempts = within(await screen.findByRole("list", { name: "Attempts" })).getAllByRole("listitem");
  expect(attempts[0]).toHaveTextContent("route fast");
  expect(attempts[0]).toHaveTextContent("queued 18 ms");
  expect(attempts[1]).toHaveTextContent("server error, caused by the backend. groq answered 503: over capacity.");
  expect(attempts[1]).toHaveTextContent("212 ms · free");
  expect(attempts[2]).toHaveTextContent("after 340 ms");
  expect(screen.getByRole("list", { name: "Skipped" })).toHaveTextContent("ollama: It does not support tools.");
});

test("a request that the cache answered says what it saved", async () => {
  const id = await requestWhere((request) => request.state === "complete" && request.id.endsWith("7"));
  renderWith("busy", <RequestPath id={id} />);
  expect(await screen.findByText("Served from cache")).toBeVisible();
  expect(screen.getByText("Saved $0.0112 and 2.1 s.")).toBeVisible();
});
