/** Types for images that come in. This file holds no code. */

/** How an image arrived. */
export type Arrival = 'picked' | 'dropped' | 'pasted' | 'sample' | 'link' | 'shared' | 'opened';

export interface Sample {
  file: string;
  title: string;
  decoded: boolean;
  credit?: string;
  licence?: string;
  source?: string;
}

/** An image that has come in. */
export interface Intake {
  file: Blob;
  name: string;
  arrival: Arrival;
  /** Whether it is the copy that another page showed. */
  asShown?: boolean;
  /**
   * Whether the file is a JPEG that the device converted from another format: certainly, because its name says HEIC, or
   * probably, judging by the device.
   */
  converted?: '' | 'heic' | 'phone';
  sample?: Sample;
}

export type Taking = { signal: AbortSignal; onProgress: (progress: any) => void };

/** An image that may still have to be fetched. */
export interface Source {
  name: string;
  /** If it is here already. */
  intake: Intake | null;
  take: (taking: Taking) => Promise<Intake>;
}
