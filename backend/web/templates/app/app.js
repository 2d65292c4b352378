// What is nicer with a script; every page works without it.

// The preview follows what is typed; without the script it shows what was saved.
for (const field of document.querySelectorAll("#your-business input")) {
  field.addEventListener("input", () => {
    const typed = field.value.trim();
    for (const place of document.querySelectorAll(`[data-shows="${field.name}"]`)) {
      place.textContent = typed || place.dataset.empty || "";
      const way = place.closest("li");
      if (way) way.hidden = !typed;
    }
  });
}

// A page that waits for something looks again by itself, while somebody looks at it.
const waiting = document.querySelector("[data-again]");
if (waiting) {
  setInterval(() => document.hidden || location.reload(), Number(waiting.dataset.again) * 1000);
}

// A form that holds something unsaved says so, and the browser asks before it is left.
const content = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));
const marked = new Map();
for (const form of document.querySelectorAll("form[data-topic]")) {
  marked.set(form, form.dataset.topic === "refused" ? "" : content(form));
  const mark = () => form.toggleAttribute("data-unsaved", content(form) !== marked.get(form));
  form.addEventListener("input", mark);
  form.addEventListener("submit", () => marked.delete(form));
  mark();
}
addEventListener("beforeunload", (event) => {
  if ([...marked.keys()].some((form) => form.hasAttribute("data-unsaved"))) event.preventDefault();
});
