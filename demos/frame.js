/** A site that has images checked in a frame of another site. */

import { connectFrame } from './aedr/frame.js';

const byId = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const [iframe, told] = [byId('check'), byId('told')];

const OUTCOMES = {
  matches: 'consistent with the demonstration model',
  does_not_match: 'not consistent with the demonstration model, which says nothing of other generators',
  cannot_tell: 'cannot tell',
};

const { origin } = await (await fetch('page.json')).json();
iframe.src = `${origin}/embed.html`;

try {
  const frame = await connectFrame(iframe, { origin });
  frame.addEventListener('resize', ({ detail }) => (iframe.style.height = `${detail.height}px`));
  frame.addEventListener('busy', ({ detail }) => {
    tell(detail.busy ? 'a check of the reader’s runs' : 'the reader’s check has ended');
  });
  for (const button of document.querySelectorAll('button'))
    button.addEventListener('click', () => check(frame, button));
} catch (error) {
  tell(`${error.message}. ${error.advice}`);
}

/** @param {import('../www/embed/public/connect.js').Frame} frame @param {HTMLButtonElement} button */
async function check(frame, { dataset: { image = '' } }) {
  try {
    tell(`${image}: checking`);
    const bytes = await (await fetch(`samples/${image}`)).blob();
    const record = await frame.check(bytes, { name: image });
    tell(`${image}: ${OUTCOMES[record.ranking.outcome]}`, record);
  } catch (error) {
    tell(`${image}: ${error.message}`);
  }
}

/** @param {string} text @param {unknown} [record] */
function tell(text, record) {
  told.value = text;
  byId('report').hidden = !record;
  byId('record').textContent = record ? JSON.stringify(record, null, 2) : '';
}
