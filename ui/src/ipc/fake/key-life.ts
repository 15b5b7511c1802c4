/** What becomes of the fake core's keys: edited, replaced, and the old one checked. */
import type { KeyEvent, KeyHistoryView, KeyView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireId, requireSecret, requireVault } from "@/ipc/fake/rules";
import { makeKey } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

const NOTE_CHARS_MAX = 500;

type KeyLifeOperation = "keyEdit" | "keyHistory" | "keyReplace" | "keyRetiredCheck" | "keyOauthAdd";

const event = (at: number | null, of: KeyEvent, sentence: string) => (at === null ? [] : [{ at, event: of, sentence }]);

/** What is known from the key alone. */
function historyOf(key: KeyView): KeyHistoryView {
  const { created_at, replaced_at, verified_at, state, reason } = key;
  const events = [
    ...(state === "rejected" ? event(verified_at, "rejected", reason ?? "The provider rejected the key.") : []),
    ...event(replaced_at, "replaced", "Replaced."),
    ...event(created_at, "added", "Added."),
  ];
  return { events, is_whole: true };
}

export function fakeKeyLife({ world, now, answer, changed }: Doing): Pick<Host, KeyLifeOperation> {
  const key = (id: string) =>
    world.keys.find((known) => known.id === id) ??
    raise(fault("not_found", `There is no key named ${id}.`, "It may have been removed elsewhere."));
  return {
    keyOauthAdd: (req) =>
      answer(() => {
        requireVault(world);
        requireId(req.id, "key");
        requireSecret(req.secret);
        if (req.secret.includes("wrong"))
          throw fault(
            "invalid_input",
            `it was not stored: the token endpoint ${new URL(req.token_url).host} refuses (invalid_grant)`,
            "Sign in again and paste the new refresh token.",
            "secret",
          );
        const origin = req.url === null ? null : `${new URL(req.url).origin}:443`;
        const added = {
          ...makeKey(req.id, req.secret.slice(-4), origin, now(), 0),
          label: req.label === "" ? req.id : req.label,
          state: "unverified" as const,
          verified_at: null,
          used_at: null,
          used_by: [],
          oauth: {
            token_url: req.token_url,
            client_id: req.client_id,
            grant: req.grant,
            scope: req.scope,
            refreshed_at: now(),
            access_expires_at: now() + 3_600_000,
          },
        };
        world.keys.push(added);
        changed("keys", "status");
        return added;
      }),
    keyEdit: (req) =>
      answer(() => {
        changed("keys");
        if ((req.note ?? "").length > NOTE_CHARS_MAX)
          throw fault("invalid_input", `the note is too long; use at most ${NOTE_CHARS_MAX} characters`, null, "note");
        return Object.assign(key(req.id), {
          label: req.label === "" ? req.id : req.label,
          expires_at: req.expires_at,
          note: req.note,
        });
      }),
    keyHistory: ({ id }) => answer(() => historyOf(key(id))),
    keyRetiredCheck: ({ id }) =>
      answer(() => {
        const known = key(id);
        if (known.retired === null) throw fault("not_found", `${id} was not replaced in the last 24 hours`, null);
        return { id, state: "accepted" as const, sentence: `${id} still accepts the old key. Revoke it there.` };
      }),
    keyReplace: (req) =>
      answer(() => {
        requireVault(world);
        requireSecret(req.secret);
        if (req.secret.includes("wrong") && req.untested !== true)
          throw fault(
            "invalid_input",
            `the new key does not work, so the old one stays: ${req.id} rejected its key (401)`,
            "Check that it was copied whole. Some providers need a minute.",
            "secret",
          );
        const before = key(req.id);
        const replaced = Object.assign(before, {
          retired: { tail: before.tail, replaced_at: now() },
          notices: [],
          expires_at: null,
          tail: req.secret.slice(-4),
          replaced_at: now(),
          state: "unverified",
          reason: null,
          verified_at: null,
        });
        changed("keys", "status");
        return replaced;
      }),
  };
}
