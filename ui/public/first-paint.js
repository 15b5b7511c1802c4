// The colours chosen last, before anything is drawn: the panel's own scripts run too late for that, and would let a
// page in the desktop's colours flash up first. Not a module, because those wait for the page to be read.
try {
  const theme = localStorage.getItem("gatehouse.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // No storage: the desktop's colours are right until the settings have arrived.
}
