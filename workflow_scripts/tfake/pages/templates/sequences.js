// The player: a film, the temperature under the pointer through all of its frames, and the curves of what was rendered.
const part = (id) => document.getElementById(id);
const [film, stage, grid] = ["film", "stage", "grid"].map(part);
const { frames, rate, cells, pixels } = report;
const palette = Uint8Array.from(report.colours.match(/../g), (pair) => parseInt(pair, 16));
const NOSE_TIP = 30; // of the 70 points
const LEAST_KELVIN = 0.5;
const ids = report.sequences.map((sequence) => sequence.id);
// `request` counts, so that data that arrive late do not replace later ones; `clock` is the time in s without a film.
const state = { id: null, data: null, cube: null, request: 0, frame: 0, cell: { x: 0, y: 0 }, playing: false, clock: 0, tick: 0, charts: [] };
const pointed = makeChart("Temperature under the pointer", "°C", LEAST_KELVIN, seek);
part("beside").append(pointed.figure);
film.style.width = `${(100 * report.film_pixels) / pixels}%`;

function celsiusAt(frame, x, y) {
  const count = state.cube[(frame * cells + y) * cells + x];
  return count === report.counts.missing ? NaN : count * report.counts.scale + report.counts.offset;
}

async function show(id) {
  const request = ++state.request;
  stop();
  part("clip").value = id;
  part("clip-title").textContent = id;
  part("clip-facts").replaceChildren(...report.sequences[ids.indexOf(id)].facts.map((fact) => element("span", { textContent: fact })));
  for (const link of document.querySelectorAll("[data-clip]")) link.setAttribute("aria-current", link.dataset.clip === id);
  film.src = `${report.films}/${encodeURIComponent(id)}.mp4`;
  part("clip-fault").hidden = true;
  try {
    const data = await load(id);
    const cube = await unpack(data.cube, cells, cells * frames, 2);
    if (request === state.request) draw(id, data, cube);
  } catch (fault) {
    if (request === state.request) Object.assign(part("clip-fault"), { hidden: false, textContent: fault.message });
  }
}

function draw(id, data, cube) {
  Object.assign(state, { id, data, cube });
  const [places, ...others] = data.charts.map((chart) => {
    const made = makeChart(chart.title, chart.unit, chart.least, seek);
    made.set(chart.curves);
    return made;
  });
  state.charts = [pointed, places, ...others];
  part("beside").replaceChildren(pointed.figure, places.figure);
  part("charts").replaceChildren(...others.map((chart) => chart.figure));
  const nose = data.points[0].slice(2 * NOSE_TIP, 2 * NOSE_TIP + 2);
  read(...nose.map((place) => Math.floor(((place + 0.5) * cells) / pixels)));
  seek(0);
}

// The reading point, in cells.
function read(x, y) {
  if (!state.cube) return;
  const [column, row] = [x, y].map((place) => Math.min(cells - 1, Math.max(0, place)));
  state.cell = { x: column, y: row };
  const size = pixels / cells;
  const [left, top] = [column * size - 0.5, row * size - 0.5];
  const arm = pixels / 24;
  const cross =
    `M${left} ${top}h${size}v${size}h${-size}z` +
    `M${left - arm} ${top + size / 2}h${arm}M${left + size} ${top + size / 2}h${arm}` +
    `M${left + size / 2} ${top - arm}v${arm}M${left + size / 2} ${top + size}v${arm}`;
  for (const end of ["", "-halo"]) part(`crosshair${end}`).setAttribute("d", cross);
  pointed.set({ "at this cell": Array.from({ length: frames }, (_, frame) => celsiusAt(frame, column, row)) });
  pointed.mark(state.frame);
  say();
}

function say() {
  const { x, y } = state.cell;
  const value = celsiusAt(state.frame, x, y);
  const words = element("strong", { textContent: Number.isNaN(value) ? "no value" : `${value.toFixed(2)} °C` });
  part("reading").replaceChildren(words, ` at ${(state.frame / rate).toFixed(2)} s, cell x ${x}, y ${y}`);
  Object.assign(part("reading").dataset, { celsius: value, frame: state.frame, x, y });
}

// Show a frame; the film follows unless it is the film that leads.
function mark(frame) {
  state.frame = frame;
  part("time").value = frame;
  part("time").setAttribute("aria-valuetext", `${(frame / rate).toFixed(2)} s, frame ${frame}`);
  for (const chart of state.charts) chart.mark(frame);
  const points = part("show-points").checked ? state.data.points[frame] : [];
  let dots = "";
  for (let i = 0; i < points.length; i += 2) dots += `M${points[i]} ${points[i + 1]}h0`;
  for (const end of ["", "-halo"]) part(`dots${end}`).setAttribute("d", dots);
  if (!grid.hidden) paint(frame);
  say();
}

function seek(frame) {
  if (!state.data) return;
  state.clock = frame / rate;
  film.currentTime = (frame + 0.5) / rate;
  mark(frame);
}

// Without the film: the cells in its colours.
function paint(frame) {
  const context = grid.getContext("2d");
  const image = context.createImageData(cells, cells);
  for (let i = 0; i < cells * cells; i++) {
    const value = celsiusAt(frame, i % cells, Math.floor(i / cells));
    const colour = 3 * Math.min(255, Math.max(0, Math.round((255 * (value - report.low)) / (report.high - report.low))));
    image.data.set(Number.isNaN(value) ? [128, 128, 128, 255] : [...palette.subarray(colour, colour + 3), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

function step(moment) {
  if (!state.playing) return;
  state.clock = (state.clock + ((moment - state.tick) / 1000) * film.playbackRate) % (frames / rate);
  state.tick = moment;
  const seconds = grid.hidden ? film.currentTime : state.clock;
  mark(Math.min(frames - 1, Math.floor(seconds * rate + 1e-3)));
  requestAnimationFrame(step);
}

function setPlaying(playing) {
  state.playing = playing;
  part("play").textContent = playing ? "Stop" : "Play";
  part("play").setAttribute("aria-pressed", playing);
  // What changes sixteen times a second is not read aloud.
  part("reading").setAttribute("aria-live", playing ? "off" : "polite");
}

function play() {
  if (!state.data) return;
  setPlaying(true);
  state.tick = performance.now();
  if (grid.hidden) film.play().catch(() => undefined); // an error of the film is heard of below
  requestAnimationFrame(step);
}

function stop() {
  setPlaying(false);
  film.pause();
}

function toggle() {
  if (state.playing) stop();
  else play();
}

function turn(by) {
  show(ids[(ids.indexOf(part("clip").value) + by + ids.length) % ids.length]);
}

function point(event) {
  const box = stage.getBoundingClientRect();
  read(Math.floor((cells * (event.clientX - box.left)) / box.width), Math.floor((cells * (event.clientY - box.top)) / box.height));
}

film.addEventListener("error", () => {
  grid.hidden = false;
  part("filmless").hidden = false;
  if (state.data) paint(state.frame);
});
film.addEventListener("loadeddata", () => {
  grid.hidden = true;
  part("filmless").hidden = true;
});
stage.addEventListener("pointermove", point);
stage.addEventListener("pointerdown", point);
stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const by = event.shiftKey ? 8 : 1;
  const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] };
  if (moves[event.key]) read(state.cell.x + moves[event.key][0], state.cell.y + moves[event.key][1]);
  else if (event.key === " ") toggle();
  else return;
  event.preventDefault();
});
part("play").addEventListener("click", toggle);
part("time").addEventListener("input", (event) => {
  stop();
  seek(event.target.valueAsNumber);
});
part("speed").addEventListener("change", (event) => {
  // A new film would begin at the default rate.
  film.defaultPlaybackRate = film.playbackRate = Number(event.target.value);
});
part("show-points").addEventListener("change", () => state.data && mark(state.frame));
part("clip").addEventListener("change", (event) => show(event.target.value));
part("clip-previous").addEventListener("click", () => turn(-1));
part("clip-next").addEventListener("click", () => turn(1));
for (const link of document.querySelectorAll("[data-clip]"))
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(link.dataset.clip);
    part("player").scrollIntoView();
    part("clip").focus({ preventScroll: true });
  });

document.documentElement.classList.add("scripted");
// Copied without its folder the page has no data: it says so.
load("here").then(
  () => show(ids[0]),
  () => (part("alone").hidden = false),
);
