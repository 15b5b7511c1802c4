import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { AddBackendDialog } from "@/features/backends/add-backend";
import { renderWith } from "../../../test/render-panel";

const SECRET = "gsk_marked-51c2";

test("a preset fills the form, the new key goes in, the test shows its steps", async () => {
  const { user, host } = renderWith("fresh", <AddBackendDialog open onClose={() => {}} onOpen={() => {}} />);
  const added = vi.spyOn(host, "backendAdd");
  await user.click(await screen.findByRole("button", { name: /^Groq/ }));
  expect(screen.getByLabelText("Address")).toHaveValue("https://api.groq.com/openai/v1");
  await user.type(screen.getByLabelText("The key"), SECRET);
  await user.click(screen.getByRole("button", { name: "Add and test" }));
  expect(await screen.findByText("It works: every step passed.")).toBeVisible();
  expect(screen.getByText("Accept the key")).toBeVisible();
  expect(added).toHaveBeenCalledWith({
    id: "groq",
    label: "Groq",
    kind: "openai-compatible",
    base_url: "https://api.groq.com/openai/v1",
    key: { kind: "new", secret: SECRET },
    models: [],
  });
  expect(document.documentElement.outerHTML).not.toContain(SECRET);
});

test("a wrong address is marked in the core's words and everything typed stays", async () => {
  const { user } = renderWith("fresh", <AddBackendDialog open onClose={() => {}} onOpen={() => {}} />);
  await user.click(await screen.findByRole("button", { name: /^Custom/ }));
  await user.type(screen.getByLabelText("Name in requests"), "proxy");
  await user.type(screen.getByLabelText("Address"), "proxy.corp.test");
  await user.type(screen.getByLabelText("The key"), SECRET);
  await user.click(screen.getByRole("button", { name: "Add and test" }));
  await waitFor(() => expect(screen.getByLabelText("Address")).toBeInvalid());
  expect(screen.getByLabelText("Address")).toHaveAccessibleDescription(/is not an address.*https/);
  expect(screen.getByLabelText("Name in requests")).toHaveValue("proxy");
  expect(screen.getByLabelText("The key")).toHaveValue(SECRET);
});
