// The page "Try it in the browser": files in, points drawn on a canvas, a JSON out. Nothing is sent anywhere.
"use strict";

(() => {
  const root = document.getElementById("try-it");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const base = new URL("browser/", document.baseURI).href;
  let networks, picture, name, faces;

  const say = (text, isError = false) => {
    part("status").textContent = text;
    part("status").classList.toggle("error", isError);
  };

  async function open(files) {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = `${base}ort/`;
    networks = await Landmarker.Networks.open(ort, files);
    part("points").replaceChildren(...networks.pointSets.map((count) => new Option(`${count} points`, count)));
    part("confidence").disabled = !networks.detector;
    part("picture").disabled = false;
    say(networks.detector ? "Ready: drop a picture." : "Ready, without a detector: drop a picture of one face.");
    await find();
  }

  async function find() {
    if (!networks || !picture) return;
    say("Looking …");
    const start = performance.now();
    const options = { points: Number(part("points").value), confidence: Number(part("confidence").value) };
    faces = await networks.find(picture, options);
    draw();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const found = faces.length === 1 ? "1 face" : `${faces.length} faces`;
    say(`${found} in ${name}, ${picture.width} x ${picture.height} pixels, taken for ${picture.assumed}; ${seconds} s.`);
    part("save").disabled = false;
  }

  function draw() {
    const canvas = part("canvas"), factor = Math.max(1, Math.round(720 / picture.width));
    Object.assign(canvas, { width: picture.width * factor, height: picture.height * factor, hidden: false });
    const context = canvas.getContext("2d"), plain = new OffscreenCanvas(picture.width, picture.height);
    plain.getContext("2d").putImageData(picture.shown, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(plain, 0, 0, canvas.width, canvas.height);
    faces.forEach((face, number) => {
      const [left, top, right, bottom] = face.box.map((value) => (value + 0.5) * factor);
      const size = Math.sqrt((right - left) * (bottom - top)), radius = Math.max(1, size / (face.landmarks.length < 100 ? 80 : 160));
      context.lineWidth = Math.max(1, size / 150);
      context.strokeStyle = "#ff9100";
      context.strokeRect(left, top, right - left, bottom - top);
      face.landmarks.forEach(([x, y], i) => {
        // From green to red at 5 % of the face's size, as the command line draws them.
        const worst = Math.min((face.sigma_pixels[i] * factor) / size / 0.05, 1);
        context.fillStyle = `hsl(${120 * (1 - worst)} 80% 55%)`;
        context.beginPath();
        context.arc((x + 0.5) * factor, (y + 0.5) * factor, radius, 0, 2 * Math.PI);
        context.fill();
      });
      context.fillStyle = "#ff9100";
      context.font = `${Math.max(12, size / 10)}px sans-serif`;
      context.fillText(String(number + 1), left, Math.max(12, top - 4));
    });
    const rows = faces.map((face, number) => {
      const row = document.createElement("tr");
      const confidence = face.confidence === undefined ? "–" : `${(100 * face.confidence).toFixed(1)} %`;
      const typical = [...face.sigma_pixels].sort((a, b) => a - b)[face.sigma_pixels.length >> 1];
      for (const text of [number + 1, confidence, `${typical.toFixed(1)} pixels`]) row.insertCell().textContent = text;
      return row;
    });
    part("faces").replaceChildren(...rows);
    part("table").hidden = !faces.length;
    canvas.setAttribute("aria-label", `The picture with the points of ${faces.length} faces`);
  }

  function save() {
    const round = (value) => (Array.isArray(value) ? value.map(round) : Math.round(1e4 * value) / 1e4);
    const entry = { image: name, size: [picture.width, picture.height], assumed: [picture.assumed] };
    entry.faces = faces.map((face) => Object.fromEntries(Object.entries(face).map(([key, value]) => [key, round(value)])));
    const point_set = { 70: "face70", 478: "mesh478" }[part("points").value];
    const text = JSON.stringify({ point_set, coordinates: "pixels, centres at integers", images: [entry] }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `${name.replace(/\.[^.]*$/, "")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /** One thing at a time; whatever goes wrong is said on the page. */
  let queue = Promise.resolve();
  const enqueue = (work) => (queue = queue.then(work).catch((error) => say(`It did not work: ${error.message ?? error}`, true)));
  const bytesOf = async (files) => Promise.all(Array.from(files, async (file) => new Uint8Array(await file.arrayBuffer())));

  function take(files) {
    const all = Array.from(files), models = all.filter((file) => file.name.toLowerCase().endsWith(".onnx"));
    if (models.length) enqueue(async () => open(await bytesOf(models)));
    const [shown] = all.filter((file) => !models.includes(file));
    if (shown) {
      enqueue(async () => {
        if (!networks) throw new Error("choose the networks first");
        [name, picture] = [shown.name, await Pictures.read(shown, networks.landmarks.metadata.thermal_stretch)];
        await find();
      });
    }
  }

  if (location.protocol === "file:") return say("Browsers run no networks on pages that are opened from the disk: serve this folder, for example by python -m http.server, and open it there.");
  if (typeof ort === "undefined") return say("This site was built without onnxruntime-web, which runs the networks: make docs fetches it.");
  for (const control of ["picture", "networks"]) part(control).addEventListener("change", (event) => take(event.target.files));
  for (const control of ["points", "confidence"]) part(control).addEventListener("change", () => enqueue(find));
  part("save").addEventListener("click", save);
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    root.classList.add("over");
  });
  root.addEventListener("dragleave", () => root.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    root.classList.remove("over");
    take(event.dataTransfer.files);
  });
  part("networks").disabled = false;
  const shipped = root.dataset.networks.split(" ").filter(Boolean);
  if (!shipped.length) return say("This site was built without a landmarker: choose the files that python -m tfake.landmarks --export writes.");
  say("Loading the networks …");
  enqueue(async () => {
    const answers = await Promise.all(shipped.map((file) => fetch(base + file)));
    const lacking = answers.find((answer) => !answer.ok);
    if (lacking) throw new Error(`${lacking.url} cannot be loaded`);
    await open(await Promise.all(answers.map(async (answer) => new Uint8Array(await answer.arrayBuffer()))));
  });
})();
