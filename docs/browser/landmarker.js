// From a picture to landmarks in a browser: what tfake/landmarks and tfake/detector do, with onnxruntime-web for the
// networks. Images are {width, height, planes}: three Float32Arrays of numbers in 0..1. Pixel centres are at integers.
"use strict";

const Landmarker = (() => {
  // tfake.detector.face_maps, face_detector and views; tfake.landmarks.landmarker.
  const STRIDE = 4, COARSEST_STRIDE = 32, SIZE_PIXELS = 32, FIRST_POINT = 5;
  const OVERLAP = 0.5, MOST_PEAKS = 100, UNSURE = 2.5, TWICE_FROM = 1.6, GRAY = 1e-4;
  const STRETCH_PERCENT = [1, 99.5], LEAST_CONTRAST = 0.02;
  const SEVENTY = 70, MESH = 478;

  /** The metadata that an exporter put into a model: ONNX's ModelProto has it as key and value in its field 14. */
  function readMetadata(bytes, key = "tfake") {
    let at = 0;
    const varint = () => {
      let value = 0, factor = 1, byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * factor;
        factor *= 128;
      } while (byte > 127);
      return value;
    };
    const text = (start, end) => new TextDecoder().decode(bytes.subarray(start, end));
    const fields = (end) => {
      const found = [];
      while (at < end) {
        const tag = varint(), kind = tag % 8;
        if (kind === 2) {
          const length = varint();
          found.push([Math.floor(tag / 8), at, at + length]);
          at += length;
        } else if (kind === 0) varint();
        else if (kind === 1) at += 8;
        else if (kind === 5) at += 4;
        else throw new Error("this is no ONNX file");
      }
      return found;
    };
    for (const [field, start, end] of fields(bytes.length)) {
      if (field !== 14) continue;
      at = start;
      const entry = Object.fromEntries(fields(end).map(([name, from, to]) => [name, text(from, to)]));
      if (entry[1] === key) return JSON.parse(entry[2]);
    }
    throw new Error("this ONNX file was not written by python -m tfake.landmarks --export");
  }

  /** The value at a percentile of sorted numbers, as numpy.percentile interpolates it. */
  function percentile(sorted, percent) {
    const place = (percent / 100) * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  function isGray(planes) {
    const [red, green, blue] = planes;
    for (let i = 0; i < red.length; i++) {
      if (Math.max(Math.abs(green[i] - red[i]), Math.abs(blue[i] - red[i]), Math.abs(green[i] - blue[i])) >= GRAY) return false;
    }
    return true;
  }

  /** Stretch a gray picture between percentiles; one in colours stays as it is. */
  function stretchGray(image) {
    if (!isGray(image.planes)) return image;
    const gray = image.planes[0], sorted = Float32Array.from(gray).sort();
    const [low, high] = STRETCH_PERCENT.map((percent) => percentile(sorted, percent));
    const spread = Math.max(high - low, LEAST_CONTRAST);
    const shown = gray.map((value) => Math.min(Math.max((value - low) / spread, 0), 1));
    return { ...image, planes: [shown, shown, shown] };
  }

  /** For each of `size` places of a resized row: where to read, and with which weights. */
  function resizeTaps(from, size, byArea) {
    const scale = from / size, taps = [];
    for (let i = 0; i < size; i++) {
      if (byArea) {
        const start = i * scale, end = Math.min((i + 1) * scale, from), tap = [];
        for (let j = Math.floor(start); j < end - 1e-9; j++) {
          tap.push([j, (Math.min(j + 1, end) - Math.max(j, start)) / (end - start)]);
        }
        taps.push(tap);
      } else {
        const place = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), from - 1), below = Math.floor(place);
        taps.push([[below, 1 - (place - below)], [Math.min(below + 1, from - 1), place - below]]);
      }
    }
    return taps;
  }

  /** OpenCV's resize: by area where it shrinks, else bilinear. */
  function resize(image, width, height, byArea) {
    const across = resizeTaps(image.width, width, byArea), down = resizeTaps(image.height, height, byArea);
    const planes = image.planes.map((plane) => {
      const rows = new Float32Array(image.height * width), out = new Float32Array(height * width);
      for (let y = 0; y < image.height; y++) {
        for (let x = 0; x < width; x++) {
          let sum = 0;
          for (const [j, weight] of across[x]) sum += weight * plane[y * image.width + j];
          rows[y * width + x] = sum;
        }
      }
      for (let y = 0; y < height; y++) {
        for (const [j, weight] of down[y]) {
          for (let x = 0; x < width; x++) out[y * width + x] += weight * rows[j * width + x];
        }
      }
      return out;
    });
    return { width, height, planes };
  }

  /** A picture at the sizes that the detector knows. */
  function makeViews(image, searchPixels) {
    const edge = Math.sqrt(image.width * image.height), shown = stretchGray(image);
    const round = (pixels) => Math.max(1, Math.round(pixels / COARSEST_STRIDE)) * COARSEST_STRIDE;
    const targets = [searchPixels, 2 * searchPixels].slice(0, edge >= TWICE_FROM * searchPixels ? 2 : 1);
    return targets.map((target) => {
      const width = round((image.width * target) / edge), height = round((image.height * target) / edge);
      const view = resize(shown, width, height, target < edge);
      return { view, scale: [width / image.width, height / image.height] };
    });
  }

  /** The peaks of a detector's maps (15, h, w): boxes in pixels of the view, and logits. */
  function decodeFaces(maps, width, height, leastLogit) {
    const cells = width * height, peaks = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const logit = maps[y * width + x];
        if (!(logit >= leastLogit)) continue;
        let isPeak = true;
        for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1) && isPeak; v++) {
          for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
            if (maps[v * width + u] > logit) isPeak = false;
          }
        }
        if (isPeak) peaks.push({ logit, x, y });
      }
    }
    peaks.sort((a, b) => b.logit - a.logit);
    return peaks.slice(0, MOST_PEAKS).map(({ logit, x, y }) => {
      const at = (channel) => maps[channel * cells + y * width + x];
      const [w, h] = [1, 2].map((channel) => SIZE_PIXELS * Math.exp(Math.min(Math.max(at(channel), -3), 4)));
      const size = Math.sqrt(w * h);
      const middleX = x * STRIDE + (STRIDE - 1) / 2 + size * at(FIRST_POINT - 2);
      const middleY = y * STRIDE + (STRIDE - 1) / 2 + size * at(FIRST_POINT - 1);
      return { logit, box: [middleX - w / 2, middleY - h / 2, middleX + w / 2, middleY + h / 2] };
    });
  }

  /** Intersection over the smaller of two boxes. */
  function overlap(a, b) {
    const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
    const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
    const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
    return (width * height) / Math.max(Math.min(area(a), area(b)), 1e-9);
  }

  /** A box, grown to the left, up, to the right and down by fractions of its edges. */
  function grown([left, top, right, bottom], [before, above, behind, below]) {
    const width = right - left, height = bottom - top;
    return [left - before * width, top - above * height, right + behind * width, bottom + below * height];
  }

  function squareAround([left, top, right, bottom], margin) {
    const side = Math.max(right - left, bottom - top, 1) * margin;
    return [(left + right - side) / 2, (top + bottom - side) / 2, side];
  }

  /** OpenCV's blur: the mean of a square of an odd edge, the border reflected without its outermost pixel. */
  function blur(image, edge) {
    const half = (edge - 1) / 2;
    const reflect = (i, n) => {
      while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * n - 2 - i;
      return n > 1 ? i : 0;
    };
    const pass = (plane, length, count, step, stride) => {
      const out = new Float32Array(plane.length);
      for (let line = 0; line < count; line++) {
        let sum = 0;
        for (let j = -half; j <= half; j++) sum += plane[line * stride + reflect(j, length) * step];
        for (let i = 0; i < length; i++) {
          out[line * stride + i * step] = sum / edge;
          sum += plane[line * stride + reflect(i + half + 1, length) * step] - plane[line * stride + reflect(i - half, length) * step];
        }
      }
      return out;
    };
    const { width, height } = image;
    return { width, height, planes: image.planes.map((plane) => pass(pass(plane, width, height, 1, width), height, width, width, 1)) };
  }

  /** A square of an image as a crop (3, pixels, pixels), bilinear; what is beyond the image is 0. */
  function cropSquare(image, [left, top, side], pixels) {
    const scale = side / pixels, { width, height } = image;
    const planes = (scale > 2 ? blur(image, Math.floor(scale) | 1) : image).planes;
    const crop = new Float32Array(3 * pixels * pixels);
    const at = (plane, x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : plane[y * width + x]);
    for (let row = 0; row < pixels; row++) {
      const v = top + (row + 0.5) * scale, y = Math.floor(v), down = v - y;
      for (let column = 0; column < pixels; column++) {
        const u = left + (column + 0.5) * scale, x = Math.floor(u), across = u - x;
        for (let channel = 0; channel < 3; channel++) {
          const plane = planes[channel];
          const upper = (1 - across) * at(plane, x, y) + across * at(plane, x + 1, y);
          const lower = (1 - across) * at(plane, x, y + 1) + across * at(plane, x + 1, y + 1);
          crop[(channel * pixels + row) * pixels + column] = (1 - down) * upper + down * lower;
        }
      }
    }
    return crop;
  }

  function mirrorCrop(crop, pixels) {
    const mirrored = new Float32Array(crop.length);
    for (let line = 0; line < 3 * pixels; line++) {
      for (let column = 0; column < pixels; column++) mirrored[line * pixels + column] = crop[line * pixels + pixels - 1 - column];
    }
    return mirrored;
  }

  /** The mean of an answer and of that on the mirror image, and the mixture's deviations. */
  function averageMirrored(found, mirrored, partners) {
    return found.map(([x, y, sigma], place) => {
      const [otherX, otherY, otherSigma] = mirrored[partners[place]];
      const apart = ((x - 1 + otherX) ** 2 + (y - otherY) ** 2) / 8;
      return [(x + 1 - otherX) / 2, (y + otherY) / 2, Math.sqrt((sigma ** 2 + otherSigma ** 2) / 2 + apart)];
    });
  }

  class Networks {
    /** Open the models of one to two ONNX files, given as Uint8Arrays, whichever is which. */
    static async open(ort, files) {
      const networks = new Networks();
      networks.ort = ort;
      for (const bytes of files) {
        const metadata = readMetadata(bytes);
        const kind = { "tfake-landmarks-onnx-1": "landmarks", "tfake-detector-onnx-1": "detector" }[metadata.format];
        if (!kind) throw new Error(`a file of a format that this page does not know: ${metadata.format}`);
        // Filters of 8 bits are turned back once, when a file is opened.
        const options = { executionProviders: ["wasm"], extra: { session: { disable_quant_qdq: "1" } } };
        networks[kind] = { metadata, session: await ort.InferenceSession.create(bytes, options) };
      }
      if (!networks.landmarks) throw new Error("there is no landmark network among these files");
      return networks;
    }

    /** The numbers of points that can be asked for. */
    get pointSets() {
      const { landmarks } = this.landmarks.metadata;
      return landmarks === SEVENTY + MESH ? [SEVENTY, MESH] : [landmarks];
    }

    /** Answers on squares of an image: for each face [x, y, sigma] a point, in crop widths. */
    async look(image, squares, mirrors) {
      const { metadata, session } = this.landmarks, pixels = metadata.image_pixels, answers = [];
      for (const square of squares) {
        const crop = cropSquare(image, square, pixels), area = pixels * pixels;
        const planes = [0, 1, 2].map((channel) => crop.subarray(channel * area, (channel + 1) * area));
        const ask = async (values) => {
          const { points, sigma } = await session.run({ images: new this.ort.Tensor("float32", values, [1, 3, pixels, pixels]) });
          return Array.from(sigma.data, (deviation, i) => [points.data[2 * i], points.data[2 * i + 1], deviation]);
        };
        const found = await ask(crop);
        const twice = mirrors && metadata.thermal_mirror && isGray(planes);
        answers.push(twice ? averageMirrored(found, await ask(mirrorCrop(crop, pixels)), metadata.mirrored) : found);
      }
      return answers;
    }

    /** Boxes that the detector finds, by descending logit. */
    async detect(image, confidence) {
      const { metadata, session } = this.detector, found = [];
      const leastLogit = (Math.log(confidence / (1 - confidence)) - metadata.offset) / metadata.slope;
      for (const { view, scale } of makeViews(image, metadata.search_pixels)) {
        const { width, height } = view, values = new Float32Array(3 * width * height);
        view.planes.forEach((plane, channel) => values.set(plane, channel * width * height));
        const { maps } = await session.run({ images: new this.ort.Tensor("float32", values, [1, 3, height, width]) });
        for (const { logit, box } of decodeFaces(maps.data, width / STRIDE, height / STRIDE, leastLogit)) {
          found.push({ logit, box: box.map((value, side) => (value + 0.5) / scale[side % 2] - 0.5) });
        }
      }
      return kept(found.sort((a, b) => b.logit - a.logit), OVERLAP);
    }

    /**
     * Find landmarks.
     * @returns faces by descending confidence, as the command line's JSON has them: box, score, landmarks, sigma_pixels,
     *   and confidence where there is a detector; without one the picture is taken for that of one face.
     */
    async find(image, { confidence = 0.6, points = this.pointSets[0] } = {}) {
      const { metadata } = this.landmarks, both = metadata.landmarks === SEVENTY + MESH;
      const first = both && points === MESH ? SEVENTY : 0;
      // What tells a face: of a network for both sets the 70 points. Where to look closer is told by all points.
      const judge = (answer) => answer.slice(0, both ? SEVENTY : answer.length);
      const boxOf = (landmarks) => [Math.min, Math.max].flatMap((pick) => [0, 1].map((axis) => pick(...landmarks.map((point) => point[axis]))));
      const inImage = (answer, [left, top, side]) => answer.map(([x, y, sigma]) => [left + x * side, top + y * side, sigma * side]);
      const mean = (answer) => answer.reduce((sum, point) => sum + point[2], 0) / answer.length;
      let places;
      if (this.detector) {
        const detected = await this.detect(image, confidence);
        const squares = detected.map(({ box }) => squareAround(grown(box, metadata.growth ?? [0, 0, 0, 0]), metadata.margin));
        const answers = await this.look(image, squares, false);
        const sure = detected.flatMap(({ logit }, i) =>
          mean(judge(answers[i])) < UNSURE * metadata.threshold ? [{ logit, box: boxOf(inImage(answers[i], squares[i])) }] : []);
        places = kept(sure, OVERLAP);
      } else {
        const side = Math.max(image.width, image.height);
        const square = [(image.width - side) / 2 - 0.5, (image.height - side) / 2 - 0.5, side];
        const [answer] = await this.look(image, [square], false);
        places = [{ box: boxOf(inImage(answer, square)) }];
      }
      const squares = places.map(({ box }) => squareAround(box, metadata.margin));
      const answers = await this.look(image, squares, true);
      return answers.map((answer, i) => {
        const asked = answer.slice(first, first + points), landmarks = inImage(asked, squares[i]);
        const face = { box: boxOf(landmarks), score: mean(asked) };
        face.landmarks = landmarks.map(([x, y]) => [x, y]);
        face.sigma_pixels = landmarks.map((point) => point[2]);
        if (this.detector) face.confidence = 1 / (1 + Math.exp(-(this.detector.metadata.slope * places[i].logit + this.detector.metadata.offset)));
        return face;
      });
    }
  }

  /** Of boxes that share more than a fraction of the smaller one, the first. */
  function kept(found, most) {
    const chosen = [];
    for (const one of found) if (chosen.every((other) => overlap(one.box, other.box) <= most)) chosen.push(one);
    return chosen;
  }

  return { Networks, percentile, readMetadata };
})();
