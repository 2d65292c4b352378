// @ts-check
import { BUILD } from './build.js';
import { language } from './kommo/page.js';

/** Milliseconds; longer than the backend waits for Stripe and Kommo, so that its answer arrives. */
const PATIENCE = 30000;

/** The backend's API version; it rises when an older widget lacks a feature. */
const NEWEST = /^x-widget-api: *(\d+)/im;

/**
 * A failed call: the backend's refusal (`status`, `code`, `message`, `field`, `limit`), or no readable answer
 * (`status` 0 or 5xx). In the second case it is unknown whether the call was carried out (`unsure`).
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
 * Returns the backend's routes as functions. Each returns a native promise and rejects with `ApiError`: Kommo's jQuery
 * deferreds run their listeners synchronously and let exceptions escape.
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
    /** Whether the backend is newer than this widget. */
    outdated: () => newest > BUILD.api,
    /**
     * Returns the deal's payments and requests.
     * @param {number} leadId
     * @returns {Promise<import('./types.d.ts').Deal>}
     */
    deal: (leadId) => call('GET', `/widget/deals/${leadId}`).then(requireKeys('requests', 'payments')),
    /**
     * Creates a payment request.
     * @param {Record<string, unknown>} body
     * @returns {Promise<import('./types.d.ts').PaymentRequest>}
     */
    create: (body) => call('POST', '/widget/requests', body).then(requireKeys('id', 'url')),
    /** Cancels a payment request. @param {string} id */
    cancel: (id) => call('POST', `/widget/requests/${encodeURIComponent(id)}/cancel`),
    /**
     * Returns the address at which a rep sees the payer's page.
     * @param {string} id
     * @returns {Promise<{url: string}>}
     */
    preview: (id) => call('POST', `/widget/requests/${encodeURIComponent(id)}/preview`).then(requireKeys('url')),
    /**
     * Returns the channel by which the link would be sent now.
     * @param {string} id
     * @returns {Promise<import('./types.d.ts').SendingPreview>}
     */
    sending: (id) => call('GET', `/widget/requests/${encodeURIComponent(id)}/sending`).then(requireKeys('channel')),
    /**
     * Sends the link to the client.
     * @param {string} id
     * @param {string} sendingId one per question, so that a repeated press sends once
     */
    send: (id, sendingId) =>
      call('POST', `/widget/requests/${encodeURIComponent(id)}/send`, { sending_id: sendingId }).then(
        requireKeys('id'),
      ),
    /** Asks Stripe about the deal's open sessions. @param {number} leadId */
    check: (leadId) => call('POST', `/widget/deals/${leadId}/check`),
    /**
     * Refunds a payment.
     * @param {string} id
     * @param {Record<string, unknown>} body
     */
    refund: (id, body) => call('POST', `/widget/payments/${encodeURIComponent(id)}/refund`, body),
    /**
     * Stops or resumes the deal's reminders.
     * @param {number} leadId
     * @param {boolean} stopped
     * @returns {Promise<import('./types.d.ts').Reminders>}
     */
    stopReminders: (leadId, stopped) => call('POST', `/widget/deals/${leadId}/reminders`, { stopped }),
    /**
     * Skips or sends the next reminder of a request.
     * @param {string} id of a request
     * @param {'skip' | 'send'} what
     * @param {string} step
     * @returns {Promise<import('./types.d.ts').Reminders>}
     */
    remind: (id, what, step) => call('POST', `/widget/requests/${encodeURIComponent(id)}/reminders/${what}`, { step }),
    /** Returns a single-use address of the set-up pages. @returns {Promise<{url: string}>} */
    setup: () => call('POST', '/widget/setup'),
    /**
     * Returns the rule with this key.
     * @param {string} key
     * @returns {Promise<{key: string, settings: import('./rule/settings.js').RuleSettings}>}
     */
    rule: (key) => call('POST', '/widget/rules/look', { key }).then(requireKeys('key', 'settings')),
    /**
     * Creates a rule.
     * @param {Record<string, unknown>} body
     * @returns {Promise<{key: string, settings: import('./rule/settings.js').RuleSettings}>}
     */
    makeRule: (body) => call('POST', '/widget/rules', body).then(requireKeys('key', 'settings')),
    /**
     * Changes a rule that this form created.
     * @param {Record<string, unknown>} body
     * @returns {Promise<{key: string, settings: import('./rule/settings.js').RuleSettings}>}
     */
    changeRule: (body) => call('POST', '/widget/rules/change', body).then(requireKeys('key', 'settings')),
    /** Returns the choices of the rule's form. @returns {Promise<import('./rule/controls.js').Choices>} */
    ruleChoices: () => call('GET', '/widget/rules/choices').then(requireKeys('fields')),
    /**
     * Returns how long a bot may wait for a payment; 0 hours while the account's bots may not wait.
     * @returns {Promise<{most_hours: number}>}
     */
    botWaits: () => call('GET', '/widget/rules/waits').then(requireKeys('most_hours')),
    /**
     * Returns what would be asked of each deal.
     * @param {number[]} leads
     * @returns {Promise<{rows: import('./bulk/controller.js').BulkRow[]}>}
     */
    listPreview: (leads) => call('POST', '/widget/lists/preview', { lead_ids: leads }).then(requireKeys('rows')),
    /**
     * Begins a run over several deals.
     * @param {Record<string, unknown>} body
     * @returns {Promise<import('./bulk/controller.js').BulkProgress>}
     */
    beginRun: (body) => call('POST', '/widget/lists', body).then(requireNumbers('total', 'left')),
    /**
     * Returns how far a run has come.
     * @param {string} id
     * @returns {Promise<import('./bulk/controller.js').BulkProgress>}
     */
    runProgress: (id) => call('GET', `/widget/lists/${encodeURIComponent(id)}`).then(requireNumbers('total', 'left')),
  };
}

/**
 * Sends a request with the user's one-time token from Kommo.
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
    // In the URL, since Kommo may drop our headers. `marked`: the card formats all amounts in one way.
    const url = `${BUILD.backend}${path}?lang=${encodeURIComponent(language())}&amounts=marked`;
    // Only `then`: a jQuery deferred and a promise both have it.
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

/** Returns the parsed body; throws `ApiError` if it is not JSON. @param {string} text */
function parsed(text) {
  if (!text) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(0);
  }
}

/**
 * Returns a check that an answer has the named keys. A proxy may answer 200 with a body of its own; then nothing is
 * known.
 * @param {...string} names that every answer has
 * @returns {(answer: any) => any}
 */
function requireKeys(...names) {
  return (answer) => {
    if (!names.every((name) => answer?.[name])) throw new ApiError(0);
    return answer;
  };
}

/**
 * Returns the answer if it has these names with whole numbers, zero among them; else throws an `ApiError`.
 * @param {...string} names
 * @returns {(answer: any) => any}
 */
function requireNumbers(...names) {
  return (answer) => {
    if (!names.every((name) => Number.isInteger(answer?.[name]))) throw new ApiError(0);
    return answer;
  };
}

/** Returns the `ApiError` of a failed request. @param {{status: number, responseText?: string}} xhr */
function refusal(xhr) {
  try {
    return new ApiError(xhr.status, JSON.parse(xhr.responseText ?? '').error ?? {});
  } catch {
    return new ApiError(xhr.status);
  }
}

/**
 * Returns `promise`, rejected with `ApiError` a second after the limit.
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
