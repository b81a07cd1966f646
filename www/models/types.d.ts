/** Types for models of the page and those that people add. This file holds no code. */

import type { HostedModel, ModelFiles } from '../engine/types.js';
import type { Seen } from './transfer.js';

/** A model to check against, with a `manifest`'s address or, from the storage, its `files`. */
export interface ModelEntry {
  id: string;
  name: string;
  manifest?: string;
  files?: ModelFiles;
  note?: string;
  integrity?: HostedModel['integrity'];
  demonstration?: boolean;
}

/** A model that a person added. */
export interface AddedModel {
  key: string;
  id: string;
  name: string;
  serves: string[];
  bytes: number;
  /** What its calibration's file says; null without one. */
  calibration: any;
  /** Whether it is kept beyond this visit. */
  kept: boolean;
  files: ModelFiles;
}

export interface ImportPlan {
  /** Key of the model in the storage: letters, digits, `-`, `_`, `.`. */
  key: string;
  /** Null for a file on this device. */
  address: string | null;
  /** The module's `ImportRequest`. */
  request: any;
  /** Calibrations of the models that the file may prove to be. */
  calibrations: { [id: string]: any };
  /** Whether the publisher gives the file only to those who signed in. */
  gated?: boolean;
  /**
   * `PARTS`: what has come are the parts of the file that are wanted, one after the other. Plans of the first versions
   * lack it: what came by them is the file's beginning.
   */
  parts?: number;
  /** What the site said of the file. */
  seen?: Seen;
}

/** `bytes` have come. */
export type UnfinishedImport = { plan: ImportPlan; bytes: number };
