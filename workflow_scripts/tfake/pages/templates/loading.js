// A page's data: scripts beside it, unpacked to the very numbers of the stores. `report-data` names their folder.
const report = JSON.parse(document.getElementById("report-data").textContent);
const loaded = new Map();
const waiting = new Map();

// What the data scripts call.
function tfakeData(name, data) {
  waiting.get(name)?.(data);
}

// A page from the disk may not fetch its neighbours, but may run them.
function load(name) {
  if (!loaded.has(name)) {
    const arrival = new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = `${report.folder}/${name}.js`;
      script.onload = () => script.remove();
      script.onerror = () => {
        loaded.delete(name);
        script.remove();
        reject(new Error(`${script.getAttribute("src")} is not beside this page. Open the page in its own folder.`));
      };
      document.head.append(script);
    });
    loaded.set(name, arrival);
  }
  return loaded.get(name);
}

async function inflate(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Undo pack() of tfake/pages/page_images.py: byte planes of differences to the left neighbour.
async function unpack(text, width, height, bytes) {
  const planes = await inflate(text);
  const size = width * height;
  if (planes.length !== size * bytes) throw new Error(`${planes.length} bytes for ${width} x ${height} pixels of ${bytes}`);
  const numbers = bytes === 2 ? new Uint16Array(size) : new Uint8Array(size);
  for (let y = 0, i = 0; y < height; y++) {
    let number = 0;
    for (let x = 0; x < width; x++, i++) {
      number += planes[i] + (bytes === 2 ? planes[i + size] * 256 : 0);
      numbers[i] = number; // the array's type wraps the sum around, as the packing did
      number = numbers[i];
    }
  }
  return numbers;
}
