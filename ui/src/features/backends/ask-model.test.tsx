import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

async function openDialog(scenario: "busy" | "failing", id: string, label: string) {
  const panel = renderPanel(scenario, `/backends/${id}`);
  const drawer = await screen.findByRole("dialog", { name: label }, { timeout: 5_000 });
  await panel.user.click(within(drawer).getByRole("tab", { name: "Test" }));
  await panel.user.click(within(drawer).getByRole("button", { name: "Ask a model…" }));
  const dialog = await screen.findByRole("dialog", { name: `Ask a model of ${label}` });
  return { ...panel, dialog };
}

test("the price stands on the button before anything is asked, and the answer has its numbers", async () => {
  const { user, dialog, elapse } = await openDialog("busy", "openai", "OpenAI");
  const ask = await within(dialog).findByRole("button", { name: /^Ask for at most \$0\.\d+$/ });
  expect(dialog).toHaveTextContent("“Reply with the word OK.”");
  expect(dialog).toHaveTextContent("No budget counts it.");
  await user.click(ask);
  expect(await within(dialog).findByRole("status")).toHaveTextContent(/^Asking .+…$/);
  elapse();
  await waitFor(() => expect(within(dialog).getByRole("status")).toHaveTextContent(/answered in 600 ms/));
  expect(dialog).toHaveTextContent("14 in, 2 out");
  expect(within(dialog).getByRole("link", { name: "Open the request" })).toHaveAttribute(
    "href",
    expect.stringContaining("req_3a1101"),
  );
});

test("a request is stopped from the dialog", async () => {
  const { user, dialog } = await openDialog("busy", "mock", "Mock");
  await user.click(await within(dialog).findByRole("button", { name: "Ask" }));
  await user.click(await within(dialog).findByRole("button", { name: "Stop" }));
  expect(await within(dialog).findByText("It was stopped.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Ask again…" }));
  expect(await within(dialog).findByRole("button", { name: "Ask" })).toBeVisible();
});

test("a failure says its cause and what to do", async () => {
  const { user, dialog, elapse } = await openDialog("failing", "ollama", "Ollama");
  await user.click(await within(dialog).findByRole("button", { name: /^Ask/ }));
  await within(dialog).findByRole("button", { name: "Stop" });
  elapse();
  expect(await within(dialog).findByText(/could not be reached/)).toBeVisible();
  expect(dialog).toHaveTextContent("Start the server");
});

test("the palette's address opens the dialog, and closing it leaves the backend open", async () => {
  const { user } = renderPanel("busy", "/backends/groq?ask=true");
  const dialog = await screen.findByRole("dialog", { name: "Ask a model of Groq" });
  await user.click(await within(dialog).findByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(screen.queryByRole("dialog", { name: "Ask a model of Groq" })).toBeNull());
  expect(await screen.findByRole("dialog", { name: "Groq" })).toBeVisible();
});
