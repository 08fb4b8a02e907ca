// Charts of curves over a sequence's frames. The lines stretch with the page; what is written beside them does not.
const DASHES = ["none", "6 3", "2 3"];
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];
const SVG = "http://www.w3.org/2000/svg";

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function lineStyle(number) {
  return { stroke: report.series[number % report.series.length], "stroke-dasharray": DASHES[Math.floor(number / report.series.length) % DASHES.length] };
}

// What rounds to nothing has no sign.
const inWords = (value, decimals) => (Number.isFinite(value) ? value.toFixed(decimals).replace(/^-(?=.*[1-9])/, "−").replace("-", "") : "–");

// A chart in a figure: `set` gives it curves, `mark` a moment; `onSeek` hears of the frames that are pointed at.
function makeChart(title, unit, least, onSeek) {
  const svg = drawn("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" });
  const now = element("div", { className: "now" });
  const axis = element("div", { className: "axis", ariaHidden: "true" });
  const area = element("div", { className: "area" }, svg, now);
  const seconds = element("div", { className: "seconds", ariaHidden: "true" });
  const plot = element("div", { className: "plot" }, axis, area, seconds);
  plot.setAttribute("role", "img");
  const legend = element("ul", { className: "legend" });
  const figure = element("figure", { className: "chart" }, element("figcaption", {}, element("b", { textContent: title }), ` ${unit}`), plot, legend);
  const last = Math.max(1, report.frames - 1);
  let curves = [];
  let decimals = 2;

  const step = STEPS.find((size) => last / report.rate / size <= 8) ?? last / report.rate;
  for (let n = 0; n * step * report.rate <= last + 1e-6; n++) {
    const tick = element("span", { textContent: `${Number((n * step).toFixed(2))}` });
    tick.style.left = `${(100 * n * step * report.rate) / last}%`;
    seconds.append(tick);
  }

  function place(event) {
    const box = area.getBoundingClientRect();
    onSeek(Math.min(report.frames - 1, Math.max(0, Math.round((last * (event.clientX - box.left)) / box.width))));
  }
  area.addEventListener("pointerdown", place);
  area.addEventListener("pointermove", (event) => (event.pointerType === "mouse" || event.buttons) && place(event));

  function mark(frame) {
    now.style.left = `${(100 * frame) / last}%`;
    curves.forEach(([, values], number) => (legend.children[number].lastChild.textContent = inWords(values[frame], decimals)));
  }

  function set(named) {
    curves = Object.entries(named).map(([name, values]) => [name, values.map((value) => value ?? NaN)]);
    const finite = curves.flatMap(([, values]) => values.filter(Number.isFinite));
    let [low, high] = finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, least];
    const more = Math.max(0.06 * (high - low), (least - (high - low)) / 2);
    [low, high] = [low - more, high + more];
    const size = STEPS.find((wide) => (high - low) / wide <= 5) ?? (high - low) / 4;
    const written = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
    decimals = written + 1;
    const height = (value) => 100 - (100 * (value - low)) / (high - low);
    svg.replaceChildren();
    axis.replaceChildren();
    for (let n = Math.ceil(low / size); n * size <= high; n++) {
      const y = height(n * size);
      svg.append(drawn("path", { class: "rule", d: `M0 ${y.toFixed(2)}H100` }));
      const tick = element("span", { textContent: inWords(n * size, written) });
      tick.style.top = `${y}%`;
      axis.append(tick);
    }
    curves.forEach(([name, values], number) => {
      let pen = "M";
      let path = "";
      values.forEach((value, frame) => {
        if (Number.isFinite(value)) path += `${pen}${((100 * frame) / last).toFixed(2)} ${height(value).toFixed(2)}`;
        // A frame between two gaps is a dot.
        if (Number.isFinite(value) && pen === "M" && !Number.isFinite(values[frame + 1])) path += "h0";
        pen = Number.isFinite(value) ? "L" : "M";
      });
      svg.append(drawn("path", { class: "curve", d: path, ...lineStyle(number) }));
    });
    legend.replaceChildren(
      ...curves.map(([name], number) => {
        const swatch = drawn("svg", { viewBox: "0 0 24 8", class: "swatch", "aria-hidden": "true" });
        swatch.append(drawn("path", { d: "M0 4H24", class: "curve", ...lineStyle(number) }));
        return element("li", {}, swatch, `${name} `, element("span", { className: "value" }));
      }),
    );
    const ranges = curves.map(([name, values]) => {
      const known = values.filter(Number.isFinite);
      return known.length ? `${name} from ${inWords(Math.min(...known), decimals)} to ${inWords(Math.max(...known), decimals)}` : `${name} not read`;
    });
    plot.setAttribute("aria-label", `${title}${unit ? `, in ${unit}` : ""}: ${ranges.join("; ")}`);
  }
  return { figure, set, mark };
}
