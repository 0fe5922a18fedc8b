/* The priority map by keyboard. Without it the page is a form of radio buttons that does the same. */
"use strict";
(() => {
  const form = document.querySelector("[data-map-form]");
  if (!form) return;
  const all = (selector, root = form) => Array.from(root.querySelectorAll(selector));
  const count = form.querySelector("[data-map-count]"), start = count ? count.textContent : "";
  const decide = form.querySelector("[data-map-decide]"), bar = form.querySelector(".map-bar");
  const rows = () => all("[data-row]");
  const current = () => form.querySelector('[data-row][aria-selected="true"]');
  const picked = () => rows().filter((row) => row.querySelector('[name="picked"]:checked'));
  const chosen = (row) => { const one = row.querySelector('input[type="radio"]:checked'); return one ? one.value : ""; };
  const changed = () => rows().filter((row) => chosen(row) && chosen(row) !== row.dataset.held);
  const tell = () => {
    const now = new Set(changed());
    for (const row of rows()) row.classList.toggle("changed-row", now.has(row));
    const several = picked().length;
    const words = [now.size ? `${now.size} changed, not decided yet` : "", several ? `${several} picked` : ""].filter(Boolean).join(", ");
    if (count) count.textContent = words ? `${words}.` : start;
    if (bar) bar.classList.toggle("active", now.size > 0 || several > 0);
    if (decide) decide.textContent = now.size ? `Decide ${now.size}` : "Decide";
  };
  const set = (row, value) => {
    const box = all('input[type="radio"]', row).find((one) => one.value === value);
    if (box) box.checked = true;
    return Boolean(box);
  };
  /* A key acts on the picked rows; when none is picked, on the one the cursor is in. */
  const targets = () => { const several = picked(); return several.length ? several : [current()].filter(Boolean); };
  const back = (row) => set(row, chosen(row) === row.dataset.held ? "unset" : row.dataset.held);
  const act = {
    0: () => targets().forEach((row) => set(row, "none")),
    u: () => targets().forEach(back),
    x: () => { const row = current(), box = row && row.querySelector('[name="picked"]'); if (box) box.checked = !box.checked; },
    w: () => { const row = current(), link = row && row.querySelector("[data-what-if]"); if (link) link.click(); },
    d: () => { const reason = form.querySelector('[name="reason"]'); if (reason) reason.focus(); },
  };
  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.keys !== "on" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const field = event.target.closest("input, textarea, select");
    if (field && !(field.closest("[data-row]") && ["radio", "checkbox"].includes(field.type))) return;
    if (/^[1-9]$/.test(event.key)) targets().forEach((row) => set(row, event.key));
    else if (act[event.key]) act[event.key]();
    else return;
    event.preventDefault();
    tell();
  });
  /* Whatever is touched becomes the row the keys speak of. */
  form.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row) return;
    for (const one of rows()) one.removeAttribute("aria-selected");
    row.setAttribute("aria-selected", "true");
  });
  form.addEventListener("change", tell);
  form.addEventListener("reset", () => setTimeout(tell));
  tell();
})();
