/**
 * Reduces a manifest store and its validation to a few plain facts. Whoever made the file wrote all of it: every value
 * may have a wrong type until it was checked, and every text goes through `untrustedText`.
 *
 * @typedef {'intact' | 'changed' | 'altered' | 'history' | 'faulty'} State `changed` is the file, `altered` are the
 *   credentials, in `history` something about what the file was made from does not hold.
 * @typedef {{name: string, description: string, source: string, agent: string, when: Date | null}} Action `name` as in
 *   the specification, `source` as IPTC calls it.
 * @typedef {{title: string, relation: string, state: 'intact' | 'faulty' | 'none', signer: string[],
 *   sources: string[]}} Ingredient
 * @typedef {object} Facts
 * @property {State} state
 * @property {string[]} signer What its certificate calls the signer: organisation, name.
 * @property {Date | null} signedAt As a time-stamping service says.
 * @property {string[]} generators The programs that wrote the credentials.
 * @property {string} title
 * @property {Action[]} actions
 * @property {Ingredient[]} ingredients
 * @property {'whole' | 'part' | null} generated Whether they say that an AI model made the image, or a part of it.
 */

import { untrustedText } from '../ui/untrusted-text.js';

/** The status codes of the specification (C2PA 2.2, 15.2.2) that say what was changed. */
const CONTENT = /^assertion\.(dataHash|bmffHash|boxesHash|collectionHash)\.mismatch$/;
const CREDENTIALS = /^(claimSignature\.mismatch|assertion\.hashedURI\.mismatch|assertion\.missing|claim\.missing)$/;
/** No signer is trusted here, so this code carries no information. */
const UNKNOWN_SIGNER = 'signingCredential.untrusted';

const WHOLE = 'trainedAlgorithmicMedia';
const PART = 'compositeWithTrainedAlgorithmicMedia';

/** The most items of a kind that are read: longer lists help nobody. */
const MOST = 200;

/** @param {unknown} store A manifest store, parsed. @returns {Facts} */
export function factsOf(store) {
  const { active_manifest: label, manifests, validation_results: results, validation_state: verdict } = record(store);
  const active = record(record(manifests)[String(label)]);
  const { issuer, common_name: name, time } = record(active.signature_info);
  const signer = [...new Set([untrustedText(issuer), untrustedText(name)])].filter(Boolean);
  const deltas = list(record(results).ingredientDeltas).map(record);
  const actions = actionsOf(active);
  return {
    state: stateOf(codes(record(results).activeManifest), verdict),
    signer,
    signedAt: date(time),
    generators: generatorsOf(active),
    title: untrustedText(active.title),
    actions,
    ingredients: list(active.ingredients).map((found) => ingredientOf(record(found), record(manifests), deltas)),
    generated: generatedBy(String(label), record(manifests)),
  };
}

/** @param {string[]} failures @param {unknown} verdict The library's own. @returns {State} */
function stateOf(failures, verdict) {
  const of = (/** @type {RegExp} */ kind) => failures.some((code) => kind.test(code));
  if (of(CREDENTIALS)) return 'altered';
  if (of(CONTENT)) return 'changed';
  if (failures.length > 0) return 'faulty';
  return verdict === 'Valid' || verdict === 'Trusted' ? 'intact' : 'history';
}

/** The codes of failed validations. @param {unknown} results */
function codes(results) {
  const failures = list(record(results).failure).map((failure) => untrustedText(record(failure).code));
  return failures.filter((code) => code !== UNKNOWN_SIGNER);
}

/** @param {Record<string, unknown>} manifest @returns {Action[]} */
function actionsOf(manifest) {
  const assertions = list(manifest.assertions).map(record);
  const labelled = assertions.filter(({ label }) => /^c2pa\.actions(\.v\d+)?(__\d+)?$/.test(untrustedText(label)));
  const actions = labelled.flatMap(({ data }) => {
    const { actions, softwareAgents } = record(data);
    const agents = list(softwareAgents);
    return list(actions).map((action) => ({ ...record(action), agents }));
  });
  return actions.slice(0, MOST).map((/** @type {Record<string, any>} */ action) => ({
    name: untrustedText(action.action, 80),
    description: untrustedText(action.description),
    source: sourceOf(action.digitalSourceType),
    agent: program(action.softwareAgent ?? action.agents[action.softwareAgentIndex]),
    when: date(action.when),
  }));
}

/** The last part of the URL that names a digital source type. @param {unknown} address */
function sourceOf(address) {
  return untrustedText(untrustedText(address, 1000).split('/').filter(Boolean).pop(), 80);
}

/** @param {Record<string, unknown>} manifest */
function generatorsOf({ claim_generator_info: info, claim_generator: old }) {
  const named = list(info).map(program).filter(Boolean);
  // Older versions of the specification list programs like this: Adobe_Photoshop/25.1 c2pa-rs/0.28.
  const listed = untrustedText(old, 1000).split(' ')[0].replaceAll('_', ' ').replace('/', ' ');
  return (named.length > 0 ? named : [untrustedText(listed)].filter(Boolean)).slice(0, 5);
}

/** A program by name and version; older files have one text. @param {unknown} agent */
function program(agent) {
  const { name, version } = record(agent);
  return untrustedText(agent) || [untrustedText(name), untrustedText(version, 40)].filter(Boolean).join(' ');
}

/**
 * @param {Record<string, unknown>} ingredient @param {Record<string, unknown>} manifests
 * @param {Record<string, unknown>[]} deltas Findings about it that are new.
 * @returns {Ingredient}
 */
function ingredientOf(ingredient, manifests, deltas) {
  const { title, relationship, label, active_manifest: own } = ingredient;
  const { validation_results: then, validation_status: older } = ingredient;
  const manifest = record(manifests[String(own)]);
  const now = deltas.filter(({ ingredientAssertionURI: address }) => String(address).endsWith(`/${label}`));
  const failures = [
    ...codes(record(then).activeManifest),
    ...codes({ failure: older }),
    ...now.flatMap(({ validationDeltas }) => codes(validationDeltas)),
  ];
  const { issuer, common_name: name } = record(manifest.signature_info);
  return {
    title: untrustedText(title),
    relation: untrustedText(relationship, 40),
    state: failures.length > 0 ? 'faulty' : own ? 'intact' : 'none',
    signer: [...new Set([untrustedText(issuer), untrustedText(name)])].filter(Boolean),
    sources: [...sourcesOf(manifest)],
  };
}

/** @param {Record<string, unknown>} manifest */
function sourcesOf(manifest) {
  return new Set(actionsOf(manifest).map(({ source }) => source).filter(Boolean));
}

/**
 * A file counts as generated if its parent does; any other generated ingredient makes it generated in part.
 * @param {string} label Of a manifest.
 * @param {Record<string, unknown>} manifests
 * @param {Map<string, Facts['generated']>} [known] By label; manifests may refer to each other in circles.
 * @returns {Facts['generated']}
 */
function generatedBy(label, manifests, known = new Map()) {
  const before = known.get(label);
  if (before !== undefined) return before;
  known.set(label, null);
  const manifest = record(manifests[label]);
  const sources = sourcesOf(manifest);
  /** @type {Facts['generated']} */
  let found = sources.has(WHOLE) ? 'whole' : sources.has(PART) ? 'part' : null;
  for (const ingredient of list(manifest.ingredients).map(record)) {
    if (found === 'whole' || known.size > MOST) break;
    const { relationship, active_manifest: own } = ingredient;
    const inside = relationship === 'inputTo' ? null : generatedBy(String(own), manifests, known);
    if (inside) found = relationship === 'parentOf' ? inside : 'part';
  }
  known.set(label, found);
  return found;
}

/** @param {unknown} value @returns {Record<string, unknown>} */
function record(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? /** @type {any} */ (value) : {};
}

/** @param {unknown} value @returns {unknown[]} */
function list(value) {
  return Array.isArray(value) ? value.slice(0, MOST) : [];
}

/** @param {unknown} value */
function date(value) {
  const found = new Date(untrustedText(value, 40) || NaN);
  return Number.isNaN(found.getTime()) ? null : found;
}
