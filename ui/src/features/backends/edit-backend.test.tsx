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
