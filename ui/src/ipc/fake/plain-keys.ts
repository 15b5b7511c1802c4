/** Keys in plain text of the fake data, and their import. */
import type {
  KeyImportView,
  KeysImport,
  KeysScan,
  KeysScanView,
  PlainKeyPlaceView,
  PlainKeyView,
} from "@/ipc/bindings";
import { PRESETS } from "@/ipc/fake/presets";
import { health, makeBackend, makeKey, NO_DEPENDENTS, type World } from "@/ipc/fake/world";

const PLAIN_KEYS: PlainKeyView[] = [
  {
    fingerprint: "3f0c9a51d27be684",
    tail: "x9Qk",
    provider: "OpenAI",
    preset: "openai",
    origin: "https://api.openai.com",
    name: "openai",
    stored_as: null,
    variable: "OPENAI_API_KEY",
    places: [
      { path: "~/.zshrc", line: 42, name: "OPENAI_API_KEY", reader: "Zsh" },
      { path: "~/.codex/auth.json", line: 2, name: "OPENAI_API_KEY", reader: "Codex CLI" },
      { path: "~/work/shop/.env", line: 7, name: "OPENAI_API_KEY", reader: null },
    ],
  },
  {
    fingerprint: "b81d44f07a9c2e35",
    tail: "7h2M",
    provider: "DeepSeek",
    preset: "deepseek",
    origin: "https://api.deepseek.com",
    name: "deepseek",
    stored_as: null,
    variable: null,
    places: [{ path: "~/.aider.conf.yml", line: 3, name: "deepseek", reader: "Aider" }],
  },
  {
    fingerprint: "e2907c6b15d84fa3",
    tail: "Zz10",
    provider: null,
    preset: null,
    origin: null,
    name: "key",
    stored_as: null,
    variable: null,
    places: [{ path: "~/.continue/config.yaml", line: 11, name: "apiKey", reader: "Continue" }],
  },
];

function nameInUse(world: World, wanted: string): boolean {
  return world.keys.some((key) => key.id === wanted);
}

/** The keys, with those that were imported marked. */
export function scanKeys(world: World, req: KeysScan): KeysScanView {
  const isLeft = ({ path }: PlainKeyPlaceView) => !world.removedCopies.some((copy) => copy.path === path);
  const keys = PLAIN_KEYS.map((key) => ({
    ...key,
    stored_as: nameInUse(world, key.name) ? key.name : null,
    places: key.places.filter(isLeft),
  })).filter((key) => key.variable !== null || key.places.length > 0);
  const problems = (req.paths ?? []).map((path) => `${path} cannot be read: No such file or directory (os error 2)`);
  return { keys, files: 14, problems, is_truncated: false, vault_was_read: true };
}

export function importKeys(world: World, req: KeysImport, now: number): KeyImportView[] {
  return req.keys.map(({ fingerprint, name, add_backend }) => {
    const found = PLAIN_KEYS.find((key) => key.fingerprint === fingerprint);
    const outcome = { fingerprint, name, error: null, backend: null, backend_error: null, verification: null };
    if (found === undefined) return { ...outcome, error: "the key is no longer where it was found" };
    if (nameInUse(world, name)) return { ...outcome, error: `it is in the vault already, as ${name}` };
    world.keys.push({
      ...makeKey(name, found.tail ?? "", found.origin, now, 0),
      label: found.provider ?? name,
      state: "unverified",
      verified_at: null,
      used_at: null,
      used_by: [],
      dependents: NO_DEPENDENTS,
    });
    const preset = add_backend ? PRESETS.find((known) => known.id === found.preset) : undefined;
    if (preset === undefined) return outcome;
    const { id, label, kind, base_url } = preset;
    const added = makeBackend(id, name, health("unknown", "Not probed yet.", now, null, null));
    world.backends.splice(-1, 0, { ...added, label, kind, base_url });
    return { ...outcome, backend: id };
  });
}
