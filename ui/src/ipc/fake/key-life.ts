/** What becomes of the fake core's keys: edited, replaced, and the old one checked. */
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireSecret, requireVault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";

type KeyLifeOperation = "keyEdit" | "keyReplace" | "keyRetiredCheck";

export function fakeKeyLife({ world, now, answer, changed }: Doing): Pick<Host, KeyLifeOperation> {
  const key = (id: string) =>
    world.keys.find((known) => known.id === id) ??
    raise(fault("not_found", `There is no key named ${id}.`, "It may have been removed elsewhere."));
  return {
    keyEdit: (req) =>
      answer(() => {
        changed("keys");
        return Object.assign(key(req.id), { label: req.label === "" ? req.id : req.label, expires_at: req.expires_at });
      }),
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
