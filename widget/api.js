// @ts-check
import { BUILD } from './build.js';
import { language } from './kommo/page.js';

/** Longer than the backend's own patience with Stripe and Kommo, so that its answer is heard. */
const PATIENCE = 30000;

/** The number of what the backend can do; it is raised when a widget that was built before lacks something. */
const NEWEST = /^x-widget-api: *(\d+)/im;

/**
 * The backend said no (`status`, `code`, `message`, `field`, `limit`), or nothing that can be read came back (`status` 0 or 5xx):
 * then nobody knows whether the call was carried out (`unsure`).
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: string, field?: string, limit?: import('./types.d.ts').Amount}} [said]
   */
  constructor(status, said = {}) {
    super(said.message ?? '');
    this.status = status;
    this.code = said.code ?? (status === 0 ? 'unreachable' : '');
    this.field = said.field;
    this.limit = said.limit;
    this.unsure = this.code !== 'no_token' && (status === 0 || status >= 500);
  }
}

/**
 * Our backend's routes. Each call gives a native promise: Kommo's jQuery deferreds run their listeners synchronously
 * and let exceptions through.
 * @param {import('./types.d.ts').KommoWidget} widget
 */
export function backend(widget) {
  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  const call = (method, path, body) => within(PATIENCE, ask(widget, method, path, body, heard));
  let newest = BUILD.api;
  const heard = (/** @type {import('./types.d.ts').Xhr | undefined} */ xhr) => {
    newest = Math.max(newest, Number(NEWEST.exec(xhr?.getAllResponseHeaders() ?? '')?.[1] ?? 0));
  };
  return {
    outdated: () => newest > BUILD.api,
    /** @param {number} leadId @returns {Promise<import('./types.d.ts').Deal>} */
    deal: (leadId) => call('GET', `/widget/deals/${leadId}`).then(having('requests', 'payments')),
    /** @param {Record<string, unknown>} body @returns {Promise<import('./types.d.ts').PaymentRequest>} */
    create: (body) => call('POST', '/widget/requests', body).then(having('id', 'url')),
    /** @param {string} id */
    cancel: (id) => call('POST', `/widget/requests/${encodeURIComponent(id)}/cancel`),
    /** @param {number} leadId */
    check: (leadId) => call('POST', `/widget/deals/${leadId}/check`),
    /** @param {string} id @param {Record<string, unknown>} body */
    refund: (id, body) => call('POST', `/widget/payments/${encodeURIComponent(id)}/refund`, body),
    /** A single-use address of the set-up pages. @returns {Promise<{url: string}>} */
    setup: () => call('POST', '/widget/setup'),
  };
}

/**
 * @param {import('./types.d.ts').KommoWidget} widget
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {(xhr: import('./types.d.ts').Xhr | undefined) => void} heard
 * @returns {Promise<any>}
 */
function ask(widget, method, path, body, heard) {
  const answer = new Promise((resolve, reject) => {
    if (typeof widget.$authorizedAjax !== 'function') {
      reject(new ApiError(0, { code: 'no_token' }));
      return;
    }
    const sent = body === undefined ? {} : { data: JSON.stringify(body), contentType: 'application/json' };
    // In the address: nobody says that Kommo keeps a header of ours beside its own.
    const url = `${BUILD.backend}${path}?lang=${encodeURIComponent(language())}`;
    // `then` alone, which both a jQuery deferred and a promise have.
    widget.$authorizedAjax({ url, method, dataType: 'text', timeout: PATIENCE, ...sent }).then(
      (text, _status, xhr) => {
        heard(xhr);
        resolve(text);
      },
      (xhr) => reject(refusal(xhr)),
    );
  });
  return answer.then(parsed);
}

/** @param {string} text */
function parsed(text) {
  if (!text) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(0);
  }
}

/**
 * Something between us may answer 200 with what the backend never said: then nothing is known.
 * @param {...string} names without which an answer is none
 * @returns {(answer: any) => any}
 */
function having(...names) {
  return (answer) => {
    if (!names.every((name) => answer?.[name])) throw new ApiError(0);
    return answer;
  };
}

/** @param {{status: number, responseText?: string}} xhr */
function refusal(xhr) {
  try {
    return new ApiError(xhr.status, JSON.parse(xhr.responseText ?? '').error ?? {});
  } catch {
    return new ApiError(xhr.status);
  }
}

/**
 * @param {number} limit milliseconds
 * @param {Promise<any>} promise
 * @returns {Promise<any>}
 */
function within(limit, promise) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new ApiError(0)), limit + 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
