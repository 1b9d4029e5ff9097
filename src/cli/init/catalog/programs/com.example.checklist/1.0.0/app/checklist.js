const $ = (id) => document.getElementById(id);
const KEY = "checklist";

/** What was rendered for this customer; the defaults when the page is opened outside a shell. */
async function settings() {
  try {
    const answer = await fetch("tenant-config.json");
    if (answer.ok) return (await answer.json()).settings;
  } catch {
    // Opened as a plain file.
  }
  return { title: "Checklist", first_items: [] };
}

/** The list that was kept, or none when there is none or it cannot be read. */
function kept() {
  try {
    const items = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(items) ? items : null;
  } catch {
    return null;
  }
}

let items = [];

function change(next) {
  items = next;
  localStorage.setItem(KEY, JSON.stringify(items));
  show();
}

function row(item, at) {
  const [line, label, box, remove] = ["li", "label", "input", "button"].map((tag) => document.createElement(tag));
  box.type = "checkbox";
  box.checked = item.done;
  box.addEventListener("change", () => change(items.with(at, { ...item, done: box.checked })));
  label.append(box, ` ${item.text}`);
  remove.type = "button";
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove ${item.text}`);
  remove.addEventListener("click", () => change(items.toSpliced(at, 1)));
  line.append(label, remove);
  return line;
}

function show() {
  $("items").replaceChildren(...items.map(row));
  const done = items.filter((item) => item.done).length;
  $("status").textContent = items.length ? `${done} of ${items.length} done` : "Nothing to do yet.";
}

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text) change([...items, { text, done: false }]);
  $("add").reset();
});
$("again").addEventListener("click", () => change(items.map((item) => ({ ...item, done: false }))));
$("copy").addEventListener("click", async () => {
  const text = items.map((item) => `[${item.done ? "x" : " "}] ${item.text}`).join("\n");
  try {
    await navigator.clipboard.writeText(text);
    $("status").textContent = "Copied.";
  } catch {
    $("status").textContent = "This device does not allow copying.";
  }
});

settings().then(({ title, first_items }) => {
  $("title").textContent = title;
  items = kept() ?? first_items.map((text) => ({ text, done: false }));
  show();
});
