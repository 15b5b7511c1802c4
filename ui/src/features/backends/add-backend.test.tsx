import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { AddBackendDialog } from "@/features/backends/add-backend";
import { choose } from "../../../test/choose";
import { renderWith } from "../../../test/render-panel";

const SECRET = "gsk_marked-51c2";

test("a preset fills the form, the new key goes in, the test shows its steps", async () => {
  const { user, host } = renderWith("fresh", <AddBackendDialog open onClose={() => {}} onOpen={() => {}} />);
  const added = vi.spyOn(host, "backendAdd");
  await user.click(await screen.findByRole("option", { name: /^Groq/ }));
  expect(screen.getByLabelText("Address")).toHaveValue("https://api.groq.com/openai/v1");
  await user.type(screen.getByLabelText("API key"), SECRET);
  await user.click(screen.getByRole("button", { name: "Add and test" }));
  expect(await screen.findByText("It works. All steps passed.")).toBeVisible();
  expect(screen.getByText("Accept the key")).toBeVisible();
  expect(added).toHaveBeenCalledWith({
    id: "groq",
    label: "Groq",
    kind: "openai-compatible",
    base_url: "https://api.groq.com/openai/v1",
    key: { kind: "new", secret: SECRET },
    models: [],
    lacks: [],
    offers: ["responses"],
    crossing: "strict",
  });
  expect(document.documentElement.outerHTML).not.toContain(SECRET);
});

test("a wrong address is marked in the core's words and everything typed stays", async () => {
  const { user } = renderWith("fresh", <AddBackendDialog open onClose={() => {}} onOpen={() => {}} />);
  await user.click(await screen.findByRole("button", { name: /^Custom/ }));
  await user.type(screen.getByLabelText("ID"), "proxy");
  await user.type(screen.getByLabelText("Address"), "proxy.corp.test");
  await user.type(screen.getByLabelText("API key"), SECRET);
  await user.click(screen.getByRole("button", { name: "Add and test" }));
  await waitFor(() => expect(screen.getByLabelText("Address")).toBeInvalid());
  expect(screen.getByLabelText("Address")).toHaveAccessibleDescription(/is not an address.*https/);
  expect(screen.getByLabelText("ID")).toHaveValue("proxy");
  expect(screen.getByLabelText("API key")).toHaveValue(SECRET);
});

function names(): (string | null)[] {
  return screen.getAllByRole("option").map((option) => option.textContent);
}

test("the chooser finds one of many by name, address or kind, and keeps the way to one of your own", async () => {
  const { user } = renderWith("fresh", <AddBackendDialog open onClose={() => {}} onOpen={() => {}} />);
  const find = await screen.findByPlaceholderText(/Search providers/);
  expect(names().length).toBeGreaterThan(30);
  await user.type(find, "moonshot");
  expect(names()).toEqual([expect.stringMatching(/^Moonshot AI/)]);
  await user.clear(find);
  await user.type(find, "ollama 127");
  expect(names()).toEqual([expect.stringMatching(/^Ollama/)]);
  await user.clear(find);
  await user.type(find, "anthropic");
  expect(names()).toContainEqual(expect.stringMatching(/^MiniMax.*Anthropic API/));
  await user.clear(find);
  await user.type(find, "no such provider");
  expect(screen.queryAllByRole("option")).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Custom address" }));
  expect(screen.getByLabelText("Kind")).toHaveTextContent("OpenAI-compatible");
});

test("the switches go along for a compatible server only; how fields cross goes along for all", async () => {
  const { user, host } = renderWith("fresh", <AddBackendDialog open onClose={() => {}} onOpen={() => {}} />);
  const added = vi.spyOn(host, "backendAdd");
  await user.click(await screen.findByRole("button", { name: /^Custom/ }));
  await user.type(screen.getByLabelText("ID"), "proxy");
  await user.type(screen.getByLabelText("Address"), "https://proxy.corp.test/v1");
  await user.click(screen.getByRole("radio", { name: "No key" }));
  await user.click(screen.getByText("Advanced"));
  const images = screen.getByRole("checkbox", { name: "Images" });
  expect(images).toHaveAccessibleDescription("Image input is not supported.");
  await user.click(images);
  await user.click(screen.getByRole("checkbox", { name: "Usage in streams" }));
  await user.click(screen.getByRole("checkbox", { name: "Messages" }));
  await user.click(screen.getByRole("radio", { name: "Lenient" }));
  expect(screen.getByTitle("lacks Usage in streams, Images; offers Messages; lenient")).toBeInTheDocument();

  await choose(user, screen.getByLabelText("Kind"), "Anthropic");
  expect(screen.getByLabelText("Kind")).toHaveAccessibleDescription(/Anthropic's Messages/);
  expect(screen.queryByRole("checkbox", { name: "Images" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Add and test" }));
  await screen.findByText("It works. All steps passed.");
  expect(added).toHaveBeenLastCalledWith(
    expect.objectContaining({ kind: "anthropic", lacks: [], offers: [], crossing: "lenient" }),
  );
});
