/** Limits on input. */

/** Larger image files are not read. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
