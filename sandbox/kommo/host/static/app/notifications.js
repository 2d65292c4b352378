/** Kommo's notes in the corner; shown for this user only. */
function show(kind, { header = '', text = '' }) {
  const box = document.createElement('div');
  box.className = `notification notification_${kind}`;
  box.setAttribute('role', 'status');
  const [title, words] = [document.createElement('b'), document.createElement('p')];
  title.textContent = header;
  words.textContent = text;
  box.append(title, words);
  document.body.append(box);
  setTimeout(() => box.remove(), 6000);
}

export const notifications = {
  show_message: (note) => show('message', note),
  show_message_error: (note) => show('error', note),
  show_notification: ({ text, type }) => show(type, text),
};
