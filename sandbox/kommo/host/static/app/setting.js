/** What the server put into the page. */
export const setting = JSON.parse(document.getElementById('host-setting').textContent);

/** `path` with the user (and other choices) of the page's address. */
export function withUser(path) {
  const query = new URLSearchParams({ user: setting.user.id, account: setting.account.id, lang: setting.user.lang });
  return `${path}?${query}`;
}
