/* The desk's line is sent without leaving the page; entries that arrive never move what is being read. All of it is an addition. */
"use strict";
(() => {
  const form = document.querySelector("[data-desk-line]");
  const scroll = document.querySelector("[data-desk-scroll]");
  const chip = document.querySelector("[data-desk-news]");
  const announcer = document.querySelector("[data-announce]");
  const say = (words) => { if (announcer) announcer.textContent = words; };

  if (form && window.fetch) {
    const field = form.querySelector("[name=line]");
    const problem = form.querySelector("[data-desk-problem]");
    const complain = (words) => {
      problem.textContent = words;
      problem.hidden = !words;
      if (words) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
    };
    /* A prefix goes before what is typed already; another prefix is replaced, no word is lost. */
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-prefix]");
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      const typed = field.value.replace(/^\/(?:[dqtc]\s*|(?:a|r|ok|done)\s+\d+\s*)/, "");
      field.value = link.dataset.prefix + typed;
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    });
    let sending = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (sending || !field.value.trim()) return;
      const sent = field.value;
      sending = true;
      fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin", headers: { "X-Desk": "1" } })
        .then(async (answer) => {
          const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
          if (answer.ok) {
            complain("");
            if (field.value === sent) field.value = ""; /* what was typed meanwhile stays */
            const said = fresh.querySelector("[data-testid=messages]");
            say(said ? said.textContent.trim() : "Written down");
            document.dispatchEvent(new CustomEvent("tocsin:changed"));
            return;
          }
          const words = fresh.querySelector("[data-desk-problem], [data-testid=error-text]");
          complain(words && words.textContent.trim() ? words.textContent.trim() : "Not written down. Your text is still here; try again.");
        })
        .catch(() => complain("No connection. Your text is still here; try again."))
        .finally(() => { sending = false; });
    }, true);
  }

  /* Newest last: at the bottom it stays at the bottom, further up it stays where one reads, and a chip counts the news. */
  if (scroll) {
    const entries = () => Array.from(scroll.querySelectorAll("[data-entry]")).map((one) => one.id);
    /* On a desktop the column is laid out from its end, so that it begins there without a script: 0 is the bottom. */
    const fromEnd = () => getComputedStyle(scroll).flexDirection === "column-reverse";
    const away = () => (fromEnd() ? -scroll.scrollTop : scroll.scrollHeight - scroll.clientHeight - scroll.scrollTop) > 24;
    const toEnd = () => { scroll.scrollTop = fromEnd() ? 0 : scroll.scrollHeight; };
    let known = new Set(entries()), anchor = null, news = 0;
    const show = () => { if (chip) { chip.hidden = !news; chip.textContent = news === 1 ? "1 new entry" : `${news} new entries`; } };
    toEnd();
    document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
      if (!scroll.contains(event.detail.target) || !away()) { anchor = null; return; }
      const top = scroll.getBoundingClientRect().top;
      const read = Array.from(scroll.querySelectorAll("[data-entry]")).find((one) => one.getBoundingClientRect().bottom > top);
      anchor = read ? { id: read.id, top: read.getBoundingClientRect().top } : null;
    });
    document.body.addEventListener("htmx:oobAfterSwap", () => {
      const fresh = entries().filter((id) => !known.has(id));
      known = new Set(entries());
      const read = anchor && document.getElementById(anchor.id);
      if (read) { scroll.scrollTop += read.getBoundingClientRect().top - anchor.top; news += fresh.length; } else if (fresh.length) { toEnd(); news = 0; }
      anchor = null;
      show();
    });
    scroll.addEventListener("scroll", () => { if (!away()) { news = 0; show(); } }, { passive: true });
    if (chip) chip.addEventListener("click", () => { toEnd(); news = 0; show(); scroll.focus(); });
  }
})();
