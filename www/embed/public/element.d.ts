/**
 * `<aedr-check>`. Importing `aedr/element` defines it; importing `define` from here and calling it with another name
 * defines it by that.
 */

import type { AedrError, Checker, CheckOptions, CheckProgress, CheckResult, ScriptAddress } from './index.js';

/** Defines the element. Does nothing where the name is taken, or where there is no document. */
export function define(name?: string): void;

export class AedrCheck extends HTMLElement {
  /** The image's address. Attribute `src`. */
  src: string;
  /** The id of an `<img>` of the same document or shadow tree. Attribute `for`. It takes precedence over `src`. */
  htmlFor: string;
  /** An image in memory. It takes precedence over `for` and `src`. */
  image: Blob | null;
  /** Attribute `device`. */
  device: 'auto' | 'webgpu' | 'cpu';
  /** Whether the first check is a deep one already. Attribute `deep`. */
  deep: boolean;
  /** The models to check against. Without it: the demonstration model, or what `checker` has. */
  models: CheckOptions['models'];
  /** A checker of your own. The element does not close it; the three addresses and `device` are then not used. */
  checker: Checker | undefined;
  workerSrc: ScriptAddress | undefined;
  helperSrc: ScriptAddress | undefined;
  wasmSrc: string | URL | undefined;
  /** Checks the image, as the button does. Null if there is no result: the element and `aedr-error` say why. */
  check(): Promise<CheckResult | null>;
  /** Ends the check that runs. */
  cancel(): void;
  addEventListener<Name extends keyof AedrCheckEvents>(
    type: Name,
    listener: (this: AedrCheck, event: AedrCheckEvents[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

export interface AedrCheckEvents extends HTMLElementEventMap {
  /** Fires before anything is fetched. `preventDefault()` stops the check from starting. */
  'aedr-start': CustomEvent<null>;
  'aedr-progress': CustomEvent<ElementProgress>;
  'aedr-result': CustomEvent<CheckResult>;
  /** Also when the check was cancelled: its code is then `cancelled`. */
  'aedr-error': CustomEvent<ElementError>;
}

/** A check's progress or, while the image is being fetched, the stage `link`. */
export type ElementProgress =
  | CheckProgress
  | { stage: 'link'; fraction?: undefined; loaded?: number; total?: number | null };

/** What a check rejects with, or why there was no image to check. */
export type ElementError = Omit<AedrError, 'code'> & {
  readonly code:
    | AedrError['code']
    | 'no_file'
    | 'link_address'
    | 'link_refused'
    | 'link_interrupted'
    | 'link_missing'
    | 'link_gated'
    | 'link_denied'
    | 'link_failed'
    | 'link_page';
};

declare global {
  interface HTMLElementTagNameMap {
    'aedr-check': AedrCheck;
  }
}
