// @ts-check
import { BUILD } from './build.js';
import { language } from './kommo/page.js';

/** Longer than the backend's own patience with Stripe and Kommo, so that its answer arrives. */
const PATIENCE = 30000;

/** The backend's API version; it is raised when a widget that was built before lacks something. */
const NEWEST = /^x-widget-api: *(\d+)/im;

/**
 * The backend refused (`status`, `code`, `message`, `field`, `limit`), or nothing that can be read came back (`status` 0 or 5xx):
 * then nobody knows whether the call was carried out (`unsure`).
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: string, field?: string, limit?: import('./types.d.ts').Amount}} [body]
   */
  constructor(status, body = {}) {
    super(body.message ?? '');
    this.status = status;
    this.code = body.code ?? (status === 0 ? 'unreachable' : '');
    this.field = body.field;
    this.limit = body.limit;
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
  const call = (method, path, body) => withTimeout(PATIENCE, request(widget, method, path, body, noteVersion));
  let newest = BUILD.api;
  const noteVersion = (/** @type {import('./types.d.ts').Xhr | undefined} */ xhr) => {
    newest = Math.max(newest, Number(NEWEST.exec(xhr?.getAllResponseHeaders() ?? '')?.[1] ?? 0));
  };
  return {
    outdated: () => newest > BUILD.api,
    /** @param {number} leadId @returns {Promise<import('./types.d.ts').Deal>} */
    deal: (leadId) => call('GET', `/widget/deals/${leadId}`).then(requireKeys('requests', 'payments')),
    /** @param {Record<string, unknown>} body @returns {Promise<import('./types.d.ts').PaymentRequest>} */
    create: (body) => call('POST', '/widget/requests', body).then(requireKeys('id', 'url')),
    /** @param {string} id */
    cancel: (id) => call('POST', `/widget/requests/${encodeURIComponent(id)}/cancel`),
    /** Where a rep sees what the client sees. @param {string} id @returns {Promise<{url: string}>} */
    preview: (id) => call('POST', `/widget/requests/${encodeURIComponent(id)}/preview`).then(requireKeys('url')),
    /** By which way the link would go. @param {string} id @returns {Promise<import('./types.d.ts').SendingPreview>} */
    sending: (id) => call('GET', `/widget/requests/${encodeURIComponent(id)}/sending`).then(requireKeys('channel')),
    /** @param {string} id @param {string} sendingId one for each question, so that a repeated press sends once */
    send: (id, sendingId) =>
      call('POST', `/widget/requests/${encodeURIComponent(id)}/send`, { sending_id: sendingId }).then(
        requireKeys('id'),
      ),
    /** @param {number} leadId */
    check: (leadId) => call('POST', `/widget/deals/${leadId}/check`),
    /** @param {string} id @param {Record<string, unknown>} body */
    refund: (id, body) => call('POST', `/widget/payments/${encodeURIComponent(id)}/refund`, body),
    /** @param {number} leadId @param {boolean} stopped @returns {Promise<import('./types.d.ts').Reminders>} */
    stopReminders: (leadId, stopped) => call('POST', `/widget/deals/${leadId}/reminders`, { stopped }),
    /**
     * @param {string} id of a request
     * @param {'skip' | 'send'} what
     * @param {string} step
     * @returns {Promise<import('./types.d.ts').Reminders>}
     */
    remind: (id, what, step) => call('POST', `/widget/requests/${encodeURIComponent(id)}/reminders/${what}`, { step }),
    /** A single-use address of the set-up pages. @returns {Promise<{url: string}>} */
    setup: () => call('POST', '/widget/setup'),
    /** @param {string} key @returns {Promise<{key: string, settings: import('./rule/settings.js').RuleSettings}>} */
    rule: (key) => call('POST', '/widget/rules/look', { key }).then(requireKeys('key', 'settings')),
    /** @param {Record<string, unknown>} body @returns {Promise<{key: string, settings: import('./rule/settings.js').RuleSettings}>} */
    makeRule: (body) => call('POST', '/widget/rules', body).then(requireKeys('key', 'settings')),
    /** @param {Record<string, unknown>} body @returns {Promise<{key: string, settings: import('./rule/settings.js').RuleSettings}>} */
    changeRule: (body) => call('POST', '/widget/rules/change', body).then(requireKeys('key', 'settings')),
    /** @returns {Promise<import('./rule/controls.js').Choices>} */
    ruleChoices: () => call('GET', '/widget/rules/choices').then(requireKeys('fields')),
  };
}

/**
 * @param {import('./types.d.ts').KommoWidget} widget
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {(xhr: import('./types.d.ts').Xhr | undefined) => void} onResponse
 * @returns {Promise<any>}
 */
function request(widget, method, path, body, onResponse) {
  const response = new Promise((resolve, reject) => {
    if (typeof widget.$authorizedAjax !== 'function') {
      reject(new ApiError(0, { code: 'no_token' }));
      return;
    }
    const sent = body === undefined ? {} : { data: JSON.stringify(body), contentType: 'application/json' };
    // In the address: Kommo does not promise to keep our headers. Amounts are written by the card, all in one way.
    const url = `${BUILD.backend}${path}?lang=${encodeURIComponent(language())}&amounts=marked`;
    // `then` alone, which both a jQuery deferred and a promise have.
    widget.$authorizedAjax({ url, method, dataType: 'text', timeout: PATIENCE, ...sent }).then(
      (text, _status, xhr) => {
        onResponse(xhr);
        resolve(text);
      },
      (xhr) => reject(refusal(xhr)),
    );
  });
  return response.then(parsed);
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
 * A proxy may answer 200 with a body that is not the backend's: then nothing is known.
 * @param {...string} names that every answer has
 * @returns {(answer: any) => any}
 */
function requireKeys(...names) {
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
function withTimeout(limit, promise) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new ApiError(0)), limit + 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
