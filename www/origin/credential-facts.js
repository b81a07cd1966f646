/**
 * What a store of manifests says, and whether it holds, as a few plain facts. All of it was written by whoever made the
 * file: nothing has the form that it should have until it was looked at, and every text goes through `plain`.
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
 * @property {Date | null} signedAt As a service that signs times says.
 * @property {string[]} generators The programs that wrote the credentials.
 * @property {string} title
 * @property {Action[]} actions
 * @property {Ingredient[]} ingredients
 * @property {'whole' | 'part' | null} generated Whether they say that an AI model made the image, or a part of it.
 */

import { untrustedText } from '../ui/untrusted-text.js';

/** Of the specification's status codes (C2PA 2.2, 15.2.2), those that say what was changed. */
const CONTENT = /^assertion\.(dataHash|bmffHash|boxesHash|collectionHash)\.mismatch$/;
const CREDENTIALS = /^(claimSignature\.mismatch|assertion\.hashedURI\.mismatch|assertion\.missing|claim\.missing)$/;
/** No signer is known here, so this one says nothing. */
const UNKNOWN_SIGNER = 'signingCredential.untrusted';

const WHOLE = 'trainedAlgorithmicMedia';
const PART = 'compositeWithTrainedAlgorithmicMedia';

/** More of a kind are not looked at: a page of them tells nobody anything. */
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

/** The codes of what does not hold. @param {unknown} results */
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

/** The last part of the address that a digital source type is. @param {unknown} address */
function sourceOf(address) {
  return untrustedText(untrustedText(address, 1000).split('/').filter(Boolean).pop(), 80);
}

/** @param {Record<string, unknown>} manifest */
function generatorsOf({ claim_generator_info: info, claim_generator: old }) {
  const named = list(info).map(program).filter(Boolean);
  // Before there were names, programs were listed like this: Adobe_Photoshop/25.1 c2pa-rs/0.28.
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
 * @param {Record<string, unknown>[]} deltas What was found about it only now.
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
 * What the file was edited from is what it is; anything else that it was made from is a part of it.
 * @param {string} label Of a manifest.
 * @param {Record<string, unknown>} manifests
 * @param {Map<string, Facts['generated']>} [known] By label; files may lead in circles.
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
