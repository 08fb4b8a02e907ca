// The viewer's faces: counts, classes, points and photographs, by what loading.js loads.

// One face as one variant shows it: counts, classes, points and photograph in one geometry.
async function readFace(row, number) {
  const [source, own] = await Promise.all([load(`${row}`), load(`${row}.${number}`)]);
  const variant = report.variants[number];
  const labels = own.classes ? own : source;
  const [counts, classes] = await Promise.all([
    unpack(own.counts, variant.width, variant.height, own.bytes),
    unpack(labels.classes, variant.width, variant.height, 1),
  ]);
  return { variant, counts, classes, points: own.points ?? source.points, rgb: own.classes ? own.rgb : source.rgb };
}

// NaN where the count is no value.
function valueOf(face, count) {
  return face.variant.missing.includes(count) ? NaN : count * face.variant.scale + face.variant.offset;
}

function valueInWords(face, value) {
  if (Number.isNaN(value)) return "no value";
  return face.variant.unit ? `${value.toFixed(2)} ${face.variant.unit}` : `${value.toFixed(0)} (not a temperature)`;
}

function readingAt(face, x, y) {
  const place = y * face.variant.width + x;
  const count = face.counts[place];
  const [name] = report.classes[face.classes[place]] ?? ["unknown class"];
  return { x, y, count, value: valueOf(face, count), name };
}
