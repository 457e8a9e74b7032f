// Hovering shows what something is and what belongs to it; a click keeps it.
// Everything on the page can be read without this script.
(() => {
  const drawing = document.getElementById("drawing");
  const space = document.getElementById("space");
  const about = document.getElementById("about");
  const hint = about.innerHTML;
  let kept = null;

  const things = "#drawing .op, #drawing .m, #drawing .band, #drawing .down, #drawing .fold, #drawing .act, tr[data-op]";
  const titleOf = (t) => {
    const op = t.matches("tr") ? drawing.querySelector(`.op[data-op="${t.dataset.op}"]`) : t;
    return op?.querySelector("title")?.textContent ?? "";
  };

  function show(t) {
    for (const e of document.querySelectorAll(".on")) e.classList.remove("on");
    drawing.classList.toggle("one", Boolean(t && (t.dataset.op || t.dataset.m)));
    if (!t) return void (about.innerHTML = hint);
    about.textContent = titleOf(t);
    t.classList.add("on");
    if (t.dataset.op)
      for (const e of document.querySelectorAll(`[data-op="${t.dataset.op}"]`)) e.classList.add("on");
  }

  document.addEventListener("mouseover", (e) => {
    if (!kept) show(e.target.closest(things));
  });
  document.addEventListener("click", (e) => {
    if (!e.target.closest("figure, table")) return;
    kept = e.target.closest(things);
    show(kept);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") show((kept = null));
  });

  space.scrollLeft = Number(drawing.dataset.focus) - space.clientWidth / 2;
})();
