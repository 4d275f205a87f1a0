/**
 * The session is named in the address, so that the link is the invitation.
 * Whoever comes without one gets a new one, which nobody guesses.
 */
export function session(): string {
  const address = new URL(location.href);
  const named = address.searchParams.get('session');
  if (named !== null && /^[A-Za-z0-9_-]{1,64}$/.test(named)) {
    return named;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const made = Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
  address.searchParams.set('session', made);
  history.replaceState(null, '', address);
  return made;
}
