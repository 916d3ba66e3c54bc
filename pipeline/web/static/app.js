// The page without reloads: pictures that are dropped, pasted or photographed, boxes drawn on them, history.
// Every answer is a part of a page that the server writes; without this script it writes whole ones.

const $ = (id) => document.getElementById(id);
const form = $("ask"), main = document.querySelector("main"), results = $("results"), status = $("status");
const shown = $("shown"), frame = $("frame"), boxMark = $("box"), file = $("file");
const numbers = ["x", "y", "w", "h"].map((name) => $(`box-${name}`));

// What is asked: a photo, the picture of a row, or nothing yet; `url` shows it. The last entries of the history are kept
// here by their key, since a photo is stored nowhere else.
let view = { photo: null, url: shown.getAttribute("src"), row: form.dataset.row, alt: shown.alt, box: null };
let running = null, key = Date.now();
const kept = new Map(), MOST_KEPT = 50;

// --- asking

function wishes() {
  const fields = new FormData(form);
  for (const name of ["image", "box"]) fields.delete(name);
  for (const [name, value] of [...fields]) if (!value || (name === "colour" && value === "0")) fields.delete(name);
  return fields;
}

async function ask() {
  if (!view.photo && !view.row) return location.assign(`/?${new URLSearchParams({ category: form.elements.category.value })}`);
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  results.setAttribute("aria-busy", "true");
  let html;
  try {
    const answer = view.photo
      ? await fetch("/?part=results", { method: "POST", body: photoForm(), signal })
      : await fetch(rowAddress("results"), { signal });
    html = await answer.text();
  } catch (error) {
    if (signal.aborted) return;
    html = failure("The server did not answer. Is it still running?");
  }
  if (signal.aborted) return;
  if (view.row) history.replaceState({ key }, "", rowAddress());
  show(html);
}

function photoForm() {
  const fields = wishes();
  fields.set("image", view.photo);
  if (view.box) fields.set("box", view.box.join());
  return fields;
}

function rowAddress(part) {
  const query = new URLSearchParams(wishes());
  if (part) query.set("part", part);
  return `/similar/${view.row}?${query}`;
}

function failure(text) {
  const line = document.createElement("p");
  line.className = "error";
  line.role = "alert";
  line.textContent = text;
  return line.outerHTML;
}

function show(html) {
  results.innerHTML = html;
  results.removeAttribute("aria-busy");
  const like = results.querySelector("[data-like]")?.dataset.like;
  if (like && form.elements.like) form.elements.like.value = like; // which the server chose where none was named
  status.textContent = results.querySelector("[data-said]")?.dataset.said ?? "";
  document.title = [results.querySelector("h1")?.textContent, "Crosswear"].filter(Boolean).join(" · ");
  keep();
}

// --- a new question, and the way back

function open(asked, address) {
  keep();
  view = { photo: null, url: "", row: "", alt: "", box: null, ...asked };
  // A picture of the catalogue starts with an attribute of its own, one that was found with what it was found by.
  if (view.row && form.elements.like) form.elements.like.value = new URL(address).searchParams.get("like") ?? "";
  key = Date.now();
  history.pushState({ key }, "", address);
  scrollTo(0, 0);
  display();
  ask();
}

function openPhoto(photo) {
  if (!photo) return;
  const most = Number(form.dataset.uploadMb);
  if (photo.type && !photo.type.startsWith("image/")) return show(failure("That is not a picture."));
  if (photo.size > most * 1e6) return show(failure(`More than ${most} MB; choose a smaller picture.`));
  open({ photo, url: URL.createObjectURL(photo), alt: "Your query" }, "/");
}

function keep() {
  const chosen = [...form.elements].filter((field) => field.name && field.type !== "file");
  const values = chosen.map((field) => [field, field.value, field.checked]);
  kept.delete(key); // the newest is the last one
  kept.set(key, { view, html: results.innerHTML, title: document.title, values });
  if (kept.size <= MOST_KEPT) return;
  const [oldest, entry] = kept.entries().next().value;
  if (entry.view.photo) URL.revokeObjectURL(entry.view.url);
  kept.delete(oldest);
}

function back(event) {
  if (!event.state) return history.replaceState({ key }, ""); // a jump within the page
  const entry = kept.get(event.state.key);
  if (!entry) return location.reload();
  running?.abort();
  key = event.state.key;
  view = entry.view;
  for (const [field, value, checked] of entry.values) Object.assign(field, { value, checked });
  results.innerHTML = entry.html;
  results.removeAttribute("aria-busy");
  document.title = entry.title;
  display();
}

function display() {
  const source = view.url;
  main.className = source ? "asked" : "home";
  $("query").hidden = !source;
  $("part").hidden = $("hint").hidden = true; // until the photo is there, if this browser can show it
  if (source && shown.getAttribute("src") !== source) shown.src = source;
  else if (view.photo && shown.complete) ready();
  shown.alt = view.alt;
  form.elements.colour.nextElementSibling.value = form.elements.colour.value;
  drawBox();
}

function ready() {
  $("part").hidden = $("hint").hidden = !view.photo || !shown.naturalWidth;
  numbers.forEach((field, side) => (field.max = side % 2 ? shown.naturalHeight : shown.naturalWidth));
  drawBox();
}

// --- the box: [x, y, w, h] in pixels of the upright picture

function drawBox() {
  const box = view.box, sizes = [shown.naturalWidth, shown.naturalHeight];
  boxMark.hidden = $("whole").hidden = !box;
  numbers.forEach((field, side) => (field.value = box ? box[side] : ""));
  if (!box) return;
  ["left", "top", "width", "height"].forEach((edge, side) => {
    boxMark.style[edge] = `${(100 * box[side]) / sizes[side % 2]}%`;
  });
}

function setBox(box) {
  view.box = box;
  drawBox();
}

function spot(event) {
  const area = shown.getBoundingClientRect();
  const within = (share, whole) => Math.min(Math.max(share, 0), 1) * whole;
  return [
    within((event.clientX - area.left) / area.width, shown.naturalWidth),
    within((event.clientY - area.top) / area.height, shown.naturalHeight),
  ];
}

frame.addEventListener("pointerdown", (start) => {
  if ($("part").hidden || start.button) return;
  start.preventDefault();
  frame.setPointerCapture(start.pointerId);
  const [x, y] = spot(start), former = view.box, stop = new AbortController();
  const listen = (name, handler) => frame.addEventListener(name, handler, { signal: stop.signal });
  listen("pointermove", (event) => {
    const [right, bottom] = spot(event);
    setBox([Math.min(x, right), Math.min(y, bottom), Math.abs(right - x), Math.abs(bottom - y)].map(Math.round));
  });
  listen("pointercancel", () => (stop.abort(), setBox(former)));
  listen("pointerup", () => {
    stop.abort();
    const least = Math.max(shown.naturalWidth, shown.naturalHeight) / 50; // less is a click
    if (view.box === former) return;
    if (Math.min(view.box[2], view.box[3]) < Math.max(least, 1)) return setBox(former);
    ask();
  });
});

numbers.forEach((field) => field.addEventListener("change", (event) => {
  event.stopPropagation(); // it is no wish of its own
  const [x, y, w, h] = numbers.map((one) => one.valueAsNumber || 0); // to the edge while there is no width or height
  setBox([x, y, w || shown.naturalWidth - x, h || shown.naturalHeight - y]);
  ask();
}));
$("whole").addEventListener("click", () => (setBox(null), ask()));

// --- ways in

for (const input of [file, $("camera")]) {
  input.addEventListener("change", (event) => {
    event.stopPropagation();
    openPhoto(input.files[0]);
    input.value = ""; // the same picture may be chosen again
  });
}
addEventListener("paste", (event) => {
  openPhoto([...event.clipboardData.files].find((one) => one.type.startsWith("image/")));
});
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dragging"));
addEventListener("drop", (event) => {
  document.body.classList.remove("dragging");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  openPhoto(event.dataTransfer.files[0]);
});
results.addEventListener("click", (event) => {
  const link = event.target.closest("a.more");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  results.focus({ preventScroll: true });
  const tile = link.querySelector("img");
  const alt = tile.alt.replace("More like this", "Your query");
  open({ row: link.pathname.split("/").pop(), url: tile.getAttribute("src").replace("?", "/large?"), alt }, link.href);
});

// --- changes of the wishes

form.addEventListener("input", (event) => {
  if (event.target.name === "colour") event.target.nextElementSibling.value = event.target.value;
});
form.addEventListener("change", (event) => {
  if (event.target.name === "models" && !form.querySelector("[name=models]:checked")) event.target.checked = true;
  if (!view.photo && !view.row && event.target.name !== "category") return; // it waits for a picture
  ask();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
shown.addEventListener("load", ready);
shown.addEventListener("error", () => ($("query").hidden = !view.row)); // a format that the browser does not know
addEventListener("popstate", back);
history.replaceState({ key }, "");
keep();
