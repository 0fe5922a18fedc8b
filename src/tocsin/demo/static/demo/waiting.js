// Moves the bar where it stands, says each quarter aloud, and loads the page that was asked for once it is there.
"use strict";
(() => {
  const every = 400;
  const bar = document.getElementById("share");
  const words = document.querySelector("[data-words]");
  const aloud = document.querySelector("[data-announce]");
  const title = document.title.replace(/^\d+ % · /, "");
  let said = 0;

  const show = (told) => {
    words.textContent = told.reason;
    if (told.percent === null) return;
    bar.value = told.percent;
    document.title = `${told.percent} % · ${title}`;
    const quarter = Math.floor(told.percent / 25);
    if (quarter > said) aloud.textContent = `${told.percent} % done`;
    said = Math.max(said, quarter);
  };

  const look = async () => {
    try {
      const answer = await fetch(document.body.dataset.source, { cache: "no-store" });
      const told = answer.ok ? await answer.json() : null;
      if (told && told.ready) return location.reload();
      if (told) show(told);
    } catch {
      words.textContent = "The demo does not answer. If it was stopped, start it again; this page looks every second.";
    }
    setTimeout(look, every);
  };
  setTimeout(look, every);
})();
