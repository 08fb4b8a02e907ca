// The gallery's filters: which cards, and which variants' pictures, are shown.
"use strict";
document.documentElement.classList.add("scripted");

const filters = Object.fromEntries(
  ["variant", "class", "yaw", "status"].map((name) => [name, document.getElementById(`filter-${name}`)]),
);

function fitsYaw(yaw, range) {
  if (!range) return true;
  if (yaw === undefined) return false;
  const [low, high, both] = range.split(" ");
  const turned = both ? Math.abs(Number(yaw)) : Number(yaw);
  return turned >= Number(low) && turned <= Number(high);
}

function applyFilters() {
  const cards = [...document.querySelectorAll(".card[data-row]")];
  let shown = 0;
  for (const card of cards) {
    const fits =
      (!filters.class.value || card.dataset.classes.split(" ").includes(filters.class.value)) &&
      (!filters.status.value || card.dataset.status === filters.status.value) &&
      fitsYaw(card.dataset.yaw, filters.yaw.value);
    card.hidden = !fits;
    shown += fits;
    for (const figure of card.querySelectorAll("figure[data-variant]"))
      figure.hidden = Boolean(filters.variant.value) && figure.dataset.variant !== filters.variant.value;
  }
  document.getElementById("filter-count").textContent = `${shown} of ${cards.length} shown`;
  document.getElementById("filter-none").hidden = shown > 0;
}

for (const select of Object.values(filters)) select.addEventListener("change", applyFilters);
// A form's controls have their first values again only after its reset event.
document.getElementById("filters").addEventListener("reset", () => setTimeout(applyFilters));
