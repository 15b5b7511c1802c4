import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { EditBackend } from "@/features/backends/edit-backend";
import { makeBackend, health } from "@/ipc/fake/world";
import { choose } from "../../../test/choose";
import { renderWith } from "../../../test/render-panel";

const GROQ = makeBackend("groq", "groq", health("up", "", null, null, null));

test("what a server lacks is ticked, changed and saved with its kind", async () => {
  const known = { ...GROQ, lacks: ["tools" as const], crossing: "lenient" as const };
  const { user, host } = renderWith("busy", <EditBackend backend={known} />);
  const saved = vi.spyOn(host, "backendEdit");
  await user.click(await screen.findByText("Advanced"));
  expect(screen.getByRole("checkbox", { name: "Tools" })).toBeChecked();
  expect(screen.getByRole("checkbox", { name: "Responses" })).toBeChecked();
  expect(screen.getByRole("radio", { name: "Lenient" })).toBeChecked();
  await user.click(screen.getByRole("checkbox", { name: "Images" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  expect(saved).toHaveBeenCalledWith(
    expect.objectContaining({
      kind: "openai-compatible",
      lacks: ["tools", "images"],
      offers: ["responses"],
      crossing: "lenient",
    }),
  );
});

test("what the file says of another kind is kept until the kind changes", async () => {
  const known = { ...GROQ, kind: "gemini" as const, lacks: ["tools" as const] };
  const { user, host } = renderWith("busy", <EditBackend backend={known} />);
  const saved = vi.spyOn(host, "backendEdit").mockResolvedValue(known);
  await user.type(await screen.findByLabelText("Display name"), "!");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalledTimes(1));
  expect(saved).toHaveBeenLastCalledWith(expect.objectContaining({ kind: "gemini", lacks: ["tools"] }));
  await choose(user, screen.getByLabelText("Kind"), "Ollama");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalledTimes(2));
  expect(saved).toHaveBeenLastCalledWith(expect.objectContaining({ kind: "ollama", lacks: [] }));
});

test("several keys are put in order, and limits are refused at their field", async () => {
  const { user, host } = renderWith("busy", <EditBackend backend={GROQ} />);
  const saved = vi.spyOn(host, "backendEdit");
  await user.click(await screen.findByRole("button", { name: "Add another key" }));
  expect(screen.getByLabelText("Key 1")).toHaveTextContent("(groq)");
  expect(screen.getByLabelText("Key 2")).toHaveTextContent("(openai)");
  screen.getByRole("button", { name: "Move key openai, 2 of 2" }).focus();
  await user.keyboard("{ArrowUp}");
  await user.type(screen.getByLabelText("Requests per minute"), "sixty");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Enter a whole number.");
  expect(saved).not.toHaveBeenCalled();
  await user.clear(screen.getByLabelText("Requests per minute"));
  await user.type(screen.getByLabelText("Requests per minute"), "60");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  expect(saved).toHaveBeenCalledWith(
    expect.objectContaining({
      credential: "openai",
      pool: {
        order: "ordered",
        members: [
          { credential: "openai", weight: 1 },
          { credential: "groq", weight: 1 },
        ],
      },
      limits: { requests_per_minute: 60, tokens_per_minute: null, in_flight_max: null },
    }),
  );
});

const member = (credential: string) => ({ credential, weight: 1 });
const address = () => screen.findByLabelText("Address");

test("another path keeps the key; for another host the form says that the key is locked and lets it go", async () => {
  const { user, host } = renderWith("busy", <EditBackend backend={GROQ} />);
  const saved = vi.spyOn(host, "backendEdit");
  await screen.findByText("Groq (groq)");
  await user.type(await address(), "/beta");
  expect(screen.queryByText(/is locked to/)).not.toBeInTheDocument();
  await user.clear(await address());
  await user.type(await address(), "https://groq.example.com/v1");
  expect(screen.getByText("The key groq is locked to https://api.groq.com:443.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalledTimes(1));
  await expect(saved.mock.results[0]?.value).rejects.toMatchObject({ field: "key" });
  await user.click(screen.getByRole("button", { name: "Remove key" }));
  expect(screen.getByText("No key. Requests are sent without one.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Add a key" })).toHaveFocus();
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalledTimes(2));
  expect(saved).toHaveBeenLastCalledWith(
    expect.objectContaining({
      base_url: "https://groq.example.com/v1",
      credential: null,
      pool: { order: "ordered", members: [] },
    }),
  );
  await expect(saved.mock.results[1]?.value).resolves.toMatchObject({ credential: null });
});

test("of several keys only those that are locked elsewhere are let go; a key without a host stays", async () => {
  const pool = { order: "ordered" as const, members: [member("groq"), member("pinecone"), member("openai")] };
  const { user, host } = renderWith("busy", <EditBackend backend={{ ...GROQ, pool }} />);
  const saved = vi.spyOn(host, "backendEdit");
  await user.clear(await address());
  await user.type(await address(), "https://proxy.example.com/v1");
  expect(await screen.findByText("2 keys are locked to other hosts.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Remove keys" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  expect(saved).toHaveBeenLastCalledWith(
    expect.objectContaining({ credential: "pinecone", pool: { order: "ordered", members: [member("pinecone")] } }),
  );
  await expect(saved.mock.results[0]?.value).resolves.toMatchObject({ credential: "pinecone" });
});
