// @ts-check

/**
 * Opens a tab and leads it to an address that is still to come. The tab is opened within the click, or the browser would
 * block it; it knows nothing of the page that opened it.
 * @param {Promise<{url: string}>} address where it fails, the tab is closed
 * @returns {Promise<boolean>} false: the browser blocked the tab
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
