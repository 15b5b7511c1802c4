/** The part of an address that a key is locked to. */

const PORTS: Record<string, string> = { "https:": "443", "http:": "80" };

/** Scheme, host and port as the core writes them, or null for something that is not an address. */
export function originOf(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { protocol, hostname, port } = new URL(address);
  return `${protocol}//${hostname}:${port || (PORTS[protocol] ?? "")}`;
}
