// Before anything is drawn: the reader's choice of light or dark, so that no page flashes in the other one.
(() => {
  try {
    const choice = localStorage.getItem("fig-theme");
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  } catch { /* no storage: as the system wants it */ }
})();
