"use strict";
// Sorts tables by a click or a key on the head of a column. The page is complete without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const said = document.getElementById("sorted");
  for (const head of table.tHead.rows[0].cells) {
    if (!head.dataset.sort) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, body, head, said));
  }
}

function sort(table, body, head, said) {
  const isNumber = head.dataset.sort === "number";
  const before = head.getAttribute("aria-sort");
  // Of numbers people look for the largest first, of names for the beginning of the alphabet.
  const rises = before ? before === "descending" : !isNumber;
  const sign = rises ? 1 : -1;
  const keyed = [...body.rows].map((row) => [row.cells[head.cellIndex].dataset.sort, row]);
  keyed.sort(([a], [b]) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return sign * (isNumber ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  });
  body.append(...keyed.map(([, row]) => row));
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rises ? "ascending" : "descending");
  said.textContent = `Sorted by ${head.textContent.trim()}, ${rises ? "ascending" : "descending"}.`;
}
