/**
 * For pages that have a frame of aedr in them.
 */

import type { AedrError, CheckProgress, CheckRecord } from './index.js';

/**
 * Connects to the frame, once it is loaded. Rejects with a `FrameError` only: `bad_options`, `frame_sandboxed`,
 * `frame_silent`, `unsupported_version`, `program_missing`, `cancelled`.
 */
export function connectFrame(iframe: HTMLIFrameElement, options: FrameOptions): Promise<Frame>;

export interface FrameOptions {
  /** Of the page in the frame, such as `https://aedr.example`. Nothing is sent to any other; `*` is refused. */
  origin: string;
  /** Ends the attempt, which then rejects with the code `cancelled`. */
  signal?: AbortSignal;
  /**
   * How many milliseconds the frame may take to answer, 30 000 by default. Of a frame with `loading="lazy"` they begin
   * when it is loaded.
   */
  patience?: number;
}

/** A frame that answers. If it is loaded anew it is connected anew, by itself. */
export interface Frame extends EventTarget {
  /** Which release of aedr is in the frame. */
  readonly release: string;
  /** Has an image checked and shown in the frame. Rejects with a `FrameError` only. */
  check(image: Blob, options?: FrameCheckOptions): Promise<CheckRecord>;
  /** Takes the page's image out of the frame and ends its checks. An image of the reader's own stays. */
  reset(): void;
  /** Hangs up. What was not answered rejects with the code `closed`. */
  close(): void;
  addEventListener<Name extends keyof FrameEvents>(
    type: Name,
    listener: (this: Frame, event: FrameEvents[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

export interface FrameCheckOptions {
  /** The file's name for the report, of which 255 characters are taken. */
  name?: string;
  /** Whether to search where the image may have been cut or resized, which takes much longer. */
  deep?: boolean;
  /** Ends the check, which then rejects with the code `cancelled`. */
  signal?: AbortSignal;
  onProgress?: (progress: { stage: CheckProgress['stage'] | (string & {}); fraction?: number }) => void;
}

export interface FrameEvents {
  /** How high the frame's content is, in CSS pixels. Always the same while an image of the reader's own is there. */
  resize: CustomEvent<{ height: number }>;
  /** Whether a reader has the frame for an image of their own. Checks wait until that is over. */
  busy: CustomEvent<{ busy: boolean }>;
  /** The connection is over, and why. */
  close: CustomEvent<{ error: FrameError }>;
}

/** What happened, to which thing, and what to do. From the frame in the reader's language, else in English. */
export type FrameError = Omit<AedrError, 'code'> & { readonly code: AedrError['code'] | FrameErrorCode };

export type FrameErrorCode =
  /** A message does not fit the protocol. */
  | 'bad_message'
  /** The frame and this script have no version in common. */
  | 'unsupported_version'
  /** Sixteen checks are not answered yet. */
  | 'frame_busy'
  /** Too many messages came, and the frame hung up. */
  | 'frame_flooded'
  /** The page connected once more; that connection counts. */
  | 'frame_replaced'
  /** The reader took the frame for an image of their own. */
  | 'frame_taken'
  /** Nothing answered. */
  | 'frame_silent'
  /** The `sandbox` attribute lacks what the frame needs. */
  | 'frame_sandboxed'
  /** The frame was loaded anew before it had answered. */
  | 'frame_reloaded'
  /** What the frame says makes no sense. */
  | 'frame_broken';
