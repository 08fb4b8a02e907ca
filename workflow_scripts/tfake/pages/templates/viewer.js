// The viewer: one face in a dialog, its layers over each other, and the stored value under the pointer.
const dialog = document.getElementById("viewer");
const part = (id) => document.getElementById(id);
const stage = part("stage");
const LAYERS = { r: "rgb", t: "thermal", c: "classes", 7: "70", 4: "478" };
const CLASS_OPACITY = 140; // of 255
const MISSING_COLOUR = [128, 128, 128];
const palettes = Object.fromEntries(
  Object.entries(report.palettes).map(([name, hex]) => [name, Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))]),
);
// `face` is what is drawn; `request` counts, so that a face that arrives late does not replace a later one.
const state = { row: null, number: 0, face: null, request: 0, at: null, palette: null, scales: new Map() };

function option(select, value, text) {
  select.append(Object.assign(document.createElement("option"), { value, textContent: text }));
}
report.variants.forEach((variant, number) => option(part("viewer-variant"), number, variant.name));
Object.keys(report.palettes).forEach((name) => option(part("viewer-palette"), name, name));

const shownRows = () =>
  [...document.querySelectorAll(".card:not([hidden]) .open")].map((button) => Number(button.closest(".card").dataset.row));

// The variants that a face has pictures of: those of a slice have not all.
function variantsOf(row) {
  const names = [...document.querySelectorAll(`.card[data-row="${row}"] figure[data-variant]`)].map((figure) => figure.dataset.variant);
  return [...report.variants.keys()].filter((number) => names.includes(report.variants[number].name));
}

async function show(row, wanted = state.number) {
  const numbers = variantsOf(row);
  const number = numbers.includes(wanted) ? wanted : numbers[0];
  const request = ++state.request;
  Object.assign(state, { row, number });
  const card = document.querySelector(`.card[data-row="${row}"]`);
  part("viewer-title").textContent = `Face ${card.querySelector("h3").textContent}`;
  part("viewer-state").textContent = card.querySelector(".state").textContent;
  for (const choice of part("viewer-variant").options) choice.disabled = !numbers.includes(Number(choice.value));
  part("viewer-variant").value = number;
  part("viewer-fault").hidden = true;
  dialog.setAttribute("aria-busy", "true");
  if (!dialog.open) dialog.showModal();
  try {
    const face = await readFace(row, number);
    if (request === state.request) draw(face);
  } catch (fault) {
    if (request !== state.request) return;
    stage.hidden = true;
    part("reading").textContent = "";
    Object.assign(part("viewer-fault"), { hidden: false, textContent: fault.message });
  } finally {
    if (request === state.request) dialog.removeAttribute("aria-busy");
  }
}

function draw(face) {
  const { width, height } = face.variant;
  const resized = !state.face || state.face.variant.width !== width || state.face.variant.height !== height;
  state.face = face;
  stage.hidden = false;
  stage.style.setProperty("--aspect", width / height);
  for (const id of ["layer-thermal", "layer-classes"]) Object.assign(part(id), { width, height });
  part("layer-points").setAttribute("viewBox", `-0.5 -0.5 ${width} ${height}`);
  part("layer-rgb").src = face.rgb ?? "data:,";
  part("show-layer-rgb").disabled = !face.rgb;
  for (const points of ["70", "478"]) {
    const path = face.points[points].map(([x, y]) => `M${x} ${y}h0`).join("");
    for (const end of ["", "-halo"]) part(`layer-${points}${end}`).setAttribute("d", path);
    part(`show-layer-${points}`).disabled = !path;
  }
  const [low, high] = state.scales.get(state.number) ?? [face.variant.low, face.variant.high];
  // Gray levels look like gray levels, until another palette is chosen.
  if (!state.palette) part("viewer-palette").value = face.variant.unit ? "inferno" : "white hot";
  part("viewer-unit").textContent = face.variant.unit ? `(${face.variant.unit})` : "(gray levels)";
  setScale(low, high);
  drawClasses();
  showLayers();
  const at = resized || !state.at ? { x: Math.floor(width / 2), y: Math.floor(height / 2) } : state.at;
  read(at.x, at.y);
}

function setScale(low, high) {
  part("viewer-low").value = low;
  part("viewer-high").value = high;
  rescale();
}

// The scale as its two fields say it; a field that is empty or out of order leaves the picture as it was.
function rescale() {
  const [low, high] = ["low", "high"].map((end) => part(`viewer-${end}`).valueAsNumber);
  if (!state.face || !(high > low)) return;
  state.scales.set(state.number, [low, high]);
  drawThermal(low, high);
  drawBar(low, high);
}

function drawThermal(low, high) {
  const { face } = state;
  const colours = palettes[part("viewer-palette").value];
  const context = part("layer-thermal").getContext("2d");
  const image = context.createImageData(face.variant.width, face.variant.height);
  const pixels = image.data;
  for (let i = 0; i < face.counts.length; i++) {
    const value = valueOf(face, face.counts[i]);
    const step = 3 * Math.min(255, Math.max(0, Math.round((255 * (value - low)) / (high - low))));
    for (let channel = 0; channel < 3; channel++)
      pixels[4 * i + channel] = Number.isNaN(value) ? MISSING_COLOUR[channel] : colours[step + channel];
    pixels[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function drawBar(low, high) {
  const colours = palettes[part("viewer-palette").value];
  const context = part("viewer-bar").getContext("2d");
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...colours.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  context.putImageData(image, 0, 0);
  const unit = state.face.variant.unit;
  part("viewer-scale").setAttribute("aria-label", `Colour bar from ${low} to ${high} ${unit}`);
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => (high - low) / size <= 8) ?? high - low;
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-6); n * step <= high + 1e-6; n++) ticks.push(Number((n * step).toFixed(1)));
  part("viewer-ticks").replaceChildren(
    ...ticks.map((value) => {
      const tick = document.createElement("span");
      tick.style.left = `${(100 * (value - low)) / (high - low)}%`;
      tick.textContent = value;
      return tick;
    }),
  );
}

function drawClasses() {
  const { face } = state;
  const context = part("layer-classes").getContext("2d");
  const image = context.createImageData(face.variant.width, face.variant.height);
  const colours = Array.from({ length: 256 }, (_, id) => (report.classes[id] ?? report.classes[255])[1]);
  for (let i = 0; i < face.classes.length; i++) {
    image.data.set(colours[face.classes[i]], 4 * i);
    image.data[4 * i + 3] = CLASS_OPACITY;
  }
  context.putImageData(image, 0, 0);
}

function showLayers() {
  for (const layer of Object.values(LAYERS)) {
    const control = part(`show-layer-${layer}`);
    const visible = control.checked && !control.disabled;
    for (const end of ["", "-halo"]) part(`layer-${layer}${end}`)?.classList.toggle("off", !visible);
  }
  part("layer-thermal").style.opacity = part("viewer-opacity").value / 100;
}

function read(x, y) {
  const { face } = state;
  if (!face) return;
  const { width, height } = face.variant;
  state.at = { x: Math.min(width - 1, Math.max(0, x)), y: Math.min(height - 1, Math.max(0, y)) };
  const reading = readingAt(face, state.at.x, state.at.y);
  const arm = width / 40;
  const cross = `M${reading.x - arm} ${reading.y}h${2 * arm}M${reading.x} ${reading.y - arm}v${2 * arm}`;
  for (const id of ["crosshair", "crosshair-halo"]) part(id).setAttribute("d", cross);
  const words = document.createElement("strong");
  words.textContent = valueInWords(face, reading.value);
  part("reading").replaceChildren(words, ` ${reading.name}, x ${reading.x}, y ${reading.y}, count ${reading.count}`);
  Object.assign(part("reading").dataset, { count: reading.count, x: reading.x, y: reading.y });
}

function pointed(event) {
  const box = stage.getBoundingClientRect();
  const { width, height } = state.face.variant;
  read(Math.floor((width * (event.clientX - box.left)) / box.width), Math.floor((height * (event.clientY - box.top)) / box.height));
}

function fitScale() {
  const values = Array.from(new Set(state.face.counts), (count) => valueOf(state.face, count)).filter((value) => !Number.isNaN(value));
  const low = Math.floor(Math.min(...values));
  setScale(low, Math.max(Math.ceil(Math.max(...values)), low + 1));
}

// The item `by` places behind another, around the end.
function next(items, item, by) {
  return items[(items.indexOf(item) + by + items.length) % items.length];
}

function turn(by) {
  const rows = shownRows();
  if (rows.length) show(next(rows, state.row, by));
}

for (const button of document.querySelectorAll(".open")) {
  const card = button.closest(".card");
  button.addEventListener("click", () => show(Number(card.dataset.row)));
  for (const figure of card.querySelectorAll("figure"))
    figure.addEventListener("click", () => {
      if (!document.documentElement.classList.contains("openable")) return;
      const number = report.variants.findIndex((variant) => variant.name === figure.dataset.variant);
      show(Number(card.dataset.row), number < 0 ? state.number : number);
    });
}
stage.addEventListener("pointermove", pointed);
stage.addEventListener("pointerdown", pointed);
part("viewer-variant").addEventListener("change", (event) => show(state.row, Number(event.target.value)));
part("viewer-palette").addEventListener("change", (event) => {
  state.palette = event.target.value;
  rescale();
});
for (const id of ["viewer-low", "viewer-high"]) part(id).addEventListener("input", rescale);
part("viewer-fit").addEventListener("click", fitScale);
part("viewer-whole").addEventListener("click", () => setScale(state.face.variant.low, state.face.variant.high));
part("viewer-opacity").addEventListener("input", showLayers);
part("viewer-layers").addEventListener("change", showLayers);
part("viewer-previous").addEventListener("click", () => turn(-1));
part("viewer-next").addEventListener("click", () => turn(1));
part("viewer-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => document.querySelector(`.card[data-row="${state.row}"] .open`)?.focus());
dialog.addEventListener("keydown", (event) => {
  // Letters typed into a field are its own.
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select, input[type=number]")) return;
  const key = event.key.toLowerCase();
  const step = event.shiftKey ? 10 : 1;
  const moves = { arrowleft: [-step, 0], arrowright: [step, 0], arrowup: [0, -step], arrowdown: [0, step] };
  if (moves[key] && event.target === stage && state.at) read(state.at.x + moves[key][0], state.at.y + moves[key][1]);
  else if (LAYERS[key]) part(`show-layer-${LAYERS[key]}`).click();
  else if (key === "n") turn(1);
  else if (key === "p") turn(-1);
  else if (key === "v") show(state.row, next(variantsOf(state.row), state.number, 1));
  else return;
  event.preventDefault();
});

// Copied without its folder, as into Snakemake's own report, the page can open no face: it says so and offers none.
load("here").then(
  () => document.documentElement.classList.add("openable"),
  () => (part("alone").hidden = false),
);
