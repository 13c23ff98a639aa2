// Loads the model, takes images from wherever they come, and shows what the model says of them.

const $ = (id) => document.getElementById(id);
const FACTS = JSON.parse($("facts").textContent), EXAMPLES = JSON.parse($("example-images").textContent);
const LABELS = FACTS.labels, [HEIGHT, WIDTH] = FACTS.shape, GRAY = FACTS.shape.length === 2;
const MOST_PIXELS = 16e6, MOST_BARS = 10;
const COVERAGES = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999];
const has = (output) => FACTS.outputs.includes(output);

let session = null, pictures = [], current = null, answer = null, busy = false, again = false, stream = null;

// Loading ------------------------------------------------------------------------------------------------------------

async function unpacked(id) {
  const text = $(id).textContent.trim(), content = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  $(id).remove();
  const inflated = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}

async function stage(text, percent) {
  $("stage").textContent = text;
  $("progress").value = percent;
  await new Promise((done) => setTimeout(done));
}

async function load() {
  const lacks = ["WebAssembly", "DecompressionStream"].filter((name) => !(name in globalThis));
  if (lacks.length) {
    return failed(`This browser cannot run the model: it lacks ${lacks.join(" and ")}. Try a current Firefox, Chrome, Edge or Safari.`);
  }
  try {
    await stage("Unpacking the runtime", 10);
    const wasm = await unpacked("runtime");
    await stage("Unpacking the model", 40);
    const model = await unpacked("model");
    await stage("Starting the runtime", 60);
    ORT.env.wasm.wasmBinary = wasm;
    ORT.env.wasm.numThreads = 1;
    ORT.env.logLevel = "fatal";
    session = await ORT.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 4 });
    await stage("Warming up", 85);
    await run({ width: WIDTH, height: HEIGHT, data: new Uint8Array(HEIGHT * WIDTH * (GRAY ? 1 : 3)) });
    await stage("Ready", 100);
    $("loading").className = "done";
    for (const id of ["choose", "paste", "camera", "draw", "reset"]) $(id).disabled = false;
    for (const button of $("examples").children) button.disabled = false;
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    failed(`The model could not be started: ${error.message}. Try a current browser.`);
  }
}

function failed(text) {
  $("loading").className = "alert done";
  $("stage").textContent = text;
}

// Asking -------------------------------------------------------------------------------------------------------------

async function run({ width, height, data }) {
  const feeds = { images: new ORT.Tensor("uint8", data, [1, height, width, ...(GRAY ? [] : [3])]) };
  if (FACTS.inputs.includes("coverage")) feeds.coverage = new ORT.Tensor("float64", [coverage()], []);
  if (FACTS.inputs.includes("max_error")) feeds.max_error = new ORT.Tensor("float64", [maxError()], []);
  const found = await session.run(feeds);
  return Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, Array.from(tensor.data)]));
}

const coverage = () => COVERAGES[$("coverage").value] ?? FACTS.usualCoverage;
const maxError = () => FACTS.errors[$("error").value] ?? 0.01;

// One question at a time; what changes while it is answered is asked right after.
async function ask() {
  if (busy) return void (again = true);
  busy = true;
  document.documentElement.dataset.busy = "yes";
  do {
    again = false;
    const asked = current;
    const found = asked === null ? null : await run(asked.input);
    if (asked === current) { answer = found; show(); }
  } while (again);
  busy = false;
  document.documentElement.dataset.busy = "no";
}

// Images -------------------------------------------------------------------------------------------------------------

// The pixels of a drawable on white, at its own size.
function pixelsOf(drawable, width, height) {
  const factor = Math.max(1, Math.ceil(Math.sqrt(width * height / MOST_PIXELS)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width / factor));
  canvas.height = Math.max(1, Math.round(height / factor));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(drawable, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const rgb = new Uint8Array(3 * canvas.width * canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) {
    rgb[3 * i] = data[4 * i]; rgb[3 * i + 1] = data[4 * i + 1]; rgb[3 * i + 2] = data[4 * i + 2];
  }
  return { canvas, image: { width: canvas.width, height: canvas.height, channels: 3, data: rgb } };
}

function isGray({ data }) {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

// What the graph is given: it resizes by itself.
function inputOf(image) {
  const own = image.width === WIDTH && image.height === HEIGHT, fits = GRAY && own && isGray(image);
  if (FACTS.conversion?.name === "product-photo" && !fits) {
    const data = productPhoto(image, [HEIGHT, WIDTH], FACTS.conversion, FACTS.columnsFirst);
    return { width: WIDTH, height: HEIGHT, data };
  }
  const plain = GRAY ? toGray(image) : image;
  // The graph takes images of its own size as they are, as those learned from.
  return own && !fits && FACTS.conversion?.edge ? resizedMiddle(plain, FACTS.conversion) : plain;
}

function add(name, drawable, width, height, learned = false) {
  const { canvas, image } = pixelsOf(drawable, width, height);
  const picture = { name, canvas, input: !learned ? inputOf(image) : GRAY ? toGray(image) : image };
  pictures.push(picture);
  return picture;
}

async function take(files) {
  const unread = [];
  let first = null;
  for (const file of files) {
    try {
      const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "default" });
      const picture = add(file.name || "The pasted image", bitmap, bitmap.width, bitmap.height);
      first ??= picture;
      bitmap.close();
    } catch {
      unread.push(file.name || "The pasted file");
    }
  }
  $("problems").textContent = unread.map((name) => `${name} is no image that this browser can read. Try PNG or JPEG.`).join(" ");
  if (first) select(first);
  else showStrip();
}

function select(picture) {
  current = picture;
  showStrip();
  const context = $("shown").getContext("2d"), { canvas } = picture, size = $("shown").width;
  const scale = Math.min(size / canvas.width, size / canvas.height), w = canvas.width * scale, h = canvas.height * scale;
  context.clearRect(0, 0, size, size);
  context.imageSmoothingEnabled = scale < 1;
  context.drawImage(canvas, (size - w) / 2, (size - h) / 2, w, h);
  $("shown").setAttribute("aria-label", picture.name);
  return ask();
}

function showStrip() {
  const shown = pictures.slice(-24);
  $("strip").replaceChildren(...(shown.length < 2 ? [] : shown.map((picture) => {
    const button = thumbnail(picture.canvas.toDataURL(), picture.name);
    button.setAttribute("aria-pressed", String(picture === current));
    button.onclick = () => select(picture);
    return button;
  })));
}

function thumbnail(source, name) {
  const button = document.createElement("button"), image = document.createElement("img");
  button.type = "button";
  image.src = source;
  image.alt = name;
  button.title = name;
  button.append(image);
  return button;
}

// Showing ------------------------------------------------------------------------------------------------------------

function percent(p) {
  return p > 0 && p < 1e-4 ? "<0.01%" : p > 1 - 1e-4 && p < 1 ? ">99.99%" : `${(100 * p).toFixed(2)}%`;
}

const short = (p) => `${+(100 * p).toPrecision(3)}%`;
const listed = (names) => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
const ticked = () => Array.from($("ticks").querySelectorAll("input"), (box) => box.checked);

function show() {
  if (LABELS.length) showLabels();
  else showNumber();
}

function showLabels() {
  const probs = answer?.probabilities ?? LABELS.map(() => 0), ticks = ticked();
  const mass = probs.reduce((sum, p, k) => sum + (ticks[k] ? p : 0), 0);
  const conditional = $("given").checked && ticks.some(Boolean) && answer !== null;
  const shares = !conditional ? probs : probs.map((p, k) => ticks[k] ? (mass > 0 ? p / mass : 0) : 0);
  const order = LABELS.map((_, k) => k);
  if (answer) order.sort((a, b) => shares[b] - shares[a]);
  const rows = $("bars").children;
  order.forEach((k, place) => { if (place < rows.length) fillRow(rows[place], k, shares[k]); });
  $("sentence").textContent = answer ? sentence(order, shares, conditional) : "No image yet.";
  const inside = answer?.set ? LABELS.filter((_, k) => answer.set[k]) : [];
  $("set").textContent = !answer?.set ? "" : inside.length === LABELS.length ? "All labels" : inside.join(", ");
  $("refusal").textContent = !answer?.abstained ? "" : answer.abstained[0] ? "Not answered" : "Answered";
  const chosen = LABELS.filter((_, k) => ticks[k]);
  $("event-answer").textContent = chosen.length && answer ? `P(${listed(chosen)}) = ${percent(mass)}` : "";
}

function fillRow(row, k, share) {
  row.dataset.label = LABELS[k];
  row.dataset.probability = share;
  row.querySelector(".name").textContent = LABELS[k];
  row.querySelector(".fill").style.width = `${100 * share}%`;
  row.querySelector(".share").textContent = answer ? percent(share) : "";
  row.querySelector(".mark").textContent = answer?.set?.[k] ? "in set" : "";
}

function sentence(order, shares, conditional) {
  const best = order[0], parts = [`${conditional ? "Given the event, most" : "Most"} probably ${LABELS[best]}, ${percent(shares[best])}.`];
  parts.push(...doubts());
  return parts.join(" ");
}

function doubts() {
  const found = [];
  if (answer.abstained?.[0]) found.push(`With at most ${short(maxError())} wrong answers allowed, the model does not answer this one.`);
  if (FACTS.unfamiliar && answer.familiarity && answer.familiarity[0] <= FACTS.unfamiliar) {
    found.push("This image is unlike those that the model was trained on: do not rely on the answer.");
  }
  return found;
}

function showNumber() {
  const known = answer !== null;
  $("number").textContent = known ? answer.prediction.map((v) => +v.toPrecision(6)).join(", ") : "";
  $("set").textContent = known && answer.low ? `From ${+answer.low[0].toPrecision(6)} to ${+answer.high[0].toPrecision(6)}.` : "";
  $("sentence").textContent = known ? ["The predicted number:", ...doubts()].join(" ") : "No image yet.";
}

function sliderTexts() {
  $("coverage-value").textContent = short(coverage());
  $("error-value").textContent = short(maxError());
  $("coverage").setAttribute("aria-valuetext", short(coverage()));
  $("error").setAttribute("aria-valuetext", short(maxError()));
}

function buildRows(count) {
  $("bars").replaceChildren(...LABELS.slice(0, count).map(() => {
    const row = document.createElement("li");
    for (const name of ["name", "track", "share", "mark"]) {
      const part = document.createElement(name === "track" ? "div" : "span");
      part.className = name;
      if (name === "track") {
        part.setAttribute("aria-hidden", "true");
        part.append(Object.assign(document.createElement("div"), { className: "fill" }));
      }
      row.append(part);
    }
    return row;
  }));
}

// Controls -----------------------------------------------------------------------------------------------------------

function build() {
  buildRows(MOST_BARS);
  $("more").hidden = LABELS.length <= MOST_BARS;
  $("more").onclick = () => { buildRows(LABELS.length); $("more").hidden = true; show(); };
  $("number").hidden = LABELS.length > 0;
  $("set-part").hidden = !has("set") && !has("low");
  $("error-part").hidden = !has("abstained") || !FACTS.errors.length;
  $("event-part").hidden = LABELS.length < 2;
  $("coverage").max = COVERAGES.length - 1;
  $("error").max = FACTS.errors.length - 1;
  $("ticks").replaceChildren(...LABELS.map((label) => {
    const line = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.onchange = show;
    line.append(box, ` ${label}`);
    return line;
  }));
  $("named").replaceChildren(...Object.entries(FACTS.events).map(([name, labels]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    button.onclick = () => {
      $("ticks").querySelectorAll("input").forEach((box, k) => { box.checked = labels.includes(LABELS[k]); });
      show();
    };
    return button;
  }));
  $("examples-part").hidden = EXAMPLES.length === 0;
  $("examples").replaceChildren(...EXAMPLES.map(({ label, png }) => {
    const button = thumbnail(`data:image/png;base64,${png}`, `Example: ${label}`), image = button.firstChild;
    button.disabled = true;
    button.onclick = () => { pictures = []; select(add(`Example: ${label}`, image, image.naturalWidth, image.naturalHeight, true)); };
    return button;
  }));
  for (const id of ["coverage", "error"]) $(id).oninput = () => { sliderTexts(); ask(); };
  $("given").onchange = show;
  $("choose").onclick = () => $("files").click();
  $("files").onchange = async () => { await take([...$("files").files]); $("files").value = ""; };
  $("reset").onclick = reset;
  guarantees();
  dropping();
  pasting();
  camera();
  drawing();
  reset();
}

function reset() {
  pictures = [];
  current = answer = null;
  $("coverage").value = COVERAGES.indexOf(FACTS.usualCoverage);
  $("error").value = Math.max(0, FACTS.errors.findIndex((error) => error >= 0.01));
  $("ticks").querySelectorAll("input").forEach((box) => { box.checked = false; });
  $("given").checked = false;
  $("problems").textContent = "";
  $("shown").getContext("2d").clearRect(0, 0, $("shown").width, $("shown").height);
  $("shown").setAttribute("aria-label", "No image yet");
  panel("camera", false);
  panel("draw", false);
  clearBoard();
  sliderTexts();
  showStrip();
  show();
}

function panel(name, open) {
  $(`${name}-panel`).hidden = !open;
  $(name).setAttribute("aria-expanded", String(open));
  if (name === "camera" && !open && stream) {
    stream.getTracks().forEach((track) => track.stop());
    stream = null;
  }
}

function guarantees() {
  const texts = [];
  if (has("set")) texts.push(`A set contains the truth with at least the probability that the slider says, on average over new images like those held out and over the draw of held-out images; not for each kind of image.${FACTS.approximate ? ` Here approximately, since ${FACTS.approximate}.` : ""}`);
  if (has("abstained")) texts.push("With a probability of 95% over the draw of held-out images, at most the share that the slider says of the answered images is wrong, in the long run. Each position of the slider is guaranteed by itself.");
  if (FACTS.unfamiliar) texts.push(`Of images like those held out at most ${short(FACTS.unfamiliar)} are called unfamiliar, on average.`);
  texts.push(...Object.entries(FACTS.missing).map(([name, why]) => `No ${name}: ${why}`));
  $("guarantees").replaceChildren(...texts.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
}

function dropping() {
  const over = (event) => { event.preventDefault(); $("drop").className = "over"; };
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", () => { $("drop").className = ""; });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop").className = "";
    if (session) take([...event.dataTransfer.files]);
  });
}

function pasting() {
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (session && files.length) take(files);
  });
  $("paste").onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((name) => name.startsWith("image/"));
        if (type) return await take([await item.getType(type)]);
      }
      $("problems").textContent = "There is no image to paste. Copy one first.";
    } catch {
      $("problems").textContent = "This browser does not let the page read the clipboard. Press Ctrl+V (on a Mac, Command+V).";
    }
  };
}

function camera() {
  $("camera").onclick = async () => {
    if (stream) return panel("camera", false);
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      $("problems").textContent = "There is no camera that the page may use.";
      return;
    }
    panel("camera", true);
    $("video").srcObject = stream;
    await $("video").play();
  };
  $("shoot").onclick = () => select(add("Picture of the camera", $("video"), $("video").videoWidth, $("video").videoHeight));
  $("camera-off").onclick = () => { panel("camera", false); $("camera").focus(); };
}

// White strokes on black where the model learned from gray images, which mostly have a black background; else reversed.
const BACKGROUND = GRAY ? "#000" : "#fff", STROKE = GRAY ? "#fff" : "#000";

function clearBoard() {
  const context = $("board").getContext("2d");
  context.fillStyle = BACKGROUND;
  context.fillRect(0, 0, $("board").width, $("board").height);
}

function drawing() {
  const board = $("board"), context = board.getContext("2d", { willReadFrequently: true });
  let last = null, drawn = null;
  const place = (event) => {
    const box = board.getBoundingClientRect();
    return [(event.clientX - box.left) * board.width / box.width, (event.clientY - box.top) * board.height / box.height];
  };
  const answered = () => {
    pictures = pictures.filter((picture) => picture !== drawn);
    drawn = add("Your drawing", board, board.width, board.height);
    select(drawn);
  };
  const stroke = (event) => {
    const next = place(event);
    Object.assign(context, { strokeStyle: STROKE, lineWidth: board.width / 12, lineCap: "round" });
    context.beginPath();
    context.moveTo(...(last ?? next));
    context.lineTo(...next);
    context.stroke();
    last = next;
  };
  board.onpointerdown = (event) => { board.setPointerCapture(event.pointerId); last = null; stroke(event); };
  board.onpointermove = (event) => { if (event.buttons && last) stroke(event); };
  board.onpointerup = () => { last = null; answered(); };
  $("draw").onclick = () => panel("draw", $("draw-panel").hidden);
  $("clear").onclick = () => { clearBoard(); answered(); };
}

build();
load();
