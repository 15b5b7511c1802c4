import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel, type Rendered } from "../../../test/render-panel";

async function write({ user }: Rendered, prompt: string): Promise<void> {
  await user.type(await screen.findByRole("textbox", { name: "Prompt" }), prompt);
}

async function choose({ user }: Rendered, picker: string, model: string): Promise<void> {
  await user.click(screen.getByRole("button", { name: new RegExp(`^${picker}: `) }));
  await user.type(screen.getByPlaceholderText("Search models or type a name"), model);
  await user.keyboard("{Enter}");
}

const firstToken = (row: HTMLElement | undefined) => within(row!).getByRole("cell", { name: /^(180|420) ms$/ });
const figures = () => screen.getByRole("region", { name: "Figures" });

test("a first prompt goes to the mock with the keyboard and shows its answer and its figures", async () => {
  const panel = renderPanel("fresh", "/playground");
  await write(panel, "Explain breakers");
  await panel.user.keyboard("{Control>}{Enter}{/Control}");
  expect(await within(figures()).findByText("Waiting")).toBeVisible();
  panel.elapse();
  expect(await within(figures()).findByText("Complete")).toBeVisible();
  expect(within(figures()).getByRole("cell", { name: "not billed" })).toBeVisible();
  const answer = screen.getByRole("region", { name: "Answer" });
  expect(within(answer).getByText(/A circuit breaker watches/)).toBeVisible();
});

test("two are asked the same at once, and the better figure of each stands out", async () => {
  const panel = renderPanel("busy", "/playground");
  await panel.user.click(await screen.findByRole("radio", { name: "Compare two" }));
  await choose(panel, "Model A", "llama-5");
  await choose(panel, "Model B", "gpt-5.2-mini");
  await write(panel, "Explain breakers");
  await panel.user.click(screen.getByRole("button", { name: "Send" }));
  await screen.findByRole("button", { name: "Stop" });
  panel.elapse();
  expect(await within(figures()).findAllByText("Complete")).toHaveLength(2);
  const [, first, second] = within(figures()).getAllByRole("row");
  expect(firstToken(first)).toHaveClass("font-semibold");
  expect(firstToken(second)).not.toHaveClass("font-semibold");
});

test("Escape stops what goes and keeps what came", async () => {
  const panel = renderPanel("fresh", "/playground");
  await write(panel, "Explain");
  await panel.user.keyboard("{Control>}{Enter}{/Control}");
  await screen.findByRole("button", { name: "Stop" });
  await panel.user.keyboard("{Escape}");
  expect(await screen.findByText("Cancelled before the response started.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Send" })).toBeEnabled();
});

test("a refusal names its field, a failure is in the gateway's words, and nothing typed is lost", async () => {
  const panel = renderPanel("busy", "/playground");
  await write(panel, "Hello");
  await panel.user.type(screen.getByLabelText("Temperature"), "3");
  await panel.user.click(screen.getByRole("button", { name: "Send" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The temperature must be from 0 to 2.");
  await panel.user.clear(screen.getByLabelText("Temperature"));
  await choose(panel, "Model", "fault-401");
  await panel.user.click(screen.getByRole("button", { name: "Send" }));
  await screen.findByRole("button", { name: "Stop" });
  panel.elapse();
  expect(await screen.findByRole("link", { name: "Open the request" })).toBeVisible();
  expect(within(figures()).getByText("Failed")).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Prompt" })).toHaveValue("Hello");
});

test("a model that no backend lists can be typed, and the code carries no token", async () => {
  const panel = renderPanel("busy", "/playground");
  await write(panel, "It's me");
  await choose(panel, "Model", "my-route");
  await panel.user.click(screen.getByRole("tab", { name: "Code" }));
  const code = await screen.findByText(/gatehouse token claude-code/);
  expect(code).toHaveTextContent('"model": "my-route"');
  expect(code.textContent).not.toContain("ghk_");
});
