// @ts-check

/**
 * Copies `text`; if the browser refuses the clipboard, selects it in `field` and uses the legacy command.
 * @param {string} text
 * @param {HTMLInputElement | HTMLTextAreaElement | null} [field]
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const source = field ?? borrowedField(text);
    source.select();
    const copied = document.execCommand('copy');
    if (!field) source.remove();
    return copied;
  }
}

/** Returns a hidden field with the text. @param {string} text */
function borrowedField(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('readonly', '');
  field.style.position = 'fixed';
  field.style.opacity = '0';
  document.body.append(field);
  return field;
}
