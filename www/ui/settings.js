/** The settings: which device is to compute. */

import { byId } from './dom.js';

const settings = byId('settings');

/** The device that was chosen. @returns {'auto' | 'webgpu' | 'cpu'} */
export function devicePreference() {
  return /** @type {any} */ (new FormData(settings.querySelector('form')).get('device'));
}

/** Chooses the CPU in a person's place. */
export function chooseCpu() {
  byId('device').querySelector('[value="cpu"]').checked = true;
}

/** Makes them close as a menu does. */
export function watchSettings() {
  settings.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape') return;
    settings.open = false;
    settings.querySelector('summary').focus();
  });
  document.addEventListener('pointerdown', ({ target }) => {
    if (!settings.contains(/** @type {Node} */ (target))) settings.open = false;
  });
}
