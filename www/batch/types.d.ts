/** The images of a visit. Nothing here is loaded: these are types. */

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
  /** Once it is here. */
  intake: Intake | null;
  state: State;
  /** Whether the check searches for the grid that the image may have been painted on. */
  deep: boolean;
  /** Of the check that runs. */
  progress: any;
  /** Of the last check that ended well. */
  found: Found | null;
  /** Of the last check, if it failed. What was found before stays. */
  error: PlainError | null;
}
