/** The sections of the settings screen besides the numbers: titles and search terms. */
export const SETTINGS_PARTS = [
  { id: "theme", title: "Appearance", words: "theme colors dark light system appearance" },
  { id: "profiles", title: "Profiles", words: "profiles work home demo switch backends sets" },
  { id: "shared", title: "Shared cache", words: "shared cache redis valkey server address password" },
  {
    id: "resilience",
    title: "Resilience",
    words: "resilience circuit breaker failures retries cooldown careful balanced eager custom thresholds",
  },
  {
    id: "vault",
    title: "Vault",
    words: "vault keys keychain encrypted file passphrase environment memory storage",
  },
  { id: "notifications", title: "Notifications", words: "desktop notifications test alert" },
  {
    id: "agents",
    title: "Agents",
    words: "agents mcp allowed permissions tools prompts checks change http claude code codex desktop gemini install",
  },
  {
    id: "audit",
    title: "Audit log",
    words: "audit log history changes agents who changed command line mcp",
  },
  { id: "backup", title: "Backup", words: "backup restore everything archive verify machine move" },
  { id: "export", title: "Export", words: "export import settings keys file encrypted age passphrase machine move" },
  { id: "ledger", title: "Ledger", words: "ledger backup restore repair records history damaged" },
  { id: "file", title: "Files", words: "folders file ledger size logs data config path" },
] as const;

export type SettingsPart = (typeof SETTINGS_PARTS)[number]["id"];
