// @ts-check

/** The exits of our steps, by the step. */
const EXITS = {
  payment_link: ['ready', 'nothing_to_pay', 'failed'],
  is_it_paid: ['paid', 'under_way', 'open', 'overdue'],
};

/** @typedef {keyof typeof EXITS} StepName */

/** @param {string} step @returns {string[]} */
export function exitsOf(step) {
  return EXITS[/** @type {StepName} */ (step)] ?? [];
}

/**
 * What the bot keeps of a step of ours, as Kommo's JSON: ask the backend and wait, then leave by the exit that it told.
 * The last exit is also taken where the backend told none of them.
 * @param {string} step
 * @param {Record<string, string>} params what the step's form holds
 * @param {string} backend its address
 */
export function savedStep(step, params, backend) {
  const exits = exitsOf(step);
  const otherwise = step === 'payment_link' ? 'failed' : 'open';
  const ask = {
    handler: 'widget_request',
    params: { url: `${backend}/kommo/steps/${step}`, data: { ...params, lead: '{{lead.id}}' } },
  };
  const look = { handler: 'goto', params: { type: 'question', step: 1 } };
  return JSON.stringify([
    { question: [ask, look] },
    { question: [...exits.map(leaveBy), { handler: 'exits', params: { value: otherwise } }] },
  ]);
}

/** @param {string} name */
function leaveBy(name) {
  const told = { term1: '{{json.exit}}', term2: name, operation: '=' };
  const result = [{ handler: 'exits', params: { value: name } }];
  return { handler: 'conditions', params: { logic: 'and', conditions: [told], result } };
}
