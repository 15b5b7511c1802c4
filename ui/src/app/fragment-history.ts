/**
 * Keeps the panel's location in the URL fragment only. The router's own hash history also reads the query of the
 * address, so a stray `?x` before the fragment would end up among the panel's own search values.
 */
import { createBrowserHistory, parseHref, type RouterHistory } from "@tanstack/history";

export function createFragmentHistory(): RouterHistory {
  return createBrowserHistory({
    parseLocation: () => parseHref(window.location.hash.slice(1) || "/", window.history.state),
    createHref: (href: string) => `${window.location.pathname}${window.location.search}#${href}`,
  });
}
