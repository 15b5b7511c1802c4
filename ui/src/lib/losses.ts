/** What a removal takes from routes, in sentences for the dialog that asks. */

/** Of the routes that use what is removed, those that are left without a backend, and the others. */
export function routeLosses(used: string[], broken: string[]): string[] {
  const others = used.filter((id) => !broken.includes(id));
  return [
    ...(broken.length > 0 ? [`No other backend is left for the ${routesNamed(broken)}.`] : []),
    ...(others.length > 0 ? [`The ${routesNamed(others)} will use other backends.`] : []),
  ];
}

/** Clients that the user switched to what is removed follow the routing rules again. */
export function freedClients(clients: string[]): string[] {
  if (clients.length === 0) return [];
  return [
    `${clients.join(", ")}, switched to it, ${clients.length === 1 ? "follows" : "follow"} the routing rules again.`,
  ];
}

function routesNamed(ids: string[]): string {
  return `${ids.length === 1 ? "route" : "routes"} ${ids.join(", ")}`;
}
