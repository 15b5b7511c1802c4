import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { AddKeyDialog } from "@/features/keys/add-key";
import { renderWith } from "../../../test/render-panel";

const REFRESH = "refresh-marked-7f3a91";
const CLIENT = "client-marked-7f3a91";

test("a key that is refreshed is added with its endpoint, and its secrets are nowhere afterwards", async () => {
  const onClose = vi.fn<() => void>();
  const { user, host, cache } = renderWith("fresh", <AddKeyDialog open onClose={onClose} />);
  const added = vi.spyOn(host, "keyOauthAdd");
  await user.click(await screen.findByRole("radio", { name: "OAuth" }));
  await user.type(screen.getByLabelText("Token endpoint"), "https://login.example.com/token");
  await user.type(screen.getByLabelText("Client ID"), "app-1");
  await user.type(screen.getByLabelText("Refresh token"), REFRESH);
  await user.type(screen.getByLabelText(/Client secret/), CLIENT);
  await user.type(screen.getByLabelText(/^ID$/), "corp");
  expect(document.documentElement.outerHTML).not.toContain(REFRESH);
  await user.click(screen.getByRole("button", { name: "Add key" }));
  await waitFor(() => expect(onClose).toHaveBeenCalled());
  expect(added.mock.calls[0]?.[0]).toMatchObject({
    id: "corp",
    token_url: "https://login.example.com/token",
    client_id: "app-1",
    grant: "refresh_token",
    scope: null,
    secret: REFRESH,
    client_secret: CLIENT,
  });
  const kept = JSON.stringify([
    cache
      .getQueryCache()
      .getAll()
      .map((query) => query.state),
    cache
      .getMutationCache()
      .getAll()
      .map((mutation) => mutation.state),
  ]);
  for (const secret of [REFRESH, CLIENT]) expect(kept).not.toContain(secret);
});

test("client credentials have one secret", async () => {
  const { user } = renderWith("fresh", <AddKeyDialog open onClose={() => {}} />);
  await user.click(await screen.findByRole("radio", { name: "OAuth" }));
  await user.click(screen.getByRole("radio", { name: "Client credentials" }));
  expect(screen.getAllByLabelText(/Client secret/)).toHaveLength(1);
  expect(screen.queryByLabelText("Refresh token", { selector: "input" })).toBeNull();
});
