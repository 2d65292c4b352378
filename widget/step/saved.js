// @ts-check

/** The exits of our bot steps, by step. */
const EXITS = {
  payment_link: ['ready', 'nothing_to_pay', 'failed'],
  is_it_paid: ['paid', 'under_way', 'open', 'overdue'],
};

/** @typedef {keyof typeof EXITS} StepName */

/**
 * Returns a step's exits, none for an unknown step.
 * @param {string} step
 * @returns {string[]}
 */
export function exitsOf(step) {
  return EXITS[/** @type {StepName} */ (step)] ?? [];
}

/**
 * Returns the JSON that Kommo saves for a step of ours: ask the backend, wait, and leave by the exit that it names; by
 * the last exit if it names none of them.
 * @param {string} step
 * @param {Record<string, string>} params values of the step's form
 * @param {string} backend the backend's address
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

/** Returns the handler that leaves by this exit if the backend named it. @param {string} name */
function leaveBy(name) {
  const told = { term1: '{{json.exit}}', term2: name, operation: '=' };
  const result = [{ handler: 'exits', params: { value: name } }];
  return { handler: 'conditions', params: { logic: 'and', conditions: [told], result } };
}
