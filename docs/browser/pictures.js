// Pictures in a browser as tfake.landmarks.preprocessing shows them to the networks: three planes of numbers in 0..1.
"use strict";

const Pictures = (() => {
  const COLDEST = 20, WARMEST = 40, SCENE_PERCENT = [0.1, 99.9], LEAST_KELVIN = 1, PLAUSIBLE = [-60, 200], RELATIVE_PERCENT = [1, 99];
  const MOST_PIXELS = 40e6;

  /**
   * Read a file: {width, height, planes, shown, assumed}, where `shown` is an ImageData to draw. Networks that stretch the
   * contrast themselves see temperatures in the scene's own window, others between 20 and 40 °C.
   */
  async function read(file, stretches) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes[0] === 0x93 && bytes[1] === 0x4e) return ofNumbers(readNpy(bytes), stretches);
    const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
    if (isPng && bytes[24] === 16 && bytes[25] === 0 && bytes[28] === 0) return ofNumbers(await readGray16(bytes), stretches);
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    } catch {
      throw new Error("this is no PNG, JPEG or .npy that this browser can read");
    }
    check(bitmap.width, bitmap.height);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const shown = context.getImageData(0, 0, bitmap.width, bitmap.height), { width, height, data } = shown;
    const planes = [0, 1, 2].map((channel) => Float32Array.from({ length: width * height }, (_, i) => data[4 * i + channel] / 255));
    return { width, height, planes, shown, assumed: "8-bit pixels, as they are shown" };
  }

  function check(width, height) {
    if (!(width > 0 && height > 0 && width * height <= MOST_PIXELS)) throw new Error(`a picture of ${width} x ${height} pixels`);
  }

  /** Temperatures, where the numbers can be any; else numbers that are stretched between their own percentiles. */
  function ofNumbers({ width, height, values, isCounts, isBytes }, stretches) {
    check(width, height);
    const celsius = isCounts ? Float32Array.from(values, (count) => count / 100 - 273.15) : Float32Array.from(values);
    const finite = celsius.filter(Number.isFinite).sort();
    if (!finite.length) throw new Error("none of its pixels has a number");
    let [low, high] = [COLDEST, WARMEST], assumed = isCounts ? "counts of 0.01 K" : "floating degrees Celsius";
    if (isBytes) [low, high, assumed] = [0, 255, "8-bit gray values, as they are shown"];
    else if (finite[0] < PLAUSIBLE[0] || finite[finite.length - 1] > PLAUSIBLE[1]) {
      [low, high] = RELATIVE_PERCENT.map((percent) => Landmarker.percentile(finite, percent));
      if (high <= low) high = low + 1;
      assumed = "relative numbers, for they cannot be temperatures";
    } else if (stretches) {
      [low, high] = SCENE_PERCENT.map((percent) => Landmarker.percentile(finite, percent));
      high = Math.max(high, low + LEAST_KELVIN);
    }
    const gray = celsius.map((value) => Math.min(Math.max(((Number.isNaN(value) ? low : value) - low) / (high - low), 0), 1));
    const shown = new ImageData(width, height);
    gray.forEach((value, i) => shown.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
    return { width, height, planes: [gray, gray, gray], shown, assumed };
  }

  /** A NumPy array of two axes. */
  function readNpy(bytes) {
    const view = new DataView(bytes.buffer), long = bytes[6] > 1;
    const start = long ? 12 : 10, end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
    const header = new TextDecoder("latin1").decode(bytes.subarray(start, end));
    const type = /'descr':\s*'([<>|=])([fui])(\d)'/.exec(header), shape = /'shape':\s*\((\d+),\s*(\d+),?\s*\)/.exec(header);
    const readers = { f4: "getFloat32", f8: "getFloat64", u1: "getUint8", u2: "getUint16", i2: "getInt16", i4: "getInt32" };
    const name = type && readers[type[2] + type[3]];
    if (!name || !shape || /'fortran_order':\s*True/.test(header)) throw new Error("expected a (height, width) array of numbers in C order");
    const [height, width] = [Number(shape[1]), Number(shape[2])], size = Number(type[3]);
    if (bytes.length < end + size * width * height) throw new Error("the array is cut short");
    const values = Float64Array.from({ length: width * height }, (_, i) => view[name](end + size * i, type[1] !== ">"));
    return { width, height, values, isCounts: type[2] + type[3] === "u2", isBytes: type[2] + type[3] === "u1" };
  }

  /** A gray PNG of 16 bits, of which a canvas would keep 8. */
  async function readGray16(bytes) {
    const view = new DataView(bytes.buffer), width = view.getUint32(16), height = view.getUint32(20), parts = [];
    check(width, height);
    for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
      if (view.getUint32(at + 4) === 0x49444154) parts.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
    }
    const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
    const data = new Uint8Array(await new Response(stream).arrayBuffer()), row = 2 * width;
    if (data.length < (row + 1) * height) throw new Error("the PNG is cut short");
    const pixels = new Uint8Array(row * height);
    for (let y = 0; y < height; y++) {
      const filter = data[y * (row + 1)];
      for (let x = 0; x < row; x++) {
        const left = x > 1 ? pixels[y * row + x - 2] : 0, up = y ? pixels[(y - 1) * row + x] : 0;
        const corner = x > 1 && y ? pixels[(y - 1) * row + x - 2] : 0;
        const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
        pixels[y * row + x] = data[y * (row + 1) + 1 + x] + guess;
      }
    }
    const values = Uint16Array.from({ length: width * height }, (_, i) => 256 * pixels[2 * i] + pixels[2 * i + 1]);
    return { width, height, values, isCounts: true };
  }

  function paeth(left, up, corner) {
    const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
    return a <= b && a <= c ? left : b <= c ? up : corner;
  }

  return { read };
})();
