import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { RequestPath } from "@/features/requests/request-path";
import { makeHost, renderWith } from "../../../test/render-panel";

async function pathWhere(matches: (request: { attempts: number; state: string; id: string }) => boolean) {
  const { host } = makeHost("busy");
  const page = await host.requests({ limit: 500 });
  const found = page.requests.find(matches);
  if (found === undefined) throw new Error("the made-up world has no such request");
  return host.requestPath({ id: found.id });
}

test("each attempt says its wait, what failed, what caused it, and what it cost", async () => {
  const path = await pathWhere((request) => request.attempts > 1 && request.state === "complete");
  renderWith("busy", <RequestPath path={path} />);
  const attempts = within(await screen.findByRole("list", { name: "Attempts" })).getAllByRole("listitem");
  expect(attempts[0]).toHaveTextContent("route fast");
  expect(attempts[0]).toHaveTextContent("queued 18 ms");
  expect(attempts[1]).toHaveTextContent("server error, caused by the backend. groq answered 503: over capacity.");
  expect(attempts[1]).toHaveTextContent("212 ms · not billed");
  expect(attempts[2]).toHaveTextContent("after 340 ms");
  expect(screen.getByRole("list", { name: "Skipped" })).toHaveTextContent("ollama: It does not support tools.");
});

test("a request that the cache answered says what it saved", async () => {
  const path = await pathWhere((request) => request.state === "complete" && request.id.endsWith("7"));
  renderWith("busy", <RequestPath path={path} />);
  expect(await screen.findByText("Served from cache")).toBeVisible();
  expect(screen.getByText("Saved $0.0112 and 2.1 s.")).toBeVisible();
});
