/**
 * The panel's places in the fragment of the address, and only there. The router's own hash history also reads the
 * address's query into a place, so a stray `?x` before the fragment would end up inside the panel's own values.
 */
import { createBrowserHistory, parseHref, type RouterHistory } from "@tanstack/history";

export function createFragmentHistory(): RouterHistory {
  return createBrowserHistory({
    parseLocation: () => parseHref(window.location.hash.slice(1) || "/", window.history.state),
    createHref: (href: string) => `${window.location.pathname}${window.location.search}#${href}`,
  });
}
