/**
 * The queue of a visit's images: it checks one at a time. A result stays in memory until its image is removed. This
 * module has no user interface.
 *
 * @typedef {import('../intake/types.js').Source} Source
 * @typedef {import('./types.js').Entry} Entry
 */

import { AedrError, toPlain } from '../common/errors.js';
import { requestCheck } from '../engine/check-request.js';
import { readBytes } from '../intake/arrivals.js';
import { conversionOf } from '../intake/conversion.js';
import { modelAddress, modelEntries } from '../models/model-list.js';

/** @typedef {import('../engine/check-request.js').Ask} Ask */

/** The most bytes that the evidence-map pictures of all images together may keep. */
const KEPT_BYTES = 256 * 2 ** 20;

export class CheckQueue {
  /** In the order they came. @type {Entry[]} */
  entries = [];
  #ask;
  #preference;
  #onChange;
  /** The check that is running. @type {{entry: Entry, controller: AbortController} | null} */
  #current = null;
  /** The entry to check before the others that wait. @type {Entry | null} */
  #next = null;
  #working = false;

  /**
   * @param {{ask: Ask, preference: () => import('../engine/types.js').DevicePreference,
   *   onChange: (entry: Entry) => void}} options `ask` asks the worker,
   *   `preference` is the device that was chosen. `onChange` is called when an entry has changed.
   */
  constructor({ ask, preference, onChange }) {
    this.#ask = ask;
    this.#preference = preference;
    this.#onChange = onChange;
  }

  /** @param {Source[]} sources @returns {Entry[]} Those that were added; they wait. */
  add(sources) {
    const added = sources.map((source) => {
      const { name, intake } = source;
      /** @type {Entry['state']} */
      const state = 'waiting';
      return { source, name, intake, state, deep: false, progress: null, found: null, error: null };
    });
    this.entries.push(...added);
    this.#work();
    return added;
  }

  /** Checks this entry before the others that wait. @param {Entry} entry */
  prefer(entry) {
    if (entry.state === 'waiting') this.#next = entry;
  }

  /** Checks these entries again. @param {Entry[]} entries @param {{deep?: boolean}} [options] */
  again(entries, { deep = false } = {}) {
    for (const entry of entries) {
      if (entry.state === 'checking' || entry.state === 'waiting') continue;
      this.#set(entry, { state: 'waiting', error: null, deep });
    }
    this.#work();
  }

  /** Cancels these entries, whether they are being checked or wait. @param {Entry[]} entries */
  cancel(entries) {
    for (const entry of entries) {
      if (entry.state === 'waiting') this.#end(entry, new AedrError('cancelled', 'cancelled'));
    }
    const current = this.#current;
    if (current && entries.includes(current.entry)) current.controller.abort();
  }

  /** Removes these entries and their results. @param {Entry[]} entries */
  remove(entries) {
    const gone = new Set(entries);
    this.entries = this.entries.filter((entry) => !gone.has(entry));
    if (this.#current && gone.has(this.#current.entry)) this.#current.controller.abort();
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    // Entries that are added together must all be in the queue before the first check begins.
    await null;
    for (let entry = this.#take(); entry; entry = this.#take()) await this.#check(entry);
    this.#working = false;
  }

  #take() {
    const waiting = this.entries.filter(({ state }) => state === 'waiting');
    const preferred = waiting.find((entry) => entry === this.#next);
    this.#next = null;
    return preferred ?? waiting[0];
  }

  /** @param {Entry} entry */
  async #check(entry) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#current = { entry, controller };
    const onProgress = (/** @type {any} */ progress) => signal.aborted || this.#set(entry, { progress });
    this.#set(entry, { state: 'checking', progress: { stage: 'start' } });
    try {
      const intake = entry.intake ?? (await entry.source.take({ signal, onProgress }));
      this.#set(entry, { intake });
      const models = await modelEntries();
      const { deep } = entry;
      const prepare = async () => {
        onProgress({ stage: 'start' });
        const image = await readBytes(intake);
        intake.converted = conversionOf(intake, image);
        const preference = this.#preference();
        return { image, name: intake.name, models: models.map(modelAddress), preference, deep, evidenceMap: true };
      };
      const onWait = () => onProgress({ stage: 'waiting' });
      const answer = await requestCheck(this.#ask, prepare, { signal, onProgress, onWait });
      this.#set(entry, { state: 'done', found: { answer: named(answer, models), models, deep }, progress: null });
      this.#spare(entry);
    } catch (thrown) {
      this.#end(entry, thrown);
    }
    this.#current = null;
  }

  /** @param {Entry} entry @param {unknown} thrown */
  #end(entry, thrown) {
    const error = toPlain(thrown);
    const cancelled = error.code === 'cancelled';
    const { found } = entry;
    // After a repeated check the earlier result stays, whatever the new check comes to.
    if (found) this.#set(entry, { state: 'done', deep: found.deep, error: cancelled ? null : error, progress: null });
    else this.#set(entry, { state: cancelled ? 'cancelled' : 'failed', error, progress: null });
  }

  /** Drops evidence-map pictures, those of the earliest images first. @param {Entry} newest Keeps its own. */
  #spare(newest) {
    let kept = 0;
    const others = this.entries.filter((entry) => entry !== newest).reverse();
    for (const { found } of [newest, ...others]) {
      for (const one of found?.answer.answers ?? []) {
        kept += Object.values(one.evidenceMap?.layers ?? {}).reduce((sum, { png }) => sum + png.size, 0);
        if (kept > KEPT_BYTES && found !== newest.found) one.evidenceMap = null;
      }
    }
  }

  /** @param {Entry} entry @param {Partial<Entry>} changes */
  #set(entry, changes) {
    Object.assign(entry, changes);
    this.#onChange(entry);
  }
}

/**
 * The page's own model gets its name in the page's language; the record keeps the name from its manifest.
 * @template {import('../engine/types.js').CheckAnswer} Answer
 * @param {Answer} answer @param {import('../models/types.js').ModelEntry[]} models @returns {Answer}
 */
function named(answer, models) {
  const ours = models.find(({ demonstration }) => demonstration);
  for (const { report } of answer.answers) if (report.model.id === ours?.id) report.model.name = ours.name;
  return answer;
}
