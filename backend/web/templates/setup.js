// The preview follows what is typed; without scripts it shows what was saved.
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
