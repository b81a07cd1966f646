/** Types for the images of a visit. This file holds no code. */

import type { PlainError } from '../common/errors.js';
import type { Intake, Source } from '../intake/types.js';
import type { ModelEntry } from '../models/types.js';

export type State = 'waiting' | 'checking' | 'done' | 'failed' | 'cancelled';

/** `answer`: a `CheckAnswer` with blobs for its pictures. */
export type Found = { answer: any; models: ModelEntry[]; deep: boolean };

/** An image of the visit. */
export interface Entry {
  source: Source;
  name: string;
  /** Null until the image has arrived. */
  intake: Intake | null;
  state: State;
  /** Whether the check searches for the grid that the image may have been painted on. */
  deep: boolean;
  /** Progress of the check that is running. */
  progress: any;
  /** Result of the last check that succeeded. */
  found: Found | null;
  /** Error of the last check, if it failed. An earlier result stays in `found`. */
  error: PlainError | null;
}
