/**
 * aedr in other programs: checks images in the reader's browser.
 */

import type { CheckReport, Claim, ModuleError, Outcome, Ranking, Record as CheckRecord } from './report.js';

export type * from './report.js';
export type { CheckRecord };

/** A checker with a worker of its own, which starts with the first check. Starts nothing itself. */
export function createChecker(options?: CheckerOptions): Checker;

export interface CheckerOptions {
  /** The address of `worker.js`, on the page's own site. Without it: beside the package's other files. */
  workerSrc?: ScriptAddress;
  /** The address of `helper.js`, on the page's own site: the script that computes on further threads. */
  helperSrc?: ScriptAddress;
  /** The address of `aedr.wasm`. It may be on another site that lets this one read it (CORS). */
  wasmSrc?: string | URL;
  /** The models to check against. Without it: the demonstration model that comes with aedr. */
  models?: Model[];
  /** `auto`, the default, takes the graphics processor where there is one. The result is the same. */
  device?: 'auto' | 'webgpu' | 'cpu';
}

/** The address of a script: a `TrustedScriptURL` is one, too. */
export type ScriptAddress = string | URL | { toString(): string; toJSON(): string };

/** A model as `aedr pack` writes it: the other files stand beside the manifest. */
export interface Model {
  /** As its manifest says. */
  id: string;
  /** The address of its `manifest.json`. */
  manifest: string | URL;
  /** What to call it, if not as its manifest does. */
  name?: string;
  /**
   * What the manifest must be, as `sha256-BASE64`. The manifest has the hashes of the weights, so they are covered. Its
   * calibration is then used only if `calibrationIntegrity` says what that must be.
   */
  integrity?: string;
  /** What `calibration.json` must be, as `sha256-BASE64`. */
  calibrationIntegrity?: string;
}

export interface Checker {
  /**
   * Checks an image file. Checks of one checker are done one after another.
   * @throws {AedrError} and nothing else.
   */
  check(image: Blob, options?: CheckOptions): Promise<CheckResult>;
  /** Ends the worker and frees its memory. Checks that are not done reject with the code `closed`. */
  close(): void;
}

export interface CheckOptions {
  /** Some of the checker's models by their ids, or others. Without it: all of the checker's. */
  models?: (string | Model)[];
  /** Whether to search where the image may have been cut or resized, which takes much longer. */
  deep?: boolean;
  /** Ends the check, which then rejects with the code `cancelled`. */
  signal?: AbortSignal;
  onProgress?: (progress: CheckProgress) => void;
  /** The file's name for the record. Without it: the file's own. */
  name?: string;
}

export interface CheckProgress {
  /** Of the whole check, from 0 to 1. Never less than before. */
  fraction: number;
  stage:
    /** Other checks of the same checker run first. */
    | 'waiting'
    | 'start'
    | 'program'
    | 'device'
    | 'decode'
    | 'weights'
    | 'search'
    | 'encode_first'
    | 'decode_first'
    | 'encode_second'
    | 'decode_second'
    | 'losses'
    /** The image is reconstructed mirrored or turned: the orientation control. */
    | 'encode_oriented'
    | 'decode_oriented'
    | 'done';
  /** Bytes that arrived, in the stages `program` and `weights`. */
  loaded?: number;
  /** The total number of bytes, if the server tells it. */
  total?: number | null;
  /** The name of the model that this is about. */
  model?: string;
  /** Which of how many models. */
  number?: number;
  count?: number;
}

export interface CheckResult {
  /** The overall outcome of all models. */
  outcome: Outcome;
  /** Which models stand out, the likeliest first. */
  ranking: Ranking;
  /** The report of each model that could be asked. At least one. */
  reports: CheckReport[];
  /** All that is needed to repeat the check, as the JSON document that `aedr replay` reads. */
  record: CheckRecord;
  /** Models that could not be asked. */
  failures: ModelFailure[];
  /** What computed it. */
  device: { kind: 'webgpu' | 'cpu'; adapter: string; reason: DeviceReason; threads: number };
  /** How long it took, without downloads. */
  seconds: number;
  /** What the file says of its own origin. Anybody can write such notes; no outcome rests on them. */
  claims: Claim[];
}

/** Why that device: it was chosen, WebGPU is there, or why not. */
export type DeviceReason = 'chosen' | 'adapter_found' | 'no_webgpu' | 'no_adapter' | 'software_adapter';

export interface ModelFailure {
  /** Its id. */
  model: string;
  code: ErrorCode;
  message: string;
  advice: string;
  details?: { [part: string]: unknown };
}

/** Codes keep their meaning across versions; there may be more in later ones. */
export type ErrorCode =
  | ModuleError['code']
  /** An option makes no sense: `details.option` says which. */
  | 'bad_options'
  /** The checker was closed. */
  | 'closed'
  /** The image file is larger than 64 MiB. */
  | 'file_too_large'
  /** The image file could not be read. */
  | 'unreadable_file'
  /** The worker or the module could not be fetched or started. */
  | 'program_missing'
  /** A file is not the one that this version was made with. */
  | 'integrity_failed'
  /** The worker stopped. The next check starts another. */
  | 'engine_stopped'
  | 'internal';

/** What a check rejects with: what happened, to which thing, and what to do. */
export class AedrError extends Error {
  private constructor();
  readonly name: 'AedrError';
  readonly code: ErrorCode;
  /** One sentence, or nothing. */
  readonly advice: string;
  /** The parts of the message, to say it in other words. */
  readonly details?: { [part: string]: unknown };
}
