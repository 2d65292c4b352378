// @ts-check

/**
 * Copies `text`; where the browser refuses the clipboard, selects it in `field` and tries the old way.
 * @param {string} text
 * @param {HTMLInputElement | HTMLTextAreaElement | null} [field]
 * @returns {Promise<boolean>} false: nothing was copied
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

/** @param {string} text */
function borrowedField(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('readonly', '');
  field.style.position = 'fixed';
  field.style.opacity = '0';
  document.body.append(field);
  return field;
}
