/**
 * The policy the panel must live under, as the desktop window and the browser panel send it. Styles need no exception:
 * React sets them through the DOM, and the parts of Radix that write `<style>` elements are not used.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self' ipc: http://ipc.localhost",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");
