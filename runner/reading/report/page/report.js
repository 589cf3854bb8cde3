"use strict";
// The filter of each sample. Without this the whole sample is shown, and no filter.
for (const box of document.querySelectorAll(".sample")) {
  const form = box.querySelector("form");
  const rows = Array.from(box.querySelectorAll("tbody tr"));
  const words = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const state = form.elements.state.value;
    const wanted = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = (!state || row.dataset.state === state) &&
        wanted.every((word) => words[at].includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    form.querySelector("output").textContent = `${shown} of ${rows.length} shown`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
