/** Types for the messages between the page and its workers about a check. This file holds no code. */

import type { PlainError } from '../common/errors.js';

export type DevicePreference = 'auto' | 'webgpu' | 'cpu';
export type DeviceReason = 'chosen' | 'adapter_found' | 'no_webgpu' | 'no_adapter' | 'software_adapter';

/** What a worker runs. */
export type ScriptAddress = string | URL | TrustedScriptURL;

/** By file name; files of the file system are read only when needed. */
export type ModelFiles = { [name: string]: Blob };
/**
 * `manifest` is an absolute address, and the other files stand beside it. `integrity`: what the manifest and the
 * calibration must be.
 */
export type HostedModel = { manifest: string; integrity?: { manifest?: string; calibration?: string } };
/** `shards`: the address of each. */
export type PackedModel = { manifestText: string; calibrationText: string; shards: Record<string, string> };
/** `name`: if the page's name for the model differs from the manifest's. */
export type ModelAddress = { id: string; name?: string } & (HostedModel | PackedModel | { files: ModelFiles });

/** Absolute addresses of the WebAssembly module and of what helpers run, where they are not beside the worker. */
export type Parts = { wasm?: string; helper?: string };

/**
 * A `deep` check searches for the grid that the image may have been painted on. `evidenceMap`: whether pictures are made
 * of where the evidence lies. `before`: what another worker found of the same image, with other models.
 */
export type CheckRequest = {
  image: ArrayBuffer;
  name: string;
  models: ModelAddress[];
  preference: DevicePreference;
  deep: boolean;
  evidenceMap?: boolean;
  parts?: Parts;
  before?: ModelResults;
};

/**
 * `report`: what the module's `check` gives. `distribution`: what its signal was compared with. `evidenceMap`: of images that
 * are not too large.
 */
export type ModelAnswer = { report: any; distribution: Distribution | null; evidenceMap: EvidenceMap | null };
/** A model that could not be asked, or could not answer. */
export type ModelFailure = { model: ModelAddress; error: PlainError };
export type ModelResults = { answers: ModelAnswer[]; failures: ModelFailure[] };
/**
 * What remains of a check if the worker stops. The first of `unasked` is being asked. `answer`: without the others; null
 * while no model has answered.
 */
export type PartialCheck = ModelResults & { unasked: ModelAddress[]; answer: CheckAnswer | null };

export interface CheckAnswer {
  /** At least one. */
  answers: ModelAnswer[];
  /** What the module's `rank` gives for their reports. */
  ranking: any;
  /** All that is needed to repeat the check, and what came of it: `report-2.schema.json`. */
  record: any;
  /** What the file says of its own origin. */
  claims: { meaning: string; field: string; text: string }[];
  /** The image as a PNG, if browsers do not show such files. */
  picture: Blob | null;
  failures: ModelFailure[];
  device: { kind: 'webgpu' | 'cpu'; adapter: string; reason: DeviceReason; threads: number };
  /** Without downloads. */
  seconds: number;
}

/** Densities over ln signal. */
export type Distribution = { signals: number[]; belonging: number[]; others: number[] };

export type LayerName = 'first' | 'second' | 'first_error' | 'second_error' | 'ratio' | 'control';
/** `values`: of maps. */
export type Layer = { png: Blob; values?: Float32Array };
/** Its ends, and the bar between them as a PNG. */
export type LayerScale = { bar: Blob; low: number; centre?: number; high: number };
/** Where in the image the evidence lies. */
export interface EvidenceMap {
  /** Pixels of a cell's side. */
  cell: number;
  /** Cells in a row. */
  columns: number;
  /** Of the part that was checked, in pixels of the file. */
  placement: [left: number, top: number, width: number, height: number];
  /**
   * The reconstructions, and maps with their values: errors in levels of 255, ratios of the two errors, NaN where nothing
   * can be said; and the orientation control's robust S, negative where it speaks for the model, which small images lack.
   */
  layers: Record<Exclude<LayerName, 'control'>, Layer> & { control?: Layer };
  scales: { error: LayerScale; ratio: LayerScale; control?: LayerScale };
}

/** Which of several models it is about. */
export type ModelProgress = { model: string; number: number; count: number };
