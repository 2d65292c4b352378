import { complain } from './strict.js';

const TAG = /\{\{\s*([\w.]+)\s*(\|\s*e(?:scape)?)?\s*\}\}|\{%\s*(if|else|endif)\s*([\w.]*)\s*%\}/g;

/** The little of Twig that templates here need: `{{ a.b }}` (not escaped, as in Kommo), `|e`, `if`, `else`, `endif`. */
export function twig(template, params = {}) {
  const shown = [true];
  let text = '';
  let end = 0;
  for (const tag of template.matchAll(TAG)) {
    if (shown.at(-1)) text += template.slice(end, tag.index);
    end = tag.index + tag[0].length;
    if (tag[3] === 'if') shown.push(shown.at(-1) && Boolean(value(params, tag[4])));
    else if (tag[3] === 'else') shown.push(!shown.pop() && shown.at(-1));
    else if (tag[3] === 'endif') shown.pop();
    else if (shown.at(-1)) text += tag[2] ? escaped(value(params, tag[1])) : (value(params, tag[1]) ?? '');
  }
  text += template.slice(end);
  if (/\{%/.test(text)) throw complain(`this Twig is not played here: ${text}`);
  return text;
}

function value(params, path) {
  return path.split('.').reduce((found, name) => found?.[name], params);
}

export function escaped(text) {
  const node = document.createElement('span');
  node.textContent = text ?? '';
  return node.innerHTML.replaceAll('"', '&quot;');
}

/** Built-in controls by `ref`. */
export const CONTROLS = {
  '/tmpl/controls/button.twig':
    '<button type="button" id="{{ id|e }}" name="{{ name|e }}" class="button-input {{ class_name|e }}{% if blue %} button-input_blue{% endif %}"><span class="button-input-inner"><span class="button-input-inner__text">{{ text|e }}</span></span></button>',
  '/tmpl/controls/input.twig':
    '<input id="{{ id|e }}" name="{{ name|e }}" class="text-input {{ class_name|e }}" value="{{ value|e }}" placeholder="{{ placeholder|e }}">',
};
