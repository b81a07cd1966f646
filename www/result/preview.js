/** The picture that is checked, shown from memory. The check itself never reads these pixels. */

import { byId } from '../ui/dom.js';
import { samples as words } from '../texts/catalogue.js';

let address = '';

/** @param {import('../intake/arrivals.js').Intake} intake */
export function showPreview({ file, name, sample }) {
  hidePreview();
  address = URL.createObjectURL(file);
  const image = byId('preview');
  const shown = (/** @type {boolean} */ visible) => {
    image.hidden = !visible;
    byId('no-preview').hidden = visible;
  };
  image.onload = () => shown(true);
  image.onerror = () => shown(false);
  image.src = address;
  image.alt = name;
  byId('picture').hidden = false;
  const caption = byId('caption');
  caption.hidden = false;
  caption.textContent = sample
    ? `${name}. ${sample.decoded ? words.decodedCaption : words.photographCaption}`
    : name;
}

export function hidePreview() {
  URL.revokeObjectURL(address);
  byId('preview').removeAttribute('src');
  byId('picture').hidden = true;
  byId('caption').hidden = true;
}
