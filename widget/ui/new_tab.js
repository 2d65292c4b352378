// @ts-check

/**
 * Opens a tab and navigates it once the address is known. The tab is opened within the click, or the browser would
 * block it; it has no reference to the page that opened it.
 * @param {Promise<{url: string}>} address if it rejects, the tab is closed
 * @returns {Promise<boolean>} false if the browser blocked the tab
 */
export async function openTab(address) {
  const tab = window.open('', '_blank');
  try {
    const { url } = await address;
    if (!tab) return false;
    tab.opener = null;
    tab.location.replace(url);
    return true;
  } catch (error) {
    tab?.close();
    throw error;
  }
}
