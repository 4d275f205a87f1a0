/** What the page asks the server, and what it is answered. */

const KEPT = 'aper-inspector-token';

/** Why there is no answer: a sentence, and what kind of why. */
export class Unanswered extends Error {
  /**
   * @param {number} status of HTTP; 0 when the server did not answer at all
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEPT),
  set: (text) => sessionStorage.setItem(KEPT, text),
  forget: () => sessionStorage.removeItem(KEPT),
};

/** What is answered to a GET, as it comes. */
export async function get(path, signal) {
  let response;
  try {
    response = await fetch(`api/${path}`, {
      headers: { Authorization: `Bearer ${token.get() ?? ''}` },
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new Unanswered(0, 'The server does not answer. It is asked again and again.');
  }
  if (!response.ok) {
    throw new Unanswered(response.status, await sentence(response));
  }
  return response;
}

export async function json(path, signal) {
  const text = await (await get(path, signal)).text();
  return JSON.parse(text, wholeNumber);
}

/** Numbers that would lose digits stay whole, where the browser can tell. */
function wholeNumber(_key, value, context) {
  const loses = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return loses && /^-?\d+$/.test(context?.source ?? '') ? BigInt(context.source) : value;
}

async function sentence(response) {
  try {
    const { error } = await response.json();
    return `${error[0].toUpperCase()}${error.slice(1)}.`;
  } catch {
    return `The server answers with status ${response.status}.`;
  }
}

/** The address of a session's answers. */
export function sessionPath({ machine, session }) {
  return `sessions/${encodeURIComponent(machine)}/${encodeURIComponent(session)}`;
}
