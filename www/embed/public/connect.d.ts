/**
 * For pages that embed a frame of aedr.
 */

import type { AedrError, CheckProgress, CheckRecord } from './index.js';

/**
 * Connects to the frame, once it is loaded. Rejects with a `FrameError` only: `bad_options`, `frame_sandboxed`,
 * `frame_silent`, `unsupported_version`, `program_missing`, `cancelled`.
 */
export function connectFrame(iframe: HTMLIFrameElement, options: FrameOptions): Promise<Frame>;

export interface FrameOptions {
  /** Origin of the page in the frame, such as `https://aedr.example`. Messages go to no other; `*` is refused. */
  origin: string;
  /** Ends the attempt, which then rejects with the code `cancelled`. */
  signal?: AbortSignal;
  /**
   * How many milliseconds the frame may take to answer, 30 000 by default. For a frame with `loading="lazy"` the time
   * starts when it has loaded.
   */
  patience?: number;
}

/** A connected frame. If it reloads, it reconnects by itself. */
export interface Frame extends EventTarget {
  /** The release of aedr in the frame. */
  readonly release: string;
  /** Checks an image and shows it in the frame. Rejects with a `FrameError` only. */
  check(image: Blob, options?: FrameCheckOptions): Promise<CheckRecord>;
  /** Removes the page's image from the frame and ends its checks. An image of the reader's own stays. */
  reset(): void;
  /** Closes the connection. Checks without an answer reject with the code `closed`. */
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
  /** The file's name for the report, cut to 255 characters. */
  name?: string;
  /** Whether to search where the image may have been cut or resized, which takes much longer. */
  deep?: boolean;
  /** Ends the check, which then rejects with the code `cancelled`. */
  signal?: AbortSignal;
  onProgress?: (progress: { stage: CheckProgress['stage'] | (string & {}); fraction?: number }) => void;
}

export interface FrameEvents {
  /** Height of the frame's content, in CSS pixels. It is constant while an image of the reader's own is there. */
  resize: CustomEvent<{ height: number }>;
  /** Whether a reader uses the frame for an image of their own. Checks wait until that ends. */
  busy: CustomEvent<{ busy: boolean }>;
  /** The connection has ended, and why. */
  close: CustomEvent<{ error: FrameError }>;
}

/** What happened, to which thing, and what to do: from the frame in the reader's language, else in English. */
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
  /** The page opened another connection, which replaced this one. */
  | 'frame_replaced'
  /** The reader took the frame for an image of their own. */
  | 'frame_taken'
  /** The frame did not answer. */
  | 'frame_silent'
  /** The `sandbox` attribute lacks what the frame needs. */
  | 'frame_sandboxed'
  /** The frame was reloaded before it had answered. */
  | 'frame_reloaded'
  /** The frame sends invalid messages. */
  | 'frame_broken';
