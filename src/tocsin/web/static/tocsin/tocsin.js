/* Everything here is an addition: each page works without it. htmx fetches and swaps; no inline code, nothing from elsewhere. */
"use strict";
(() => {
  const body = document.body;
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  /* The server's clock. Pages count with it, so that a wrong clock on a phone tells nobody a wrong age. */
  let ahead = 0;
  const setClock = (text) => { const at = Date.parse(text); if (!Number.isNaN(at)) ahead = at - Date.now(); };
  setClock(body.dataset.now || "");
  const now = () => Date.now() + ahead;

  /* Times: the viewer's zone or UTC, for the whole page. */
  const memory = {
    get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window: forget it */ } },
  };
  const switchButton = document.querySelector("[data-zone-switch]");
  const showZone = (root = document) => {
    const utc = memory.get("zone") === "utc";
    for (const time of all("time[data-utc]", root)) {
      if (!time.dataset.local) time.dataset.local = time.textContent;
      time.textContent = utc ? time.dataset.utc : time.dataset.local;
    }
    if (!switchButton) return;
    const local = body.dataset.zone || "UTC";
    switchButton.hidden = local === "UTC";
    switchButton.setAttribute("aria-pressed", String(utc));
    switchButton.querySelector("[data-zone-name]").textContent = utc ? "UTC" : local;
  };
  const toggleZone = () => { memory.set("zone", memory.get("zone") === "utc" ? "local" : "utc"); showZone(); };
  if (switchButton) switchButton.addEventListener("click", toggleZone);

  /* Countdowns and ages, in the words the server uses. */
  const span = (seconds) => {
    const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
    if (minutes < 1) return `${Math.floor(seconds)} s`;
    if (hours < 1) return `${minutes} min`;
    if (days < 1) return `${hours} h` + (minutes % 60 && hours < 10 ? ` ${minutes % 60} min` : "");
    return `${days} d` + (days < 4 && hours % 24 ? ` ${hours % 24} h` : "");
  };
  const tick = () => {
    for (const one of all("[data-due]")) {
      const left = (Date.parse(one.dataset.due) - now()) / 1000;
      const late = -left > Number(one.dataset.grace || 0);
      one.textContent = left >= 0 ? `in ${span(left)}` : late ? `${span(-left)} late` : "due now";
      one.classList.toggle("late", late);
      one.classList.toggle("soon", !late && left <= 900);
    }
    for (const one of all("[data-since]")) {
      const minutes = Math.max(0, Math.floor((now() - Date.parse(one.dataset.since)) / 60000));
      one.textContent = `T+${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
    }
    for (const one of all("[data-until]")) {
      const left = (Date.parse(one.dataset.until) - now()) / 1000;
      if (left <= 0) one.hidden = true;
      const shown = one.querySelector("[data-left]");
      if (shown && left > 0) shown.textContent = `${Math.ceil(left)} s`;
    }
  };

  /* Live regions: fetched with the page, swapped one by one, never under somebody's hands. */
  const isHeld = (region) => {
    const focus = document.activeElement;
    if (focus && focus !== body && region.contains(focus)) return true;
    if (region.querySelector("details[open]")) return true;
    return all("input, textarea, select", region).some((field) =>
      field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
        : field.tagName === "SELECT" ? all("option", field).some((o) => o.selected !== o.defaultSelected)
        : field.value !== field.defaultValue);
  };
  const line = document.querySelector("[data-live-line]");
  const say = (words) => { if (line) line.textContent = words; };
  const clockWords = () => {
    const utc = memory.get("zone") === "utc";
    const zone = utc ? "UTC" : body.dataset.zone || "UTC";
    const offset = Number(body.dataset.offset || 0);
    const at = new Date(now() + (utc ? 0 : offset * 60000)).toISOString().slice(11, 19);
    return `${at} ${zone}`;
  };
  const announcer = document.querySelector("[data-announce]");
  let fetching = false, again = false, lastSeen = "", news = 0;
  const lost = () => say(`Last seen ${lastSeen || "at the start"}, trying again`);
  /* What somebody has under their hands stays where it is on the screen, whatever grows above it. */
  let held = null;
  const hold = () => {
    const focus = document.activeElement;
    held = focus && focus !== body ? { focus, top: focus.getBoundingClientRect().top } : null;
  };
  const letGo = () => {
    if (held && held.focus.isConnected) scrollBy({ top: held.focus.getBoundingClientRect().top - held.top, behavior: "instant" });
  };
  /* htmx asks for the page once more and swaps the regions that nobody holds; what has not changed stays as it is. */
  const refresh = () => {
    const free = all("[data-live]").filter((region) => region.id && !isHeld(region));
    if (!free.length || !window.htmx) { seen(); return; }
    if (fetching) { again = true; return; }
    fetching = true;
    news = 0;
    window.htmx.ajax("GET", location.href, {
      source: body, target: body, swap: "none", headers: { "X-Live": "1" },
      selectOOB: free.map((region) => `#${region.id}`).join(","),
    });
  };
  body.addEventListener("htmx:beforeOnLoad", (event) => {
    const here = new URL(event.detail.xhr.responseURL || location.href, location.href);
    if (here.pathname !== location.pathname) event.preventDefault(); /* signed out: what is shown stays, with its age */
  });
  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const region = event.detail.target, fresh = event.detail.fragment.firstElementChild;
    if (!fresh || isHeld(region) || fresh.innerHTML === region.dataset.shown) { event.detail.shouldSwap = false; return; }
    news += Math.max(0, all("[data-entry]", fresh).length - all("[data-entry]", region).length);
    fresh.dataset.shown = fresh.innerHTML;
    hold();
  });
  body.addEventListener("htmx:oobAfterSwap", () => letGo());
  body.addEventListener("htmx:afterRequest", (event) => {
    const answered = event.detail.successful && new URL(event.detail.xhr.responseURL, location.href).pathname === location.pathname;
    const clock = answered && /<body[^>]*data-now="([^"]*)"/.exec(event.detail.xhr.responseText);
    if (clock) setClock(clock[1]);
    if (answered) seen(); else lost();
    fetching = false;
    if (again) { again = false; setTimeout(refresh, 500); }
  });
  body.addEventListener("htmx:afterSettle", () => {
    showZone();
    tick();
    if (announcer && news > 0) announcer.textContent = news === 1 ? "1 new entry" : `${news} new entries`;
    news = 0;
  });
  const seen = () => { lastSeen = clockWords(); say(`Live ${lastSeen}`); };
  for (const region of all("[data-live]")) region.dataset.shown = region.innerHTML;
  const listen = () => {
    let polling = 0, contact = Date.now();
    const poll = () => { if (!polling) polling = setInterval(refresh, 10000); };
    if (!("EventSource" in window)) { poll(); return; }
    const source = new EventSource("/live");
    source.addEventListener("open", () => { contact = Date.now(); clearInterval(polling); polling = 0; seen(); });
    source.addEventListener("changed", () => { contact = Date.now(); refresh(); });
    source.addEventListener("error", () => { say(`Last seen ${lastSeen || "at the start"}, trying again`); if (Date.now() - contact > 15000 || source.readyState === 2) poll(); });
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  };
  if (body.hasAttribute("data-signed-in")) listen();
  document.addEventListener("tocsin:changed", refresh);

  /* Sheets: a page of one form, shown over the page it was asked from. Without JavaScript it is a page. */
  const openSheet = async (link) => {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const inside = fresh.querySelector("[data-sheet-body]");
    if (!answer.ok || !inside) { location.href = link.href; return; }
    const dialog = document.createElement("dialog");
    dialog.className = "sheet";
    dialog.setAttribute("data-testid", "sheet");
    const heading = inside.querySelector("h1");
    if (heading) { const smaller = document.createElement("h2"); smaller.append(...heading.childNodes); smaller.id = "sheet-title"; heading.replaceWith(smaller); dialog.setAttribute("aria-labelledby", "sheet-title"); }
    dialog.append(document.importNode(inside, true));
    body.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); if (link.isConnected) link.focus(); });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-sheet-close]")) { event.preventDefault(); dialog.close(); }
    });
    dialog.showModal();
    showZone(dialog);
    tick();
    const first = dialog.querySelector("[autofocus], input:not([type=hidden]):checked, input:not([type=hidden]), textarea, select, button");
    if (first) first.focus();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-sheet]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0 || !window.HTMLDialogElement) return;
    event.preventDefault();
    openSheet(link).catch(() => { location.href = link.href; });
  });

  /* A press counts once: a second one while the first is under way is dropped. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });

  /* Ready answers for reasons. */
  document.addEventListener("click", (event) => {
    const ready = event.target.closest("[data-fill]");
    if (!ready) return;
    const field = (ready.closest("form") || document).querySelector(`[name="${ready.dataset.fill}"]`);
    if (field) { field.value = ready.dataset.text || ready.textContent.trim(); field.focus(); }
  });

  /* What is typed, as it will be read. */
  document.addEventListener("input", (event) => {
    const shown = event.target.name && document.querySelector(`[data-mirror="${event.target.name}"]`);
    if (shown) shown.textContent = event.target.value;
  });

  /* Copy a command or a link. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy || location.href).then(() => { if (announcer) announcer.textContent = "Copied"; button.dataset.copied = "1"; });
  });

  /* Copy a picture. Where the clipboard does not take it, the link opens the file, as it does without JavaScript. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-copy-file]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || !navigator.clipboard || !window.ClipboardItem) return;
    event.preventDefault();
    const file = fetch(link.href, { credentials: "same-origin" }).then((answer) => { if (!answer.ok) throw new Error(String(answer.status)); return answer; });
    const copied = link.href.includes(".png")
      ? navigator.clipboard.write([new ClipboardItem({ "image/png": file.then((answer) => answer.blob()) })])
      : file.then((answer) => answer.text()).then((text) => navigator.clipboard.writeText(text));
    copied.then(() => { if (announcer) announcer.textContent = "Copied"; link.dataset.copied = "1"; }).catch(() => { location.href = link.href; });
  });

  /* Keys: by the character, never in a field, never over a key of the browser, never the only way. */
  const keysOn = body.dataset.keys === "on";
  let waitingForPlace = 0;
  const rows = () => all("[data-row]").filter((row) => row.offsetParent !== null);
  const move = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.getAttribute("aria-selected") === "true");
    const next = list[Math.min(list.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : list.length - 1) : at + by))];
    for (const row of list) row.removeAttribute("aria-selected");
    next.setAttribute("aria-selected", "true");
    const link = next.querySelector("a");
    if (link) link.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const press = (element) => { if (element.matches("textarea, input, select")) { element.focus(); element.scrollIntoView({ block: "center" }); } else element.click(); };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { for (const menu of all(".tabbar details[open], .menu[open]")) menu.open = false; return; }
    if (!keysOn || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    if (waitingForPlace) {
      clearTimeout(waitingForPlace);
      waitingForPlace = 0;
      const place = all("[data-go]").find((link) => link.dataset.go === event.key);
      if (place) { event.preventDefault(); location.href = place.href; }
      return;
    }
    if (event.key === "g") { waitingForPlace = setTimeout(() => { waitingForPlace = 0; }, 1500); return; }
    if (event.key === "z") { toggleZone(); return; }
    if (event.key === "?") { location.href = "/help/keys"; return; }
    if (event.key === "j" || event.key === "k") { event.preventDefault(); move(event.key === "j" ? 1 : -1); return; }
    if (event.key === "/") { const search = document.querySelector("[data-search]"); if (search) { event.preventDefault(); search.focus(); } return; }
    const wanted = all("[data-key]").find((one) => one.dataset.key === event.key && one.offsetParent !== null);
    if (wanted) { event.preventDefault(); press(wanted); }
  });

  showZone();
  tick();
  setInterval(tick, 1000);
})();
