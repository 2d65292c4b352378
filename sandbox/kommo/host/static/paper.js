/** The deal's fields and feed as nodes. */
export function fieldGroup({ name, fields }) {
  const group = made('section', 'card__group');
  if (fields.length === 0) return group;
  group.append(made('h2', '', name));
  for (const field of fields) {
    const row = made('div', 'linked-form__field');
    row.dataset.id = field.id;
    row.append(made('span', '', field.name), fieldValue(field));
    group.append(row);
  }
  return group;
}

function fieldValue({ type, value }) {
  if (type !== 'url' || !/^https?:/.test(value)) return made('output', '', value || '…');
  const link = made('a', '', value);
  Object.assign(link, { href: value, target: '_blank', rel: 'noopener' });
  return link;
}

const SAYS = { move: 'moved the deal to ', task: 'Task: ', closed: 'Task, closed: ', note: '', message: '' };

export function feedEntry({ at, kind, text, by }) {
  const entry = made('li', `feed__entry feed__entry_${kind}`);
  const when = new Date(at * 1000).toLocaleString();
  entry.append(made('p', 'feed__by', `${when} · ${by}`), made('p', 'feed__text', SAYS[kind] + text));
  return entry;
}

function made(tag, className, text = '') {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}
