/** The kinds of services in words, for the list and the form. */
import type { ServiceKind } from "@/ipc/bindings";

export interface KindWords {
  value: ServiceKind;
  label: string;
  /** An address as an example. */
  placeholder: string;
  /** Null for a kind that takes no key. */
  secret: string | null;
}

export const SERVICE_KINDS: readonly KindWords[] = [
  {
    value: "http",
    label: "Web address",
    placeholder: "https://status.example.com/health",
    secret: "API key",
  },
  {
    value: "tcp",
    label: "TCP port",
    placeholder: "localhost:5432",
    secret: null,
  },
  {
    value: "redis",
    label: "Redis",
    placeholder: "redis://localhost:6379/0",
    secret: "Password",
  },
  {
    value: "postgres",
    label: "PostgreSQL",
    placeholder: "postgres://user@localhost:5432/database",
    secret: "Password",
  },
  {
    value: "github",
    label: "GitHub token",
    placeholder: "https://api.github.com/",
    secret: "Token",
  },
];

export function kindWords(kind: ServiceKind): KindWords {
  const found = SERVICE_KINDS.find(({ value }) => value === kind);
  if (found === undefined) throw new Error(`no words for services of kind ${kind}`);
  return found;
}
