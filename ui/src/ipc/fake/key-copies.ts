/** Plain copies of the fake data's keys: found, imported, what their removal would change, and its undo. */
import type {
  KeyCopiesFileView,
  KeyCopiesPlanView,
  KeyCopiesQuery,
  LeftKeyCopyView,
  PlainKeyPlaceView,
} from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise, requireVault } from "@/ipc/fake/rules";
import { importKeys, scanKeys } from "@/ipc/fake/plain-keys";
import type { World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

type KeyCopiesOperation =
  "keysScan" | "keysImport" | "keyCopiesPlan" | "keyCopiesRemove" | "keyCopiesRemoved" | "keyCopiesRestore";

export function fakeKeyCopies({ world, now, answer, changed }: Doing): Pick<Host, KeyCopiesOperation> {
  return {
    keysScan: (req) => answer(() => scanKeys(world, req)),
    keysImport: (req) =>
      answer(() => {
        requireVault(world);
        const outcomes = importKeys(world, req, now());
        changed("keys", "backends", "status");
        return outcomes;
      }),
    keyCopiesPlan: (req) => answer(() => plan(world, req)),
    keyCopiesRemove: (req) =>
      answer(() => {
        requireVault(world);
        const planned = plan(world, req);
        if (planned.fingerprint !== req.plan)
          throw fault("failed", "a file changed in the meantime; look at the plan again", null);
        const outcomes = planned.files.map(({ path, lines }) => {
          const keys = scanKeys(world, req.scan).keys.filter((key) => key.places.some((place) => place.path === path));
          const removed = {
            id: `2026-11-24T09-00-00Z-${String(world.removedCopies.length + 1).padStart(3, "0")}`,
            path,
            removed_at: now(),
            lines,
            keys: keys.map((key) => key.stored_as ?? key.name),
            problem: null,
          };
          world.removedCopies.unshift(removed);
          return { path, error: null, removed };
        });
        changed("keys", "alerts");
        return outcomes;
      }),
    keyCopiesRemoved: () => answer(() => [...world.removedCopies]),
    keyCopiesRestore: ({ id }) =>
      answer(() => {
        requireVault(world);
        const known = world.removedCopies.find((copy) => copy.id === id);
        if (known === undefined) throw fault("not_found", `there is no removed copy ${id}`, null);
        world.removedCopies = world.removedCopies.filter((copy) => copy !== known);
        changed("keys", "alerts");
        return known;
      }),
  };
}

function plan(world: World, req: KeyCopiesQuery): KeyCopiesPlanView {
  const found = scanKeys(world, req.scan).keys;
  const chosen = req.fingerprints.map(
    (fingerprint) =>
      found.find((key) => key.fingerprint === fingerprint) ??
      raise(fault("invalid_input", "a key is in none of the files any more", null, "fingerprints")),
  );
  if (chosen.some((key) => key.stored_as === null)) {
    const message = "a key is not in the vault, so its only copy would be lost; import it first";
    throw fault("invalid_input", message, null, "fingerprints");
  }
  const places = chosen.flatMap((key) => key.places.map((place) => ({ ...place, tail: key.tail ?? "" })));
  const left = places.flatMap((place) => leftCopy(place) ?? []);
  const files = places.filter((place) => leftCopy(place) === null).map(fileChange);
  return { files, left, fingerprint: files.map((file) => file.path).join() };
}

function leftCopy({ path, line }: PlainKeyPlaceView): LeftKeyCopyView | null {
  if (/\.(zshrc|bashrc|profile)$/.test(path)) {
    const reason =
      "The file is a shell script, in which other lines may need this one. Delete the line in an editor, and open a " +
      "new terminal.";
    return { path, line, reason };
  }
  if (/\.ya?ml$/.test(path)) {
    const reason = "The file is of a kind that Gatehouse does not change. Delete the key in an editor.";
    return { path, line, reason };
  }
  return null;
}

function fileChange({ path, line, name, tail }: PlainKeyPlaceView & { tail: string }): KeyCopiesFileView {
  const [before, after] = path.endsWith(".json")
    ? [`  "${name}": "…${tail}",`, `  "${name}": null,`]
    : [`${name}=…${tail}`, `${name}=`];
  return {
    path,
    lines: [line],
    diff: `--- ${path}\n+++ ${path}\n@@ -${line} +${line} @@\n-${before}\n+${after}\n`,
    warning: path.includes("/work/")
      ? "Git tracks this file, and its history keeps the key. Replace the key at its provider if others can read the repository."
      : null,
  };
}
