import { Deferred } from './deferred.js';

/** `$.ajax` over a real XMLHttpRequest, with what the pages and widgets use of jQuery's options. */
export function ajax(options) {
  const outcome = Deferred();
  const xhr = new XMLHttpRequest();
  const url = new URL(options.url, location.href);
  xhr.open((options.method ?? options.type ?? 'GET').toUpperCase(), url);
  for (const [name, value] of Object.entries(headersOf(options, url))) xhr.setRequestHeader(name, value);
  xhr.timeout = options.timeout ?? 0;
  xhr.onload = () => loaded(xhr, options, outcome);
  xhr.onerror = () => outcome.reject(seen(xhr), 'error', '');
  xhr.ontimeout = () => outcome.reject(seen(xhr), 'timeout', 'timeout');
  xhr.send(options.data ?? null);
  return Object.assign(outcome.promise(), { abort: () => xhr.abort() });
}

function headersOf(options, url) {
  const headers = { Accept: options.dataType === 'json' ? 'application/json, text/javascript, */*; q=0.01' : '*/*' };
  if (options.contentType || options.data) {
    headers['Content-Type'] = options.contentType ?? 'application/x-www-form-urlencoded; charset=UTF-8';
  }
  if (url.origin === location.origin) headers['X-Requested-With'] = 'XMLHttpRequest';
  return { ...headers, ...options.headers };
}

function loaded(xhr, options, outcome) {
  const fine = (xhr.status >= 200 && xhr.status < 300) || xhr.status === 304;
  if (!fine) {
    outcome.reject(seen(xhr), 'error', xhr.statusText);
    return;
  }
  try {
    outcome.resolve(readable(xhr, options.dataType), xhr.status === 204 ? 'nocontent' : 'success', seen(xhr));
  } catch (error) {
    if (error instanceof SyntaxError) outcome.reject(seen(xhr), 'parsererror', error);
    else throw error;
  }
}

function readable(xhr, dataType) {
  if (xhr.status === 204) return undefined;
  const json = dataType === 'json' || (!dataType && /json/.test(xhr.getResponseHeader('Content-Type') ?? ''));
  return json ? JSON.parse(xhr.responseText) : xhr.responseText;
}

function seen(xhr) {
  return {
    status: xhr.status,
    statusText: xhr.statusText,
    responseText: xhr.responseText,
    getResponseHeader: (name) => xhr.getResponseHeader(name),
    getAllResponseHeaders: () => xhr.getAllResponseHeaders(),
  };
}
