/** The vault of the fake core: checked, unlocked, and replaced. */
import type { VaultKind } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault } from "@/ipc/fake/rules";
import { vaultOf } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

type VaultOperations = Pick<Host, "vaultCheck" | "vaultUnlock" | "vaultSet" | "vaultMove">;

export function fakeVault({ world, answer, changed }: Doing): VaultOperations {
  return {
    vaultCheck: () =>
      answer(() => {
        if (world.vault.state === "locked" && world.vault.kind === "keychain")
          world.vault = vaultOf("keychain", "ready", null);
        changed("keys", "settings", "status");
        return world.vault;
      }),
    vaultUnlock: (req) =>
      answer(() => {
        if (world.vault.kind !== "file")
          throw fault(
            "vault_unavailable",
            "Only the encrypted file has a passphrase.",
            "Unlock the keychain in the desktop.",
          );
        if (req.passphrase.length < 8) throw fault("invalid_input", "The passphrase is wrong.", null, "passphrase");
        world.vault = vaultOf("file", "ready", null);
        changed("keys", "settings", "status");
        return world.vault;
      }),
    vaultSet: (req) =>
      answer(() => {
        if (req.kind === "file" && (req.passphrase ?? "").length < 8)
          throw fault("invalid_input", "the passphrase is too short; use at least 8 characters", null, "passphrase");
        const moved = req.move_keys ? world.keys.map((key) => key.id) : [];
        world.vault = vaultOf(req.kind, "ready", null);
        world.settings.values = { ...world.settings.values, vault_kind: req.kind };
        changed("keys", "backends", "clients", "settings", "status");
        const place: Record<VaultKind, string> = {
          keychain: "the keychain",
          file: "an encrypted file",
          env: "the environment",
          memory: "memory",
        };
        const sentence = `The vault is now ${place[req.kind]}.`;
        return { vault: world.vault, moved, moved_tokens: [], left: [], sentence };
      }),
    vaultMove: () =>
      answer(() => {
        const moved = world.keys.map((key) => key.id);
        return { vault: world.vault, moved, moved_tokens: [], left: [], sentence: `${moved.length} keys were moved.` };
      }),
  };
}
